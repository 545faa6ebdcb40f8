"""What reads cost, counted rather than timed: the plans that SQLite makes, and how many statements are run."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from sgsession.site import LocalSite

pytestmark = pytest.mark.sqlite("the plans are SQLite's")

SHOTS = 1_200
TASKS_OF_EACH = 4
DEEP_FIELDS = [
    "content",
    "project.Project.name",
    "step.Step.code",
    "step.Step.short_name",
    "entity.Shot.code",
    "entity.Shot.sg_cut_in",
    "entity.Shot.sg_sequence",
    "entity.Shot.sg_sequence.Sequence.code",
    "entity.Shot.sg_sequence.Sequence.sg_status_list",
]

Statement = tuple[str, Any]


@pytest.fixture(scope="module")
def site() -> Iterator[LocalSite]:
    """Twelve sequences of a hundred shots with four tasks each."""
    project = {"type": "Project", "id": 1}
    lines: list[dict[str, Any]] = [{"sgsession_site": 1}, _line("Project", 1, name="Plans")]
    lines.extend(_line("Sequence", n + 1, code=f"S{n:02}", project=project) for n in range(12))
    for n in range(SHOTS):
        sequence = {"type": "Sequence", "id": n // 100 + 1}
        lines.append(
            _line("Shot", n + 1, code=f"S{n:04}", sg_cut_in=n, sg_sequence=sequence, project=project)
        )
    for n in range(SHOTS * TASKS_OF_EACH):
        shot = {"type": "Shot", "id": n // TASKS_OF_EACH + 1}
        lines.append(_line("Task", n + 1, content=f"task {n}", entity=shot, project=project))
    with LocalSite(serve=False) as site:
        site.load(io.StringIO("".join(json.dumps(line) + "\n" for line in lines)))
        yield site


def test_few_linked_rows_are_looked_up_through_the_index_of_the_link(site: LocalSite) -> None:
    """A deep filter that one sequence passes finds its tasks without walking through the others."""
    statements, rows = _read(site, "Task", _where("entity.Shot.sg_sequence.Sequence.code", "is", "S07"))
    assert len(rows) == 400
    assert "Task_by_entity" in " ".join(_plan(site, _ids_query(statements, "Task")))
    assert _table_scans(site, statements) == []


def test_many_linked_rows_are_looked_for_in_the_narrow_index(site: LocalSite) -> None:
    """A deep filter that most shots pass walks through the index of pages, which holds all that it looks at."""
    statements, rows = _read(site, "Task", _where("entity.Shot.sg_cut_in", "greater_than", 100), page=9)
    assert len(rows) == 4 * (SHOTS - 101) - 8 * 500
    assert "COVERING INDEX Task_in_pages" in " ".join(_plan(site, _ids_query(statements, "Task")))
    # Which shots pass is a question about a field without an index; of tasks, none is looked at in the table.
    assert [table for table in _table_scans(site, statements) if table.startswith("Task")] == []


def test_what_nothing_linked_passes_is_no_question_about_the_rows(site: LocalSite) -> None:
    """A deep filter that no shot passes, and its opposite, look at no link of a task."""
    nothing = "entity.Shot.sg_sequence.Sequence.code", "nothing"
    for operator, found in (("is", 0), ("is_not", 500)):
        statements, rows = _read(site, "Task", _where(nothing[0], operator, nothing[1]))
        assert len(rows) == found
        assert "entity" not in _ids_query(statements, "Task")[0]


@pytest.mark.parametrize("operator", ["is_not", "not_in"])
def test_a_negative_deep_filter_walks_through_the_narrow_index(site: LocalSite, operator: str) -> None:
    """The tasks that are not of a sequence come out in the order of the index of pages."""
    statements, rows = _read(
        site, "Task", _where("entity.Shot.sg_sequence.Sequence.code", operator, "S07"), page=9
    )
    assert len(rows) == 4400 - 8 * 500
    assert "Task_in_pages" in " ".join(_plan(site, _ids_query(statements, "Task")))
    assert _table_scans(site, statements) == []


def test_a_late_page_without_a_filter_never_touches_the_rows_before_it(site: LocalSite) -> None:
    """Where the ninth page begins is found in the index of pages."""
    statements, rows = _read(site, "Task", page=9)
    assert len(rows) == 500
    assert "Task_in_pages" in " ".join(_plan(site, _ids_query(statements, "Task")))
    assert _table_scans(site, statements) == []


@pytest.mark.parametrize("path", ["id", "entity.Shot.id", "entity.Shot.code", "content"])
def test_ten_thousand_values_are_looked_up_in_an_index(site: LocalSite, path: str) -> None:
    """`in` with 10,000 values asks the index for each of them."""
    values: list[Any] = list(range(10_000, 20_000))
    if path in ("entity.Shot.code", "content"):
        values = [f"nothing {n}" for n in values]
    values.append({"entity.Shot.code": "S0000", "content": "task 0"}.get(path, 1))
    statements, rows = _read(site, "Task", _where(path, "in", *values))
    assert len(rows) == (TASKS_OF_EACH if path.startswith("entity") else 1)
    assert _table_scans(site, statements) == []
    assert _table_scans(site, statements, "Shot") == []


def test_ten_thousand_links_are_looked_up_in_an_index(site: LocalSite) -> None:
    """`in` with 10,000 shots asks the index of the link for each of them."""
    links = [{"type": "Shot", "id": n} for n in range(10_000, 20_000)]
    statements, rows = _read(site, "Task", _where("entity", "in", *links))
    assert rows == []
    assert _table_scans(site, statements) == []


def test_the_statements_of_a_page_do_not_grow_with_its_rows(site: LocalSite) -> None:
    """One row with deep fields costs as many statements as five hundred: one for each hop and type of link."""
    few, rows = _read(site, "Task", fields=DEEP_FIELDS, per_page=1)
    many, more = _read(site, "Task", fields=DEEP_FIELDS)
    assert (len(rows), len(more)) == (1, 500)
    assert len(few) == len(many)
    # Who asks, the ids, then tasks, projects, shots, sequences and the names of sequences. No task has a step.
    assert len(many) == 7


def test_a_small_read_is_three_statements(site: LocalSite) -> None:
    """A row by its id costs three statements: who asks, whether it is there, its values."""
    statements, rows = _read(site, "Shot", _where("id", "is", 1), fields=["code", "sg_cut_in"], per_page=1)
    assert len(rows) == 1
    assert len(statements) == 3
    assert _table_scans(site, statements, "Shot") == []


def test_rows_are_not_counted_unless_that_is_asked_for(site: LocalSite) -> None:
    """A page says whether another follows without a statement that counts."""
    statements, _ = _read(site, "Task")
    assert not any("count(" in sql for sql, _ in statements)


def _where(path: str, relation: str, *values: Any) -> dict[str, Any]:
    return {
        "logical_operator": "and",
        "conditions": [{"path": path, "relation": relation, "values": list(values)}],
    }


def _read(
    site: LocalSite,
    entity_type: str,
    filters: dict[str, Any] | None = None,
    *,
    fields: list[str] | None = None,
    page: int = 1,
    per_page: int = 500,
) -> tuple[list[Statement], list[dict[str, Any]]]:
    """The statements that a read runs, and its rows."""
    params = {
        "type": entity_type,
        "return_fields": fields or ["id"],
        "filters": filters or {"logical_operator": "and", "conditions": []},
        "return_only": "active",
        "paging": {"entities_per_page": per_page, "current_page": page},
        "return_paging_info_without_counts": True,
    }
    with _watched() as statements:
        envelope = site.engine.answer({"method_name": "read", "params": [_credentials(site), params]})
    return statements, envelope["results"]["entities"]


@contextmanager
def _watched() -> Iterator[list[Statement]]:
    statements: list[Statement] = []

    def note(
        connection: Connection, cursor: Any, sql: str, values: Any, context: Any, executemany: bool
    ) -> None:
        if sql.startswith("SELECT"):
            statements.append((sql, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _plan(site: LocalSite, statement: Statement) -> list[str]:
    sql, values = statement
    with site.engine.store.reading() as connection:
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]


def _ids_query(statements: list[Statement], entity_type: str) -> Statement:
    """The statement that finds the ids of the page."""
    found = [
        each for each in statements if each[0].startswith(f'SELECT "{entity_type}_') and "OFFSET" in each[0]
    ]
    return found[-1]


def _table_scans(site: LocalSite, statements: list[Statement], entity_type: str = "Task") -> list[str]:
    """The walks through the table of a type; through an index of it is no such walk."""
    steps = [step for each in statements for step in _plan(site, each)]
    tables = [
        step.removeprefix("SCAN ") for step in steps if step.startswith("SCAN ") and "USING" not in step
    ]
    return [table for table in tables if table.partition("_")[0] == entity_type]


def _credentials(site: LocalSite) -> dict[str, str]:
    return {"script_name": site.script_name, "script_key": site.api_key}


def _line(entity_type: str, row_id: int, **values: Any) -> dict[str, Any]:
    return {"type": entity_type, "id": row_id, "values": values}
