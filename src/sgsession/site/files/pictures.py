"""Thumbnails made of uploaded images, with Pillow; and the picture that stands for one not made yet."""

from __future__ import annotations

import secrets
import struct
import threading
import zlib
from functools import cache
from pathlib import Path

__all__ = ["made_picture", "placeholder"]

# What the web page shows is smaller; a real site's thumbnails are of this order.
_BOX = (512, 512)

# JPEG has no transparency; this is what shows through instead.
_GROUND = (38, 38, 38)

# The pixels of one 8K frame. A small file may claim more, to fill the memory of whoever unpacks it.
_MOST_PIXELS = 36_000_000

# One picture at a time: sixteen 8K frames at once would take gigabytes.
_making = threading.Lock()

# Formats that Pillow reads by itself: others (EPS) would start programs on what a stranger sent.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TGA", "TIFF", "WEBP")


def made_picture(path: Path, *, whole: bool) -> Path | None:
    """A JPEG beside that file, scaled down unless wanted `whole`; None when it is no image Pillow reads."""
    try:
        from PIL import Image, ImageOps
    except ModuleNotFoundError:
        return None
    made = path.with_name(f"{path.name}-{secrets.token_hex(4)}.jpg")
    try:
        with _making, Image.open(path, formats=_FORMATS) as image:
            if not whole:
                image.draft("RGB", _BOX)
            if image.width * image.height > _MOST_PIXELS:
                return None
            picture = image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGBA")
            if not whole:
                picture.thumbnail(_BOX)
            picture = ImageOps.exif_transpose(picture).convert("RGBA")
            ground = Image.new("RGB", picture.size, _GROUND)
            ground.paste(picture, mask=picture.getchannel("A"))
            ground.save(made, "JPEG", quality=85)
    # Pillow's readers raise whatever a broken file makes them stumble over, and its refusals of pictures
    # that would unpack to gigabytes are of classes of their own.
    except Exception:
        made.unlink(missing_ok=True)
        return None
    return made


@cache
def placeholder() -> bytes:
    """A small grey PNG, which is what a pending thumbnail looks like."""
    width, height = 64, 36
    rows = (b"\x00" + b"\x99\x99\x99" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
