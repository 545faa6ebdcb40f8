"""Colours: `r,g,b`, the names of old clients, and a Task's wish to look like its pipeline step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .refusals import Given
from .texts import ExactText

if TYPE_CHECKING:
    from sgsession.site.schema.schema_map import Field

_LEGACY = {
    "Blue": "2,149,216",
    "Orange": "253,141,3",
    "Pink": "254,125,179",
    "Red": "253,1,0",
    "Green": "29,215,46",
    "Purple": "183,0,188",
    "Grey": "129,129,129",
    "Black": "45,45,45",
}
_RGB = re.compile(r"\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*")
_OF_THE_STEP = "pipeline_step"


class Color(ExactText):
    """A colour as `r,g,b`; legacy names are expanded."""

    name = "color"

    def checked(self, field: Field, value: Any, given: Given) -> str | None:
        color = super().checked(field, value, given)
        on_task = field.entity_type == "Task"
        if color is None:
            if on_task:
                raise given.invalid(f"Value cannot be nil for {given.label}.")
            return None
        if color in _LEGACY or (on_task and color == _OF_THE_STEP):
            return _LEGACY.get(color, color)
        parts = _RGB.fullmatch(color)
        if parts is None or any(int(part) > 255 for part in parts.groups()):
            raise given.invalid_data(self.name, color)
        return ",".join(str(int(part)) for part in parts.groups())

    def operand(self, field: Field, value: Any, given: Given) -> str | None:
        color = super().checked(field, value, given)
        return color if color is None else _LEGACY.get(color, color)
