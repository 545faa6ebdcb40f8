"""`summarize`: summaries of the rows, and of groups of them (wire.md 2.6, 9.5)."""

from __future__ import annotations

from datetime import date
from typing import Any

from .filters import parse
from .model import NUMBERS
from .moments import moment, week_start
from .operators import comparable
from .production import Production, Row
from .reading import chosen, single
from .refusals import Refused

# What wire.md names without saying what it is: the databases must agree, and nothing more is asked.
UNRECORDED = object()
_TENS = {"tens": 10, "hundreds": 100, "thousands": 1000, "tensofthousands": 10_000,
         "hundredsofthousands": 100_000, "millions": 1_000_000}  # fmt: skip


def summarize(production: Production, params: dict[str, Any]) -> dict[str, Any]:
    """The answer to a `summarize`."""
    rows = chosen(production, params)
    for grouping in params.get("grouping") or []:
        path = parse(params["type"], grouping["field"])
        if path.field.data_type in ("summary", "image"):
            raise Refused(f"Grouping is not allowed for field {path.leaf_type}.{path.leaf}")
    return {
        "summaries": _summaries(production, params, rows),
        "groups": _groups(production, params, rows, params.get("grouping") or []),
    }


def _summaries(production: Production, params: dict[str, Any], rows: list[Row]) -> dict[str, Any]:
    # Keyed by field, so of two on one field the later wins.
    return {each["field"]: _summary(production, params["type"], rows, each) for each in params["summaries"]}


def _summary(production: Production, entity_type: str, rows: list[Row], asked: dict[str, Any]) -> Any:
    path = parse(entity_type, asked["field"])
    kind = asked["type"]
    data_type = path.field.data_type
    values = [single(production, path, row) for row in rows]
    given = [value for value in values if value is not None and value != []]
    if kind == "record_count":
        return len(rows)
    if kind == "count":
        return len(given)
    if not rows:
        return None
    if kind in ("checked", "unchecked"):
        return sum(1 for value in values if bool(value) == (kind == "checked"))
    if kind == "status_list":
        # One common status is that of all; any mixture is `ip`.
        return None if not given else given[0] if len(set(given)) == 1 else "ip"
    if kind in ("percentage", "status_percentage", "status_percentage_as_float"):
        return UNRECORDED
    if not given:
        return None
    if kind in ("maximum", "latest"):
        return max(given, key=lambda value: comparable(data_type, value))
    if kind in ("minimum", "earliest"):
        return min(given, key=lambda value: comparable(data_type, value))
    return sum(given) if kind == "sum" else sum(given) / len(given)


def _groups(
    production: Production, params: dict[str, Any], rows: list[Row], groupings: list[dict[str, Any]]
) -> Any:
    """One level for each grouping, by value in its direction; the empty group is listed first."""
    if not groupings:
        return []
    (grouping, *deeper) = groupings
    if any(each["type"] == "clustered_date" for each in groupings):
        return UNRECORDED
    path = parse(params["type"], grouping["field"])
    members: dict[Any, list[Row]] = {}
    shown: dict[Any, tuple[Any, Any]] = {}
    for row in rows:
        value = single(production, path, row)
        key, name, group_value = group_of(production, path.field.data_type, grouping["type"], value)
        members.setdefault(key, []).append(row)
        shown.setdefault(key, (name, group_value))
    filled = sorted((key for key in members if key is not None), reverse=grouping.get("direction") == "desc")
    found = []
    for key in [*([None] if None in members else []), *filled]:
        name, group_value = shown[key]
        group = {
            "group_name": name,
            "group_value": group_value,
            "summaries": _summaries(production, params, members[key]),
        }
        if deeper:
            group["groups"] = _groups(production, params, members[key], deeper)
        found.append(group)
    return found


def group_of(production: Production, data_type: str, grouping: str, value: Any) -> tuple[Any, Any, Any]:
    """The sort key, name and value of the group that a value belongs to."""
    if value is None or value == []:
        return None, "", None
    if data_type == "checkbox":
        return value, "[X]" if value else "[ ]", value
    if data_type == "entity":
        return _group_of_link(production, grouping, value)
    if grouping == "exact":
        order = value.casefold() if isinstance(value, str) else comparable(data_type, value)
        return (order, value), (str(value) if not isinstance(value, float) else UNRECORDED), value
    if grouping == "firstletter":
        return _group_of_letter(value)
    if data_type in NUMBERS:
        size = _TENS[grouping]
        low = int(value // size * size)
        # How a range reads is not recorded.
        return low, f"{low}-{low + size - 1}", low
    return _group_of_day(grouping, moment(value).date())


def _group_of_letter(text: str) -> tuple[Any, Any, Any]:
    # Which letter stands for those that have no capital of their own is not recorded.
    letter = text[0].upper()
    return letter, letter, letter


def _group_of_link(production: Production, grouping: str, link: Any) -> tuple[Any, Any, Any]:
    if grouping == "entitytype":
        return link["type"], link["type"], link["type"]
    name = production.name(link)
    if grouping == "firstletter":
        return _group_of_letter(name)
    return (name.casefold(), link["type"], link["id"]), name, {**link, "name": name, "valid": "valid"}


def _group_of_day(grouping: str, day: date) -> tuple[Any, Any, Any]:
    """The first day of the period; how months and quarters are called is not recorded."""
    if grouping in ("day", "oneday"):
        start, name = day, day.isoformat()
    elif grouping == "fivedays":
        # Where the runs of five days begin is not recorded: this site counts from the first day of all.
        start = date.fromordinal(day.toordinal() // 5 * 5)
        name = start.isoformat()
    elif grouping == "week":
        start = week_start(day)
        name = start.isoformat()
    elif grouping == "month":
        start = day.replace(day=1)
        name = f"{start:%B %Y}"
    elif grouping == "quarter":
        start = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        name = f"Q{(day.month + 2) // 3} {day.year}"
    elif grouping == "year":
        start = day.replace(month=1, day=1)
        name = str(day.year)
    else:
        raise ValueError(f"no grouping is called {grouping}")
    return start, name, start.isoformat()
