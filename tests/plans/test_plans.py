"""Every plan driven by hand, once: what it asks, and what it makes of the answer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from sgsession import Entity, Session
from sgsession.errors import EntityNotFoundError, SyntaxProblem
from sgsession.graph.wire import WireRows, WireValues
from sgsession.plans import fetching, hierarchy, pages, people, reading, writing
from sgsession.plans.plan import IDS_PER_REQUEST, HandedOut, Request

SHOT_FIELDS = [
    "updated_at", "code", "project", "sg_sequence", "project.Project.updated_at", "project.Project.name",
    "sg_sequence.Sequence.updated_at", "sg_sequence.Sequence.code", "sg_sequence.Sequence.project",
]  # fmt: skip
SEQUENCE_FIELDS = ["updated_at", "code", "project", "project.Project.updated_at", "project.Project.name"]
SHOT = {"type": "Shot", "id": 1}
_NO_MORE = object()


@pytest.fixture
def session() -> Session:
    """A session without a site: these tests are the driver."""
    return Session(False)


@pytest.fixture(autouse=True)
def no_read_stays_open(session: Session) -> Iterator[None]:
    """However a plan ends, the graph waits for no answer afterwards."""
    yield
    assert not session.graph.under_way()
    assert not session.graph.writes


def drive(plan: Any, *answers: list[Any]) -> tuple[list[list[Request]], Any]:
    """All requests of a plan, as it begins them, and its value. The answers to those of a turn are a list."""
    asked: list[list[Request]] = []
    begun = 0
    given = iter(answer for several in answers for answer in several)
    answer = None
    try:
        while True:
            if requests := plan.send(answer):
                asked.append(requests)
            begun += len(requests) - 1
            assert begun >= 0, "it waits for an answer to nothing"
            answer = next(given, _NO_MORE)
            if answer is _NO_MORE:
                break
    except StopIteration as end:
        return asked, end.value
    raise AssertionError(f"The plan asks for more: {asked[-1]}")


def test_find(session: Session) -> None:
    """One request with expanded and important fields, options only where they say something."""
    graph, importance = session.graph, session.importance
    options = {
        "order": [{"column": "code", "direction": "desc"}],
        "limit": 5,
        "page": 0,
        "retired_only": False,
        "filter_operator": "any",
    }
    filters = [["code", "is", "AA"], ["project", "is", session.merge({"type": "Project", "id": 1})]]
    asked, found = drive(
        reading.find(graph, importance, "Shot", filters, ["{sg_cut_in,description}", "code"], options),
        [
            [
                {
                    **SHOT,
                    "code": "AA",
                    "description": None,
                    "sg_sequence": {"type": "Sequence", "id": 5, "name": "SQ"},
                    "sg_sequence.Sequence.code": "SQ",
                }
            ]
        ],
    )
    [[request]] = asked
    assert request.method == "find"
    assert request.args == (
        "Shot",
        filters,
        ["sg_cut_in", "description", "code", *(field for field in SHOT_FIELDS if field != "code")],
    )
    assert request.kwargs == {
        "order": [{"field_name": "code", "direction": "desc"}],
        "limit": 5,
        "filter_operator": "any",
    }
    assert options["order"] == [{"column": "code", "direction": "desc"}]
    [shot] = found
    assert shot is session.merge(SHOT)
    assert shot["sg_sequence"]["code"] == "SQ"
    assert shot.exists(check=False) is True
    with pytest.raises(KeyError, match="the site has no field"):
        shot["sg_cut_in"]


def test_find_without_merging(session: Session) -> None:
    """The client's own rows, the caller's own fields, and nothing learnt."""
    rows = [{**SHOT, "code": "AA"}]
    asked, found = drive(
        reading.find(
            session.graph, session.importance, "Shot", [], None, {}, merge=False, add_default_fields=False
        ),
        [rows],
    )
    assert asked == [[Request("find", ("Shot", [], []), {})]]
    assert found == rows
    assert len(session.graph.identity) == 0


def streamed(plan: Any, *answers: Any) -> tuple[list[list[Request]], list[list[int]]]:
    """All requests of a stream, as it begins them, and the ids of what it hands out, page by page."""
    asked: list[list[Request]] = []
    pages: list[list[int]] = []
    given = iter(answers)
    state = next(plan)
    with contextlib.suppress(StopIteration):
        while True:
            if isinstance(state, HandedOut):
                pages.append([row["id"] for row in state.rows])
                state = plan.send(None)
            else:
                asked.append(state)
                state = plan.send(next(given))
    return asked, pages


def shots(*ids: int) -> list[dict[str, Any]]:
    """Rows of shots."""
    return [{"type": "Shot", "id": id} for id in ids]


@pytest.mark.parametrize("merge", [True, False])
def test_find_iter_by_id(session: Session, merge: bool) -> None:
    """Each page is what follows the last id; an empty page is turned over, since only the site says where it ends."""
    values = WireValues(lambda text: text, None)
    asked, found = streamed(
        pages.find_iter(
            session.graph,
            session.importance,
            "Shot",
            [["code", "is", "A"]],
            None,
            {},
            per_page=2,
            merge=merge,
        ),
        WireRows(shots(1, 4), values, True),
        WireRows([], values, True),
        WireRows(shots(5), values, True),
        WireRows(shots(9), values, False),
    )
    assert found == [[1, 4], [5], [9]]
    given = {"filter_operator": "all", "filters": [["code", "is", "A"]]}
    after = [[given, ["id", "greater_than", id]] for id in (4, 4, 5)]
    assert [request.args[1] for [request] in asked] == [[["code", "is", "A"]], *after]
    assert [request.kwargs["page"] for [request] in asked] == [1, 1, 2, 1]
    assert len(session.graph.identity) == (4 if merge else 0)


def test_find_iter_by_number(session: Session) -> None:
    """Several pages at once, all but one of which go on while rows are handed out; what comes twice is given once."""
    values = WireValues(lambda text: text, None)
    asked, found = streamed(
        pages.find_iter(
            session.graph, session.importance, "Shot", [], None, {}, per_page=2, async_count=9, connections=3
        ),
        WireRows(shots(9, 4), values, True),
        WireRows(shots(4, 5), values, True),
        WireRows([], values, True),
        WireRows(shots(7), values, False),
    )
    assert [[request.kwargs["page"] for request in requests] for requests in asked] == [
        [1, 2, 3],
        [4],
        [5],
        [6],
    ]
    assert found == [[9, 4], [5], [7]]


def test_find_iter_asks_for_no_page_that_a_limit_excludes(session: Session) -> None:
    """Of five rows, two pages hold three; where they turn out short, one more is asked for."""
    values = WireValues(lambda text: text, None)
    asked, found = streamed(
        pages.find_iter(
            session.graph,
            session.importance,
            "Shot",
            [],
            None,
            {},
            per_page=2,
            async_count=4,
            limit=3,
            connections=8,
        ),
        WireRows(shots(1), values, True),
        WireRows(shots(2), values, True),
        WireRows(shots(3, 4), values, True),
    )
    assert [[request.kwargs["page"] for request in requests] for requests in asked] == [[1, 2], [], [3]]
    assert found == [[1], [2], [3]]


@pytest.mark.parametrize("async_count", [1, 3])
def test_find_iter_of_a_client_that_knows_no_pages(session: Session, async_count: int) -> None:
    """Mockgun gives all rows for each page: given once, and not asked for without end."""
    order = {"order": [{"field_name": "code", "direction": "asc"}]}
    asked, found = streamed(
        pages.find_iter(
            session.graph, session.importance, "Shot", [], None, order, per_page=2, async_count=async_count
        ),
        *[shots(1, 2, 3)] * 2,
    )
    assert len(asked) == 2
    assert found == [[1, 2, 3]]


@pytest.mark.parametrize(("row", "exists"), [(SHOT, True), (None, None)])
def test_find_one(session: Session, row: Any, exists: bool | None) -> None:
    """One request of the client's find_one; None where nothing matches."""
    asked, found = drive(
        reading.find_one(session.graph, session.importance, "Shot", [["id", "is", 1]], "code", {}), [row]
    )
    assert [
        [(request.method, request.args[0], request.kwargs) for request in requests] for requests in asked
    ] == [[("find_one", "Shot", {})]]
    assert (found and found.exists(check=False)) == exists


def test_find_one_among_the_retired(session: Session) -> None:
    """What is found among the retired does not exist."""
    _, found = drive(
        reading.find_one(session.graph, session.importance, "Shot", [], None, {"retired_only": True}), [SHOT]
    )
    assert found.exists(check=False) is False


def test_get(session: Session) -> None:
    """One request for the ids that are not known, each once; order, doubles and kind of sequence are kept."""
    known = session.merge(SHOT)
    asked, found = drive(
        reading.get(session.graph, session.importance, "Shot", (3, 1, 2, 3), None, True),
        [[{"type": "Shot", "id": 3, "code": "C"}]],
    )
    assert asked == [[Request("find", ("Shot", [["id", "in", [3, 2]]], SHOT_FIELDS))]]
    assert [entity and entity["id"] for entity in found] == [3, 1, None, 3]
    assert type(found) is tuple
    assert found[1] is known


def test_get_what_is_known_or_not_wanted_from_the_site(session: Session) -> None:
    """Nothing is asked for a known id, for no ids, and with fetch=False."""
    known = session.merge(SHOT)
    assert drive(reading.get(session.graph, session.importance, "Shot", 1, None, True)) == ([], known)
    assert drive(reading.get(session.graph, session.importance, "Shot", [], None, True)) == ([], [])
    assert drive(reading.get(session.graph, session.importance, "Shot", [1, 2], None, False)) == (
        [],
        [known, None],
    )


def test_get_asks_for_fields_that_are_lacking(session: Session) -> None:
    """A known entity without a wanted field is asked for; afterwards the field is known, or known to be none."""
    session.merge(SHOT)
    asked, shot = drive(
        reading.get(session.graph, session.importance, "Shot", 1, ["code", "sg_nothing"], True),
        [[{**SHOT, "code": "A"}]],
    )
    assert [request.args[1] for request in asked[0]] == [[["id", "in", [1]]]]
    assert shot["code"] == "A"
    assert drive(reading.get(session.graph, session.importance, "Shot", 1, ["code", "sg_nothing"], True)) == (
        [],
        shot,
    )


def test_get_cuts_many_ids_into_requests_side_by_side(session: Session) -> None:
    """500 ids a request, all yielded at once."""
    plan = reading.get(session.graph, session.importance, "Shot", list(range(1, 1202)), None, True)
    requests = next(plan)
    assert [len(request.args[1][0][2]) for request in requests] == [IDS_PER_REQUEST, IDS_PER_REQUEST, 201]
    plan.close()


def test_summarize(session: Session) -> None:
    """The site's answer, untouched."""
    fields = [{"field": "id", "type": "count"}]
    options = {"filter_operator": None, "grouping": None, "include_archived_projects": False}
    asked, found = drive(
        reading.summarize(session.graph, "Task", [["entity", "is", None]], fields, options),
        [{"summaries": {"id": 3}, "groups": []}],
    )
    [[request]] = asked
    assert (request.method, request.args) == ("summarize", ("Task", [["entity", "is", None]], fields))
    assert request.kwargs["include_archived_projects"] is False
    assert "filter_operator" not in request.kwargs
    assert found == {"summaries": {"id": 3}, "groups": []}


def test_fetch(session: Session) -> None:
    """One request for each type, of those that lack a field; what the site leaves out is remembered."""
    shots = session.merge([{**SHOT, "code": "A"}, {"type": "Shot", "id": 2}])
    asset = session.merge({"type": "Asset", "id": 1})
    asked, found = drive(
        fetching.fetch(session.graph, session.importance, [*shots, asset, shots[1]], ["code"]),
        [[{"type": "Shot", "id": 2, "code": "B"}], [{"type": "Asset", "id": 1}]],
    )
    assert [(request.method, request.args[0], request.args[1]) for request in asked[0]] == [
        ("find", "Shot", [["id", "in", [2]]]),
        ("find", "Asset", [["id", "in", [1]]]),
    ]
    assert found is None
    assert [shot["code"] for shot in shots] == ["A", "B"]
    assert drive(fetching.fetch(session.graph, session.importance, [*shots, asset], ["code"])) == ([], None)


def test_fetch_by_force(session: Session) -> None:
    """Known fields are asked for again, and the answer wins."""
    shot = session.merge({**SHOT, "code": "A"})
    asked, _ = drive(
        fetching.fetch(session.graph, session.importance, shot, "code", force=True), [[{**SHOT, "code": "B"}]]
    )
    assert len(asked) == len(asked[0]) == 1
    assert shot["code"] == "B"


def test_fetch_of_what_is_not_there(session: Session) -> None:
    """The others are merged, the error names the missing ones, and they are known not to exist."""
    shots = session.merge([SHOT, {"type": "Shot", "id": 2}])
    with pytest.raises(EntityNotFoundError, match="Shot:2") as caught:
        drive(fetching.fetch(session.graph, session.importance, shots, "code"), [[{**SHOT, "code": "A"}]])
    assert caught.value.keys == (("Shot", 2),)
    assert shots[0]["code"] == "A"
    assert [shot.exists(check=False) for shot in shots] == [True, False]


def test_fetch_core(session: Session) -> None:
    """All important fields, those of important links included; the second time nothing."""
    shot = session.merge(SHOT)
    row = {
        **SHOT, "code": "A", "updated_at": None, "project": {"type": "Project", "id": 1}, "sg_sequence": None,
        "project.Project.name": "P", "project.Project.updated_at": None, "sg_sequence.Sequence.code": None,
    }  # fmt: skip
    asked, _ = drive(fetching.fetch_core(session.graph, session.importance, [shot]), [[row]])
    assert asked == [[Request("find", ("Shot", [["id", "in", [1]]], SHOT_FIELDS))]]
    assert drive(fetching.fetch_core(session.graph, session.importance, [shot])) == ([], None)


def test_filter_exists(session: Session) -> None:
    """Asks by id alone, by type, for those of which it is not known; gives a set of those that are there."""
    shots = session.merge([SHOT, {"type": "Shot", "id": 2}, {"type": "Shot", "id": 3}])
    session.graph.saw([shots[2]], True)
    task = session.merge({"type": "Task", "id": 1})
    asked, found = drive(fetching.filter_exists(session.graph, [*shots, task], True, False), [[SHOT], []])
    assert asked == [
        [
            Request("find", ("Shot", [["id", "in", [1, 2]]], ["id"])),
            Request("find", ("Task", [["id", "in", [1]]], ["id"])),
        ]
    ]
    assert found == {shots[0], shots[2]}
    assert drive(fetching.filter_exists(session.graph, shots, True, False)) == ([], {shots[0], shots[2]})
    asked, _ = drive(fetching.filter_exists(session.graph, shots, False, True), [[SHOT]])
    assert asked[0][0].args[1] == [["id", "in", [1, 2, 3]]]


def test_filter_exists_without_asking(session: Session) -> None:
    """What is not known counts as there."""
    shot = session.merge(SHOT)
    assert drive(fetching.filter_exists(session.graph, [shot], False, False)) == ([], {shot})


def test_fetch_backrefs(session: Session) -> None:
    """One read of the other type, filtered by the link; afterwards the tasks hang on the shot."""
    shot = session.merge(SHOT)
    asked, found = drive(
        fetching.fetch_backrefs(session.graph, session.importance, [shot], "Task", "entity"),
        [[{"type": "Task", "id": 7, "entity": SHOT, "content": "Anim"}]],
    )
    [[request]] = asked
    assert (request.method, request.args[:2]) == ("find", ("Task", [["entity", "in", [SHOT]]]))
    assert {"entity", "content", "entity.Shot.code"} <= set(request.args[2])
    assert found is None
    assert [task["id"] for task in shot.backrefs[("Task", "entity")]] == [7]
    assert drive(fetching.fetch_backrefs(session.graph, session.importance, [], "Task", "entity")) == (
        [],
        None,
    )


def _task_row(number: int) -> dict[str, Any]:
    """A task with its whole chain, the way deep fields bring it."""
    project = {"type": "Project", "id": 1, "name": "P"}
    shot, sequence = "entity.Shot", "entity.Shot.sg_sequence.Sequence"
    return {
        "type": "Task", "id": number, "content": "Anim", "updated_at": None, "project": project, "step": None,
        "project.Project.name": "P", "project.Project.updated_at": None,
        "entity": {"type": "Shot", "id": 1, "name": "A"},
        f"{shot}.code": "A", f"{shot}.updated_at": None, f"{shot}.project": project,
        f"{shot}.sg_sequence": {"type": "Sequence", "id": 5, "name": "SQ"},
        f"{sequence}.code": "SQ", f"{sequence}.updated_at": None, f"{sequence}.project": project,
    }  # fmt: skip


def test_fetch_hierarchy(session: Session) -> None:
    """One read for all tasks brings the whole chain; known, it costs nothing."""
    tasks = session.merge([{"type": "Task", "id": number} for number in (1, 2)])
    asked, above = drive(
        hierarchy.fetch_hierarchy(session.graph, session.importance, tasks), [[_task_row(1), _task_row(2)]]
    )
    [[request]] = asked
    assert (request.method, request.args[:2]) == ("find", ("Task", [["id", "in", [1, 2]]]))
    assert {
        "entity",
        "entity.Shot.sg_sequence",
        "entity.Shot.sg_sequence.Sequence.project",
        "entity.Asset.project",
    } <= set(request.args[2])
    assert sorted(entity.key for entity in above) == [
        ("Project", 1),
        ("Sequence", 5),
        ("Shot", 1),
        ("Task", 1),
        ("Task", 2),
    ]
    assert above[:1] == tasks[:1]
    assert drive(hierarchy.fetch_hierarchy(session.graph, session.importance, tasks)) == ([], above)


def test_fetch_hierarchy_goes_on_where_no_chain_foresaw(session: Session) -> None:
    """A parent of another type is asked for in another read; a missing one ends the climb."""
    task = session.merge({"type": "Task", "id": 1})
    row = {
        **{key: value for key, value in _task_row(1).items() if "entity" not in key},
        "entity": {"type": "Level", "id": 3, "name": "E"},
    }
    plan = hierarchy.fetch_hierarchy(session.graph, session.importance, [task])
    assert next(plan)[0].args[0] == "Task"
    [request] = plan.send([row])
    assert request.args[:2] == ("Level", [["id", "in", [3]]])
    with pytest.raises(StopIteration) as end:
        plan.send([])
    # What hangs on something that is not there any more belongs to its project all the same.
    assert [entity.key for entity in end.value.value] == [("Task", 1), ("Level", 3), ("Project", 1)]


def test_fetch_hierarchy_of_what_is_not_there(session: Session) -> None:
    """A given entity that the site does not have is an error that names it."""
    task = session.merge({"type": "Task", "id": 1})
    with pytest.raises(EntityNotFoundError, match="Task:1"):
        drive(hierarchy.fetch_hierarchy(session.graph, session.importance, task), [[]])


def test_fetch_hierarchy_of_a_cycle_of_parents_ends(session: Session) -> None:
    """Where parents lead round, each is climbed once."""
    session.parent_fields = {"Asset": "parent"}
    session.important_links = {}
    session.important_fields = {}
    one, other = session.merge(
        [
            {
                "type": "Asset",
                "id": 1,
                "updated_at": None,
                "parent": {
                    "type": "Asset",
                    "id": 2,
                    "updated_at": None,
                    "parent": {"type": "Asset", "id": 1},
                },
            },
            {"type": "Asset", "id": 2},
        ]
    )
    assert drive(hierarchy.fetch_hierarchy(session.graph, session.importance, one)) == ([], [one, other])


def test_parent_of(session: Session) -> None:
    """One request where the link is not known; an empty link leads to the project."""
    shot = session.merge(SHOT)
    asked, parent = drive(
        hierarchy.parent_of(session.graph, session.importance, shot),
        [[{**SHOT, "sg_sequence": None, "project": {"type": "Project", "id": 1}}]],
    )
    assert [(request.method, request.args[:2]) for request in asked[0]] == [
        ("find", ("Shot", [["id", "in", [1]]]))
    ]
    assert {"sg_sequence", "project"} <= set(asked[0][0].args[2])
    assert parent.key == ("Project", 1)
    assert drive(hierarchy.parent_of(session.graph, session.importance, shot)) == ([], parent)
    assert drive(hierarchy.parent_of(session.graph, session.importance, parent)) == ([], None)


def test_project_of(session: Session) -> None:
    """One request a type: those above and beside that lack their project are asked in the same breath."""
    project = {"type": "Project", "id": 1}
    task, sibling = session.merge([{"type": "Task", "id": number, "entity": SHOT} for number in (1, 2)])
    asked, found = drive(
        hierarchy.project_of(session.graph, session.importance, task),
        [
            [{"type": "Task", "id": number, "project": project} for number in (1, 2)],
            [{**SHOT, "project": project}],
        ],
    )
    assert [(request.args[0], request.args[1][0][2]) for request in asked[0]] == [
        ("Task", [1, 2]),
        ("Shot", [1]),
    ]
    assert found.key == ("Project", 1)
    for entity in (sibling, task["entity"], found):
        assert drive(hierarchy.project_of(session.graph, session.importance, entity)) == ([], found)


def test_create(session: Session) -> None:
    """Data and keywords together, own important fields returned, deep ones not asked."""
    data = {"code": "A", "sg_note": None}
    asked, shot = drive(
        writing.create(session.graph, session.importance, "Shot", data, ["description"], {"code": "B"}),
        [{**SHOT, "code": "B", "sg_note": None, "description": "d"}],
    )
    assert asked == [
        [
            Request(
                "create",
                (
                    "Shot",
                    {"code": "B", "sg_note": None},
                    ["description", "updated_at", "code", "project", "sg_sequence"],
                ),
            )
        ]
    ]
    assert data == {"code": "A", "sg_note": None}
    assert shot is session.merge(SHOT)
    assert (shot["description"], shot.exists(check=False)) == ("d", True)


@pytest.mark.parametrize(
    "arguments",
    [
        lambda shot: ("Shot", 1, {"code": "B"}, {}),
        lambda shot: ("Shot", 1, None, {"code": "B"}),
        lambda shot: (shot, {"code": "B"}, None, {}),
        lambda shot: (shot, None, {"code": "B"}, {}),
        lambda shot: (shot, None, None, {"code": "B"}),
        lambda shot: (shot, {"code": "A"}, None, {"code": "B"}),
    ],
    ids=["type id data", "type id fields", "entity data", "entity data=", "entity fields", "both"],
)
def test_update_of_one(session: Session, arguments: Any) -> None:
    """Every form is one request of the client's update, and its answer wins."""
    shot = session.merge({**SHOT, "code": "A"})
    target, entity_id, data, fields = arguments(shot)
    asked, found = drive(
        writing.update(session.graph, target, entity_id, data, None, fields), [{**SHOT, "code": "B"}]
    )
    assert asked == [[Request("update", ("Shot", 1, {"code": "B"}))]]
    assert found is shot
    assert shot["code"] == "B"


def test_update_of_several(session: Session) -> None:
    """A list of entities is one transaction, with the modes in each of its parts; an empty one asks nothing."""
    entities = session.merge([SHOT, {"type": "Asset", "id": 2}])
    asked, found = drive(
        writing.update(session.graph, entities, {"code": "B"}, None, {"tags": "add"}, {}),
        [[{**SHOT, "code": "B"}, {"type": "Asset", "id": 2, "code": "B"}]],
    )
    part = {"request_type": "update", "data": {"code": "B"}, "multi_entity_update_modes": {"tags": "add"}}
    assert asked == [
        [
            Request(
                "batch",
                (
                    [
                        {**part, "entity_type": "Shot", "entity_id": 1},
                        {**part, "entity_type": "Asset", "entity_id": 2},
                    ],
                ),
            )
        ]
    ]
    assert found == entities
    assert drive(writing.update(session.graph, [], {"code": "B"}, None, None, {})) == ([], [])


def test_update_takes_an_old_client_s_list(session: Session) -> None:
    """A list of one row, as old clients answer, is the row."""
    _, shot = drive(
        writing.update(session.graph, "Shot", 1, {"code": "B"}, {"tags": "set"}, {}),
        [[{**SHOT, "code": "B"}]],
    )
    assert shot["code"] == "B"


@pytest.mark.parametrize(("target", "entity_id"), [("Shot", 1), (None, None)], ids=["type and id", "entity"])
@pytest.mark.parametrize(
    ("plan", "method", "exists"), [(writing.retire, "delete", False), (writing.revive, "revive", True)]
)
def test_retire_and_revive(
    session: Session, plan: Any, method: str, exists: bool, target: Any, entity_id: Any
) -> None:
    """One request; the session keeps the entity, and knows whether it is there."""
    shot = session.merge({**SHOT, "code": "A"})
    asked, changed = drive(plan(session.graph, target or shot, entity_id), [True])
    assert asked == [[Request(method, ("Shot", 1))]]
    assert changed is True
    assert shot.exists(check=False) is exists
    assert session.merge(SHOT) is shot
    assert drive(plan(session.graph, target or shot, entity_id), [False])[1] is False


def test_batch(session: Session) -> None:
    """One request; an entity for each create and update, what the client says for each delete."""
    shot = session.merge(SHOT)
    requests = [
        {"request_type": "create", "entity_type": "Shot", "data": {"code": "N"}},
        {"request_type": "update", "entity_type": "Shot", "entity_id": 1, "data": {"code": "B"}},
        {"request_type": "delete", "entity_type": "Shot", "entity_id": 1},
    ]
    before = repr(requests)
    asked, found = drive(
        writing.batch(session.graph, session.importance, requests),
        [[{"type": "Shot", "id": 9, "code": "N"}, {**SHOT, "code": "B"}, True]],
    )
    [[request]] = asked
    assert (request.method, request.kwargs) == ("batch", {})
    assert request.args[0][0]["return_fields"] == ["updated_at", "code", "project", "sg_sequence"]
    assert request.args[0][1:] == requests[1:]
    assert repr(requests) == before
    assert [found[0].key, found[1], found[2]] == [("Shot", 9), shot, True]
    assert (shot["code"], shot.exists(check=False)) == ("B", False)
    assert drive(writing.batch(session.graph, session.importance, [])) == ([], [])


def test_guess_user(session: Session) -> None:
    """One find_one among the people who are not disabled, by login or by the condition."""
    asked, person = drive(
        people.guess_user(
            session.graph, session.importance, "ada", ("email", "starts_with", "{login}@"), ["department"]
        ),
        [{"type": "HumanUser", "id": 11, "login": "ada"}],
    )
    [[request]] = asked
    assert (request.method, request.args[0]) == ("find_one", "HumanUser")
    assert request.args[1] == [
        {"filter_operator": "any", "filters": [["login", "is", "ada"], ["email", "starts_with", "ada@"]]},
        ["sg_status_list", "is_not", "dis"],
    ]
    assert request.args[2][0] == "department"
    assert person.key == ("HumanUser", 11)


@pytest.mark.parametrize(
    "row",
    [
        None,
        {"type": "Page", "id": 9, "project": None},
        {"type": "Page", "id": 9, "project": {"type": "Project", "id": 1}},
    ],
)
def test_project_of_page(session: Session, row: Any) -> None:
    """The project behind a page, or None."""
    asked, project = drive(people.project_of_page(session.graph, session.importance, 9), [row])
    assert [(request.method, request.args[:2]) for request in asked[0]] == [
        ("find_one", ("Page", [["id", "is", 9]]))
    ]
    assert (project and project["id"]) == (1 if row and row["project"] else None)


PLANS = {
    "find": lambda s: reading.find(s.graph, s.importance, "Shot", [], None, {}),
    "find_iter": lambda s: pages.find_iter(s.graph, s.importance, "Shot", [], None, {}),
    "find_iter by number": lambda s: pages.find_iter(
        s.graph, s.importance, "Shot", [], None, {}, async_count=3
    ),
    "find_one": lambda s: reading.find_one(s.graph, s.importance, "Shot", [], None, {}),
    "get": lambda s: reading.get(s.graph, s.importance, "Shot", [7, 8], None, True),
    "summarize": lambda s: reading.summarize(s.graph, "Shot", [], [], {}),
    "fetch": lambda s: fetching.fetch(s.graph, s.importance, s.merge(SHOT), "code"),
    "fetch_core": lambda s: fetching.fetch_core(s.graph, s.importance, s.merge(SHOT)),
    "filter_exists": lambda s: fetching.filter_exists(s.graph, s.merge(SHOT), True, False),
    "fetch_backrefs": lambda s: fetching.fetch_backrefs(
        s.graph, s.importance, s.merge(SHOT), "Task", "entity"
    ),
    "fetch_hierarchy": lambda s: hierarchy.fetch_hierarchy(s.graph, s.importance, s.merge(SHOT)),
    "parent_of": lambda s: hierarchy.parent_of(s.graph, s.importance, s.merge(SHOT)),
    "project_of": lambda s: hierarchy.project_of(s.graph, s.importance, s.merge(SHOT)),
    "create": lambda s: writing.create(s.graph, s.importance, "Shot", {}, None, {}),
    "update": lambda s: writing.update(s.graph, s.merge(SHOT), {"code": "B"}, None, None, {}),
    "update several": lambda s: writing.update(s.graph, [s.merge(SHOT)], {"code": "B"}, None, None, {}),
    "retire": lambda s: writing.retire(s.graph, s.merge(SHOT), None),
    "revive": lambda s: writing.revive(s.graph, s.merge(SHOT), None),
    "batch": lambda s: writing.batch(
        s.graph, s.importance, [{"request_type": "delete", "entity_type": "Shot", "entity_id": 1}]
    ),
    "guess_user": lambda s: people.guess_user(s.graph, s.importance, "ada", ("login", "is", "{login}"), []),
    "project_of_page": lambda s: people.project_of_page(s.graph, s.importance, 9),
}


@pytest.mark.parametrize("problem", [ValueError("site"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("make", PLANS.values(), ids=PLANS)
def test_what_a_request_raises_goes_through_and_changes_nothing(
    session: Session, make: Any, problem: BaseException
) -> None:
    """The plan ends with the very exception; no read stays open, and nothing is learnt."""
    shot = session.merge(SHOT)
    plan = make(session)
    assert all(isinstance(request, Request) for request in next(plan))
    with pytest.raises(type(problem)) as caught:
        plan.throw(problem)
    assert caught.value is problem
    assert not session.graph.under_way()
    assert dict(shot) == SHOT
    assert shot.exists(check=False) is None
    assert len(session.graph.identity) == 1


@pytest.mark.parametrize("make", PLANS.values(), ids=PLANS)
def test_a_plan_that_is_given_up_leaves_no_read_open(session: Session, make: Any) -> None:
    """Closing it, as cancellation and garbage collection do, is enough."""
    plan = make(session)
    next(plan)
    plan.close()
    assert not session.graph.under_way()


@pytest.mark.parametrize(
    "make",
    [
        lambda s: reading.find(s.graph, s.importance, "Shot", "code", None, {}),
        lambda s: reading.find(s.graph, s.importance, "Shot", [], ["{code"], {}),
        lambda s: reading.find(s.graph, s.importance, "Shot", [], ["entity.Shot"], {}),
        lambda s: reading.find(s.graph, s.importance, "Shot", [], [None], {}),
        lambda s: reading.find(s.graph, s.importance, "Shot", [], 5, {}),
        lambda s: reading.find(s.graph, s.importance, "Shot", [], None, {"order": ["code"]}),
        lambda s: reading.find(s.graph, s.importance, "Shot", [], None, {"order": "code"}),
        lambda s: writing.update(s.graph, s.merge(SHOT), {"assets": []}, None, "add", {}),
        lambda s: writing.retire(s.graph, [s.merge(SHOT)], None),
        lambda s: people.guess_user(s.graph, s.importance, "ada", "login", []),
        lambda s: reading.get(s.graph, s.importance, "Shot", "7", None, True),
        lambda s: reading.get(s.graph, s.importance, "Shot", [True], None, True),
        lambda s: writing.update(s.graph, "Shot", None, {}, None, {}),
        lambda s: writing.update(s.graph, s.merge(SHOT), {"a": 1}, {"b": 1}, None, {}),
        lambda s: writing.update(s.graph, s.merge(SHOT), 5, None, None, {}),
        lambda s: writing.create(s.graph, s.importance, "Shot", ["code"], None, {}),
        lambda s: writing.retire(s.graph, "Shot", "7"),
        lambda s: writing.batch(s.graph, s.importance, {"request_type": "delete"}),
        lambda s: writing.batch(s.graph, s.importance, [{"request_type": "remove", "entity_type": "Shot"}]),
        lambda s: writing.batch(
            s.graph, s.importance, [{"request_type": "update", "entity_type": "Shot", "entity_id": 1}]
        ),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_is_asked(session: Session, make: Any) -> None:
    """A SyntaxProblem at the first step, no request."""
    with pytest.raises(SyntaxProblem):
        next(make(session))


@pytest.mark.parametrize(
    "stranger", [None, 5, "Shot", [5], {"type": "Shot", "id": 1}, [{"type": "Shot", "id": 1}]]
)
def test_what_is_no_entity_is_a_type_error(session: Session, stranger: Any) -> None:
    """Plain dicts and the like are refused where entities are taken."""
    for make in (
        lambda: fetching.fetch(session.graph, session.importance, stranger, "code"),
        lambda: fetching.filter_exists(session.graph, stranger, True, False),
        lambda: hierarchy.fetch_hierarchy(session.graph, session.importance, stranger),
    ):
        with pytest.raises(TypeError):
            next(make())
    assert not isinstance(stranger, Entity)
