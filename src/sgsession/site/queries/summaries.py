"""The remote call `summarize`: counts, sums and the like, in groups (wire.md 2.6, 9.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, null, select, true

from ..call import Call
from ..data_types import Given, Source, data_type
from ..faults import SiteFault, ruby
from ..requests import check_length
from .fetching import links_to
from .grouping import NO_VALUE, Group, grouping, is_groupable
from .joining import Joined
from .paths import Path, resolve
from .selecting import selected

_COUNTS = frozenset({"record_count", "count"})
_QUANTITIES = frozenset({"number", "percent", "duration", "timecode", "float", "currency"})
_MOMENTS = frozenset({"date", "date_time"})
# The data types that a kind of summary can be taken of; the kinds not named here suit every type.
_SUITED = {
    "sum": _QUANTITIES,
    "average": _QUANTITIES,
    "maximum": _QUANTITIES | _MOMENTS,
    "minimum": _QUANTITIES | _MOMENTS,
    "earliest": _MOMENTS,
    "latest": _MOMENTS,
    "checked": frozenset({"checkbox"}),
    "unchecked": frozenset({"checkbox"}),
    "status_percentage": frozenset({"status_list"}),
    "status_percentage_as_float": frozenset({"status_list"}),
    "status_list": frozenset({"status_list"}),
}
_OF_ANY_TYPE = frozenset({"record_count", "count", "percentage"})
_UNSUMMED = frozenset({"summary", "calculated", "pivot_column", "password"})
_MOST_LEVELS = 20
_MOST_SUMMARIES = 1_000


def summarize(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """The summaries of the rows that the filters let through, as a whole and in groups."""
    source, conditions = selected(call, params)
    joined = Joined(call, source)
    summaries = list(_summaries(call, source, joined, params.get("summaries")))
    levels = _levels(call, source, params.get("grouping"))
    keys = [key for level in levels for key in level.columns(joined)]
    measures = [measure for summary in summaries for measure in summary.measures()]
    query = select(*keys, func.count(), *measures).select_from(joined.rows).where(*conditions)
    if keys:
        query = query.group_by(*keys)
    fetched = call.connection.execute(query).all()
    whole = _Total(len(summaries))
    for names, row in zip(_named(call, levels, fetched), fetched, strict=True):
        whole.add(names, row[len(keys) :])
    results: dict[str, Any] = {"summaries": whole.results(summaries)}
    results["groups"] = whole.grouped(summaries, levels)
    return results


@dataclass(frozen=True, slots=True)
class _Summary:
    """One entry of `summaries`: which field, and what is told about it."""

    name: str
    kind: str
    measured: ColumnElement[Any]
    adds_up: bool

    def measures(self) -> list[ColumnElement[Any]]:
        """What the database finds out about the rows of one group."""
        total: ColumnElement[Any] = func.sum(self.measured) if self.adds_up else null()
        return [func.count(self.measured), total, func.min(self.measured), func.max(self.measured)]

    def result(self, total: _Measured, rows: int) -> Any:
        if self.kind in _COUNTS:
            return rows if self.kind == "record_count" else total.count
        if not total.count:
            return None
        return _RESULTS[self.kind](total)


@dataclass(slots=True)
class _Measured:
    """The measures of some rows; those of two sets of rows add up."""

    count: int = 0
    sum: Any = None
    minimum: Any = None
    maximum: Any = None

    def add(self, count: int, total: Any, minimum: Any, maximum: Any) -> None:
        self.count += count
        if total is not None:
            # PostgreSQL adds whole numbers of 64 bits up to one without limits.
            total = int(total) if isinstance(total, Decimal) else total
            self.sum = total if self.sum is None else self.sum + total
        if minimum is not None:
            self.minimum = minimum if self.minimum is None else min(self.minimum, minimum)
            self.maximum = maximum if self.maximum is None else max(self.maximum, maximum)


_RESULTS: Mapping[str, Callable[[_Measured], Any]] = {
    "sum": lambda of: of.sum,
    "average": lambda of: of.sum / of.count,
    "maximum": lambda of: of.maximum,
    "minimum": lambda of: of.minimum,
    "earliest": lambda of: of.minimum,
    "latest": lambda of: of.maximum,
    "percentage": lambda of: round(100 * of.sum / of.count),
    "status_percentage": lambda of: round(100 * of.sum / of.count),
    "status_percentage_as_float": lambda of: of.sum / of.count,
    "checked": lambda of: of.sum,
    "unchecked": lambda of: of.count - of.sum,
    # One status in common is the status of all; any mixture is work in progress.
    "status_list": lambda of: of.minimum if of.minimum == of.maximum else "ip",
}


@dataclass(slots=True)
class _Total:
    """The measures of a set of rows, and of the groups within it."""

    width: int
    rows: int = 0
    value: Any = None
    measured: list[_Measured] = dataclass_field(init=False)
    groups: dict[Group, _Total] = dataclass_field(default_factory=dict)

    def __post_init__(self) -> None:
        self.measured = [_Measured() for _ in range(self.width)]

    def add(self, path: Sequence[Group], row: Sequence[Any]) -> None:
        """Add what was measured of some rows to the groups on the way, the outermost first."""
        total = self
        for group in (None, *path):
            if group is not None:
                key = group._replace(value=None)  # a value may be a dict; its order tells groups apart
                total = total.groups.setdefault(key, _Total(self.width))
                total.value = group.value
            total.rows += row[0]
            for index, measured in enumerate(total.measured):
                measured.add(*row[1 + index * 4 : 5 + index * 4])

    def results(self, summaries: Sequence[_Summary]) -> dict[str, Any]:
        return {
            summary.name: summary.result(measured, self.rows)
            for summary, measured in zip(summaries, self.measured, strict=True)
        }

    def grouped(self, summaries: Sequence[_Summary], levels: Sequence[_Level]) -> list[dict[str, Any]]:
        if not levels:
            return []
        filled = sorted((group for group in self.groups if group != NO_VALUE), reverse=levels[0].descending)
        # The empty group stands first in either direction.
        ordered = [*(group for group in self.groups if group == NO_VALUE), *filled]
        answer = []
        for group in ordered:
            total = self.groups[group]
            each = {"group_name": group.name, "group_value": total.value}
            each["summaries"] = total.results(summaries)
            if len(levels) > 1:
                each["groups"] = total.grouped(summaries, levels[1:])
            answer.append(each)
        return answer


@dataclass(frozen=True, slots=True)
class _Level:
    """One entry of `grouping`."""

    path: Path
    group: Callable[[Any], Group]
    descending: bool

    @property
    def width(self) -> int:
        return 2 if self.path.field.data_type == "entity" else 1

    def columns(self, joined: Joined) -> list[ColumnElement[Any]]:
        field, source = self.path.field, joined.at_end_of(self.path)
        if field.data_type == "entity":
            return [source.column(f"{field.name}__type"), source.column(f"{field.name}__id")]
        return [source.column(field.name)]


def _summaries(call: Call, source: Source, joined: Joined, wanted: Any) -> Iterable[_Summary]:
    if not isinstance(wanted, list):
        raise SiteFault(f"API {call.method}() invalid/missing array 'summaries':\n{ruby(wanted)}")
    check_length(call, "summaries", wanted, _MOST_SUMMARIES)
    # Results go by field, so of two entries for one field the later wins.
    by_field: dict[str, _Summary] = {}
    for entry in wanted:
        path, given = _path(call, source, entry, "summaries")
        kind, field = entry.get("type"), path.field
        if not isinstance(kind, str) or (kind not in _SUITED and kind not in _OF_ANY_TYPE):
            raise given.invalid(f"invalid/missing 'summaries' 'type' {ruby(kind)}")
        suited = field.data_type in _SUITED.get(kind, (field.data_type,))
        if field.data_type in _UNSUMMED or not suited:
            raise given.invalid(f"Summary type '{kind}' is not allowed for field {given.label}")
        measured, adds_up = _measured(joined.at_end_of(path), path, kind, entry.get("value", "fin"), given)
        by_field[path.text] = _Summary(path.text, kind, measured, adds_up)
    return by_field.values()


def _measured(
    source: Source, path: Path, kind: str, status: Any, given: Given
) -> tuple[ColumnElement[Any], bool]:
    """What is counted, and summed up if it is a number: nulls do not count."""
    field = path.field
    if kind == "count":
        return case((data_type(field.data_type).present(field, source), literal(1))), False
    if kind == "record_count":
        return source.column("id"), False
    if kind in ("percentage", "checked", "unchecked"):
        is_checkbox = field.data_type == "checkbox"
        column = source.column(field.name) if is_checkbox else None
        told = column == true() if column is not None else data_type(field.data_type).present(field, source)
        return case((told, literal(1)), else_=literal(0)), True
    if kind.startswith("status_percentage"):
        kept = data_type("status_list").operands(field, "is", [status], given)[0]
        same = source.column(f"{field.name}__folded") == kept
        return case((same, literal(1)), else_=literal(0)), True
    return source.column(field.name), field.data_type in _QUANTITIES


def _levels(call: Call, source: Source, wanted: Any) -> list[_Level]:
    if wanted is None:
        return []
    if not isinstance(wanted, list) or len(wanted) > _MOST_LEVELS:
        raise SiteFault(f"API {call.method}() invalid/missing array 'grouping':\n{ruby(wanted)}")
    levels = []
    for entry in wanted:
        path, given = _path(call, source, entry, "grouping")
        kind, direction = entry.get("type", "exact"), entry.get("direction", "asc")
        if not is_groupable(path.field):
            raise given.invalid(f"Grouping is not allowed for field {given.label}")
        group = grouping(kind, path.field, call.now) if isinstance(kind, str) else None
        if group is None:
            raise given.invalid(f"invalid/missing 'grouping' 'type' {ruby(kind)}")
        if direction not in ("asc", "desc"):
            raise given.invalid(f"invalid/missing 'grouping' 'direction' {ruby(direction)}")
        levels.append(_Level(path, group, direction == "desc"))
    return levels


def _path(call: Call, source: Source, entry: Any, part: str) -> tuple[Path, Given]:
    text = entry.get("field") if isinstance(entry, Mapping) else None
    if not isinstance(text, str):
        raise SiteFault(f"API {call.method}() invalid/missing string '{part}' 'field':\n{ruby(entry)}")
    given = Given(call.method, f"{source.entity_type}.{text}", entry)
    path = resolve(call.schema, source.entity_type, text)
    if path is None or path.is_many or not path.is_allowed:
        raise given.invalid(f"{given.label} doesn't exist")
    return path, given


def _named(call: Call, levels: Sequence[_Level], fetched: Sequence[Any]) -> Iterable[list[Group]]:
    """For each fetched row: the groups that it belongs to, the outermost first."""
    pairs: set[tuple[str, int]] = set()
    start = 0
    for level in levels:
        if level.width == 2:
            pairs.update((row[start], row[start + 1]) for row in fetched if row[start] is not None)
        start += level.width
    links = links_to(call, pairs)
    for row in fetched:
        groups, start = [], 0
        for level in levels:
            field = level.path.field
            if level.width == 2:
                value = links.get((row[start], row[start + 1]))
            elif row[start] is None and field.data_type != "checkbox":
                value = None
            else:
                value = data_type(field.data_type).wire(field, {field.name: row[start]})
            groups.append(NO_VALUE if value is None else level.group(value))
            start += level.width
        yield groups
