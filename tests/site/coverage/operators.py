"""Every operator on a field of every data type, tried on a row with a value and on one without."""

from __future__ import annotations

from typing import Any

from sgsession.site.faults import SiteFault
from tests.site.specimens import Site, link, stored

from .ground import Row, words

# wire.md 4.1, column by column.
GROUPS: dict[str, tuple[str, ...]] = {
    "is, is_not": ("is", "is_not"),
    "in, not_in": ("in", "not_in"),
    "contains, not_contains": ("contains", "not_contains"),
    "starts_with, ends_with": ("starts_with", "ends_with"),
    "greater_than, less_than, between": ("greater_than", "less_than", "between"),
    "in_last, in_next, not_in_last, not_in_next": ("in_last", "in_next", "not_in_last", "not_in_next"),
    "in_calendar_day/week/month/year": (
        "in_calendar_day",
        "in_calendar_week",
        "in_calendar_month",
        "in_calendar_year",
    ),
    "type_is, type_is_not": ("type_is", "type_is_not"),
    "name_contains, name_not_contains, name_is": ("name_contains", "name_not_contains", "name_is"),
}
_EQUAL, _MEMBER, _HALVES, _TEXT, _ORDER, _SPAN, _CALENDAR, _TYPE, _NAME = GROUPS
_NEGATIONS = frozenset({
    "is_not", "not_in", "not_contains", "not_in_last", "not_in_next", "name_not_contains", "type_is_not",
})  # fmt: skip

_QUANTITY = (_EQUAL, _MEMBER, _ORDER)
_MOMENT = (*_QUANTITY, _SPAN, _CALENDAR)
_LINK = (_EQUAL, _MEMBER, _TYPE, _NAME)
# The groups that wire.md 4.1 records as working.
RECORDED: dict[str, tuple[str, ...]] = {
    "text": (_EQUAL, _MEMBER, _HALVES, _TEXT),
    "number": _QUANTITY, "percent": _QUANTITY, "duration": _QUANTITY, "timecode": _QUANTITY,
    "currency": _QUANTITY, "float": _QUANTITY, "footage": _QUANTITY,
    "checkbox": (_EQUAL,),
    "date": _MOMENT, "date_time": _MOMENT,
    "list": (_EQUAL, _MEMBER), "status_list": (_EQUAL, _MEMBER), "color": (_EQUAL, _MEMBER),
    "entity_type": (_EQUAL, _MEMBER), "uuid": (_EQUAL, _MEMBER),
    "entity": _LINK, "multi_entity": _LINK, "addressing": _LINK, "tag_list": (_EQUAL, _MEMBER, _NAME),
    "image": (_EQUAL,),
    "jsonb": (_EQUAL, _HALVES),
    "system_task_type": (_EQUAL,),
    "url": (), "serializable": (), "password": (), "summary": (), "calculated": (), "pivot_column": (),
}  # fmt: skip
UNFILTERABLE = frozenset(name for name, groups in RECORDED.items() if not groups)

_SHOT, _PERSON = link("Shot", 1), link("HumanUser", 1)
# What row 1 holds; row 2 holds nothing. The site's clock stands at noon of 2024-05-15.
_VALUES: dict[str, Any] = {
    "text": "Alpha", "number": 5, "percent": 5, "duration": 5, "timecode": 5, "currency": 5.0, "float": 5.0,
    "footage": "5-00", "checkbox": True, "date": "2024-05-15", "date_time": "2024-05-15T12:00:00Z",
    "list": "Alpha", "status_list": "ip", "color": "1,2,3", "entity_type": "Shot",
    "uuid": "0b0c0000-0000-4000-8000-000000000001", "entity": _SHOT, "multi_entity": [_SHOT],
    "addressing": [_PERSON], "tag_list": [], "jsonb": {"word": "Alpha"}, "system_task_type": "Alpha",
    "url": {"url": "https://example.com", "name": "x"}, "serializable": {"word": "Alpha"},
}  # fmt: skip
_ABOVE_AND_BELOW: dict[str, tuple[Any, Any]] = {
    "footage": ("4-00", "6-00"),
    "date": ("2024-05-14", "2024-05-16"),
    "date_time": ("2024-05-15T11:00:00Z", "2024-05-15T13:00:00Z"),
}


def specimens() -> Any:
    """A site with one row that has every value and one that has none."""
    written = {name: value for name, value in _VALUES.items() if name != "tag_list"}
    return stored(
        ("Shot", [{"id": 1, "code": "Alpha"}]),
        ("HumanUser", [{"id": 1, "name": "Alpha", "login": "a"}]),
        ("Tag", [{"id": 1, "name": "Alpha"}]),
        (
            "Specimen",
            [{"id": 1, "code": "full", **written, "tags": [link("Tag", 1)]}, {"id": 2, "code": "bare"}],
        ),
    )


def outcome(site: Site, data_type: str, operator: str) -> str:
    """ "rows" where the right ones are found, "refused" in the recorded words, else what happened."""
    values = _operands(data_type, operator)
    try:
        found = site.ids("Specimen", (data_type, operator, *values))
    except SiteFault as fault:
        refusals = ("data type cannot be used in a filter", f"doesn't support '{operator}' 'relation'")
        recorded = refusals[0] if data_type in UNFILTERABLE else refusals[1]
        return "refused" if recorded in fault.message else words(fault.message)
    expected = [2] if operator in _NEGATIONS else [1]
    if data_type == "image":
        expected = [1, 2] if operator == "is" else []  # its only operand is null, and nobody uploaded one
    return "rows" if found == expected else f"finds {found} instead of {expected}"


def cell(outcomes: Row) -> str:
    """What a table shows for a group of operators."""
    distinct = set(outcomes.values())
    if distinct == {"rows"}:
        return "Y"
    if distinct == {"refused"}:
        return "-"
    return "; ".join(f"{operator}: {outcome}" for operator, outcome in outcomes.items())


def _operands(data_type: str, operator: str) -> list[Any]:
    value = _VALUES.get(data_type, "x")
    if data_type == "image":
        return [None]
    if operator in ("type_is", "type_is_not"):
        return ["HumanUser" if data_type == "addressing" else "Shot"]
    if operator in GROUPS[_NAME]:
        return ["Alpha" if operator == "name_is" else "lph"]
    if operator in GROUPS[_SPAN]:
        return [1, "DAY"]
    if operator in GROUPS[_CALENDAR]:
        return [0]
    if operator in (*GROUPS[_HALVES], *GROUPS[_TEXT]):
        return [{"contains": "lph", "not_contains": "lph", "starts_with": "al", "ends_with": "HA"}[operator]]
    if operator in GROUPS[_ORDER]:
        below, above = _ABOVE_AND_BELOW.get(data_type, (4, 6))
        return {"greater_than": [below], "less_than": [above], "between": [below, above]}[operator]
    if data_type == "tag_list":
        return ["Alpha"]
    if isinstance(value, list):
        return value
    return [value]
