"""Templates → HTML, with every value escaped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import addresses

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["asset", "rendered"]

_FOLDER = Path(__file__).parent / "templates"


def rendered(template: str, context: Mapping[str, Any]) -> str:
    """The page that a template makes of its context."""
    return _environment().get_template(template).render(context)


@cache
def asset(name: str) -> bytes:
    """A file that the pages use as it is: the style sheet, the icon."""
    return (_FOLDER / name).read_bytes()


@cache
def _environment() -> Environment:
    # Imported by the first page that is looked at: most sites are never looked at.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["detail"] = addresses.detail
    # A new version of the style has a new address, so browsers may keep it.
    environment.globals["icon"] = addresses.ICON
    environment.globals["style"] = f"{addresses.STYLE}?{hashlib.sha256(asset('style.css')).hexdigest()[:12]}"
    return environment
