"""A show that has something to look at: the small demo with pictures, a movie's notes, and a history."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

from sgsession.site import LocalSite

# What each picture is of: a sky from top to bottom, and the height of the sun or the moon.
_SKIES = {
    "AA": ((255, 214, 165), (76, 96, 133), 0.45),
    "BB": ((205, 211, 214), (96, 112, 122), 0.25),
    "CC": ((24, 28, 58), (82, 60, 112), 0.2),
    "DD": ((253, 235, 211), (236, 166, 140), 0.6),
    "TEASER": ((255, 179, 112), (120, 60, 96), 0.55),
}
_ASSET = ((222, 226, 230), (150, 160, 172), 0.3)


def dress(site: LocalSite, folder: Path) -> None:
    """Give the demo its pictures, and let some work happen on its first shots."""
    shotgun = site.connect()
    for number, shot in enumerate(shotgun.find("Shot", [], ["code"])):
        made = picture(folder / f"{shot['code']}.png", shot["code"].partition("_")[0], number)
        shotgun.upload_thumbnail("Shot", shot["id"], str(made))
    for number, version in enumerate(shotgun.find("Version", [], ["entity"])):
        made = picture(folder / f"v{number}.png", version["entity"]["name"].partition("_")[0], number + 5)
        shotgun.upload_thumbnail("Version", version["id"], str(made))
    for number, asset in enumerate(shotgun.find("Asset", [], ["code"])):
        made = picture(folder / f"a{number}.png", "asset", number)
        shotgun.upload_thumbnail("Asset", asset["id"], str(made))
    for project, look in ((123, "CC"), (124, "DD")):
        shotgun.upload_thumbnail("Project", project, str(picture(folder / f"p{project}.png", look, project)))
    _work(site, shotgun, folder)
    shotgun.close()


def _work(site: LocalSite, shotgun: Any, folder: Path) -> None:
    """Some hours in the life of AA_001 (Shot 234): its first task, its status, a reply and a file."""
    site.set_password("ada.lindqvist", "boat")
    site.set_password("dmitri.halvorsen", "light")
    ada = site.connect(login="ada.lindqvist", password="boat")
    dmitri = site.connect(login="dmitri.halvorsen", password="light")
    shot = {"type": "Shot", "id": 234}
    ada.update(
        "Shot", 234, {"description": "The tugboat casts off. Fog on the water, first light behind the crane."}
    )
    ada.update("Shot", 234, {"sg_status_list": "ip"})
    dmitri.update(
        "Shot", 234, {"assets": [{"type": "Asset", "id": 307}]}, multi_entity_update_modes={"assets": "add"}
    )
    dmitri.update("Shot", 234, {"sg_cut_out": 1102})
    note = ada.create(
        "Note",
        {
            "project": {"type": "Project", "id": 123},
            "subject": "Fog density",
            "content": "The fog eats the mast from frame 1040 on.\nCould we thin it to half behind the crane?",
            "note_links": [shot],
            "user": {"type": "HumanUser", "id": 11},
        },
    )
    dmitri.create("Reply", {"entity": note, "content": "Half it is; a new version renders tonight."})
    sheet = folder / "fog_reference.txt"
    sheet.write_text("Half the density behind the crane.\n")
    ada.upload("Shot", 234, str(sheet), display_name="Fog reference.txt")
    dmitri.update("Shot", 234, {"sg_status_list": "fin"})
    ada.close()
    dmitri.close()


def picture(path: Path, look: str, number: int) -> Path:
    """A small landscape: sky, sun, hills and water."""
    top, bottom, sun = _SKIES.get(look, _ASSET)
    wide, high = 640, 360
    image = Image.new("RGB", (wide, high))
    draw = ImageDraw.Draw(image)
    for y in range(high):
        part = y / high
        draw.line(
            [(0, y), (wide, y)],
            fill=tuple(round(a + (b - a) * part) for a, b in zip(top, bottom, strict=True)),
        )
    x = 90 + number * 131 % 460
    light = tuple(min(255, each + 60) for each in top)
    draw.ellipse([x - 34, high * sun - 34, x + 34, high * sun + 34], fill=light)
    image = image.filter(ImageFilter.GaussianBlur(3))
    draw = ImageDraw.Draw(image)
    for layer in range(3):
        shade = tuple(round(each * (0.78 - 0.2 * layer)) for each in bottom)
        base = high * (0.62 + 0.13 * layer)
        points = [
            (at, base + 26 * math.sin(at / (70 + 25 * layer) + number * 1.7 + layer * 2.1))
            for at in range(0, wide + 8, 8)
        ]
        draw.polygon([(0, high), *points, (wide, high)], fill=shade)
    image.save(path)
    return path
