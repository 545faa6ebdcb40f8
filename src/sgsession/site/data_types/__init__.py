"""The field data types of a site, one class each: columns, wire form and operators."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .base import DataType, Source
from .colors import Color
from .computed import Calculated, PivotColumn, Summary
from .documents import Image, Jsonb, Password, Serializable, Url
from .flags import Checkbox
from .links import Addressing, EntityLink, LinkList, MultiEntity, TagList
from .moments import Date, DateTime
from .quantities import Currency, Duration, FloatingPoint, Footage, Number, Percent, Timecode
from .refusals import Given
from .texts import EntityTypeName, ListType, StatusList, SystemTaskType, TextType
from .uuids import Uuid

__all__ = ["DATA_TYPES", "DataType", "Given", "LinkList", "Source", "data_type"]

DATA_TYPES: Mapping[str, DataType] = MappingProxyType(
    {
        each.name: each
        for each in (
            Addressing(),
            Calculated(),
            Checkbox(),
            Color(),
            Currency(),
            Date(),
            DateTime(),
            Duration(),
            EntityLink(),
            EntityTypeName(),
            FloatingPoint(),
            Footage(),
            Image(),
            Jsonb(),
            ListType(),
            MultiEntity(),
            Number(),
            Password(),
            Percent(),
            PivotColumn(),
            Serializable(),
            StatusList(),
            Summary(),
            SystemTaskType(),
            TagList(),
            TextType(),
            Timecode(),
            Url(),
            Uuid(),
        )
    }
)


def data_type(name: str) -> DataType:
    """The data type of that name; KeyError for a name that no site has."""
    return DATA_TYPES[name]
