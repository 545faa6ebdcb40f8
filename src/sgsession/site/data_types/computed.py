"""Fields that the site computes: they have no column, and nobody writes or filters them."""

from __future__ import annotations

from .base import DataType


class Summary(DataType):
    """A count of linked rows, taken when it is read."""

    name = "summary"


class Calculated(DataType):
    """A formula over other fields; the embedded site evaluates none."""

    name = "calculated"


class PivotColumn(DataType):
    """A column of the web pages that shows the Tasks of one pipeline step."""

    name = "pivot_column"
