"""`sgsession find`: rows as lines, tables, JSON and CSV."""

from __future__ import annotations

import csv
import json
from typing import Any

from sgsession.site import LocalSite


def test_rows_are_lines_of_tabs_and_the_count_goes_to_stderr(sgsession: Any) -> None:
    """Piped, a row is a line of its id and the asked fields, without header; stderr tells how many."""
    run = sgsession("find", "Shot", "-f", "code,sg_sequence", "--limit", "2")
    assert (run.status, run.out, run.err) == (0, "234\tAA_001\tAA\n235\tAA_002\tAA\n", "2 Shots\n")


def test_one_request(sgsession: Any, demo_site: LocalSite) -> None:
    """A page of rows costs one read, and only the asked fields are asked for."""
    sgsession("find", "Task", "-f", "content")
    reads = [request.params for request in demo_site.requests if request.method == "read"]
    assert [read["return_fields"] for read in reads] == [["content"]]


def test_filters_before_and_behind_options(sgsession: Any) -> None:
    """Filters may stand anywhere; all must match, with --any one is enough."""
    both = sgsession("find", "Shot", "sg_sequence=Sequence:201", "-f", "code", "sg_status_list=fin")
    one = sgsession("find", "Shot", "code=AA_001", "--any", "-f", "code", "code=BB_001")
    assert [row[1] for row in both.rows] == ["AA_001"]
    assert [row[1] for row in one.rows] == ["AA_001", "BB_001"]


def test_deep_fields_braces_and_display_names(sgsession: Any) -> None:
    """Braces expand, deep fields have their value, `name` of a link is its display name, lists are joined."""
    run = sgsession("find", "Task", "id=456", "-f", "entity.{Asset,Shot}.{name,code}, task_assignees")
    assert run.rows == [["456", "", "", "AA_001", "AA_001", "Ada Lindqvist"]]


def test_order(sgsession: Any) -> None:
    """--order sorts, and -FIELD as a word of its own sorts from the last to the first."""
    up = sgsession("find", "Shot", "-f", "code", "--order", "code", "--limit", "1")
    down = sgsession("find", "Shot", "-f", "code", "--order", "-code", "--limit", "1")
    assert (up.rows, down.rows) == ([["234", "AA_001"]], [["245", "TEASER_001"]])


def test_json(sgsession: Any) -> None:
    """JSON has type, id and the asked fields; a link is its type, id and name."""
    run = sgsession("find", "Shot", "code=AA_001", "-f", "sg_sequence,sg_cut_in", "--json")
    sequence = {"type": "Sequence", "id": 201, "name": "AA"}
    assert json.loads(run.out) == [{"type": "Shot", "id": 234, "sg_sequence": sequence, "sg_cut_in": 1001}]


def test_csv(sgsession: Any) -> None:
    """CSV has a header and is read back by Python's reader."""
    run = sgsession("find", "Note", "-f", "content", "--csv")
    header, *rows = csv.reader(run.out.splitlines())
    assert header == ["id", "content"]
    assert rows[1] == ["902", "The client would like the lantern warmer, by half a stop."]


def test_without_fields_the_important_ones(sgsession: Any) -> None:
    """Without -f come the important fields, and the display name of a type that has none."""
    assert sgsession("find", "shot", "id=234").rows == [["234", "AA_001", "Demo Project", "AA"]]
    assert sgsession("find", "Note", "id=901").rows[0][1].startswith("Horizon slides")


def test_retired(sgsession: Any, demo_site: LocalSite) -> None:
    """--retired looks among the deleted ones."""
    client = demo_site.connect()
    created = client.create("Shot", {"code": "GONE", "project": {"type": "Project", "id": 124}})
    client.delete("Shot", created["id"])
    client.close()
    assert sgsession("find", "Shot", "code=GONE").out == ""
    assert sgsession("find", "Shot", "code=GONE", "-f", "code", "--retired").rows == [
        [str(created["id"]), "GONE"]
    ]


def test_values_never_break_a_line(sgsession: Any, demo_site: LocalSite) -> None:
    """Line ends, tabs and escape characters inside a value are shown as escapes."""
    client = demo_site.connect()
    data = {"content": "a\tb\nc\x1b[31m", "project": {"type": "Project", "id": 124}}
    note = client.create("Note", data)
    run = sgsession("find", "Note", f"id={note['id']}", "-f", "content")
    client.delete("Note", note["id"])
    client.close()
    assert run.out == f"{note['id']}\ta\\tb\\nc\\x1b[31m\n"


def test_nothing_found_is_no_error(sgsession: Any) -> None:
    """No rows: nothing on stdout, the count on stderr, status 0."""
    assert sgsession("find", "Shot", "code=NOPE") == (0, "", "0 Shots\n")
