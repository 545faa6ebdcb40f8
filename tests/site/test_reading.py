"""`read`: the fields of its rows, their order, their pages, and which rows it shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from sgsession.site.queries.reading import rows

from .specimens import Site, all_of, link, stored

PROJECT, ARCHIVED, TEMPLATE = link("Project", 1), link("Project", 2), link("Project", 3)
FILE = {"url": "https://a/b", "name": "doc", "content_type": None, "link_type": "web"}

PRODUCTION: list[tuple[str, list[dict[str, Any]]]] = [
    ("Project", [{"id": 1, "name": "Demo", "image": None}, {"id": 2, "name": "Old", "archived": True},
                 {"id": 3, "name": "Model", "is_template": True}]),
    ("Sequence", [{"id": 1, "code": "SQ2", "project": PROJECT}, {"id": 2, "code": "sq1", "project": PROJECT}]),
    ("Asset", [{"id": 1, "code": "Lamp", "project": PROJECT}, {"id": 2, "code": "Door", "project": PROJECT}]),
    ("Shot", [
        {"id": 1, "code": "b", "sg_sequence": link("Sequence", 1), "project": PROJECT, "sg_cut_in": 10,
         "assets": [link("Asset", 2), link("Asset", 1)]},
        {"id": 2, "code": "A", "sg_sequence": link("Sequence", 2), "project": PROJECT, "sg_cut_in": 5},
        {"id": 3, "code": "c", "project": ARCHIVED, "sg_cut_in": 5},
        {"id": 4, "code": "gone", "project": PROJECT, "sg_sequence": link("Sequence", 1),
         "assets": [link("Asset", 1)]},
    ]),
    ("Step", [{"id": 1, "code": "Comp", "list_order": 9}, {"id": 2, "code": "Model", "list_order": 3},
              {"id": 3, "code": "Idle"}]),
    ("Task", [
        {"id": 1, "content": "comp", "entity": link("Shot", 1), "step": link("Step", 1), "project": PROJECT,
         "tags": [link("Tag", 2), link("Tag", 1)]},
        {"id": 2, "content": "model", "entity": link("Asset", 1), "step": link("Step", 2), "project": PROJECT,
         "upstream_tasks": [link("Task", 1)]},
        {"id": 3, "content": "lost", "entity": link("Shot", 4), "project": PROJECT},
    ]),
    ("Tag", [{"id": 1, "name": "Night"}, {"id": 2, "name": "Rain"}]),
    ("Version", [
        {"id": 1, "code": "v1", "entity": link("Shot", 1), "sg_task": link("Task", 1), "project": PROJECT,
         "created_at": "2024-01-01T00:00:00Z", "sg_uploaded_movie": FILE},
        {"id": 2, "code": "v2", "entity": link("Shot", 1), "sg_task": link("Task", 2), "project": PROJECT,
         "created_at": "2024-01-02T00:00:00Z"},
        {"id": 3, "code": "v3", "entity": link("Shot", 2), "project": PROJECT,
         "created_at": "2024-01-03T00:00:00Z"},
        {"id": 4, "code": "v0", "entity": link("Asset", 1), "project": PROJECT},
    ]),
    ("Note", [
        {"id": 1, "subject": "one", "note_links": [link("Shot", 1)], "project": PROJECT, "sg_status_list": "opn"},
        {"id": 2, "subject": "two", "note_links": [link("Shot", 1)], "project": PROJECT, "sg_status_list": "clsd"},
        {"id": 3, "subject": "three", "note_links": [link("Shot", 1)], "project": PROJECT, "sg_status_list": "ip"},
    ]),
    ("Playlist", [{"id": 1, "code": "dailies", "project": PROJECT,
                   "versions": [link("Version", 1), link("Version", 4), link("Version", 3)]}]),
    ("Cut", [{"id": 1, "code": "cut", "project": PROJECT, "revision_number": 2},
             {"id": 2, "code": "cut", "project": PROJECT, "revision_number": 3}]),
    ("CutItem", [{"id": 1, "code": "item", "cut": link("Cut", 1), "shot": link("Shot", 2), "project": PROJECT}]),
    ("PublishedFile", [
        {"id": 1, "code": "f", "entity": link("Shot", 1), "version_number": 1, "project": PROJECT},
        {"id": 2, "code": "f", "entity": link("Shot", 1), "version_number": 3, "project": PROJECT},
        {"id": 3, "code": "g", "entity": link("Shot", 2), "version_number": 2, "project": PROJECT},
    ]),
    ("Specimen", [
        {"id": 1, "number": 5, "later": 1, "list_order": 2, "text": "b", "entity": link("Shot", 1)},
        {"id": 2, "number": None, "later": 2, "text": "A", "entity": link("Shot", 2)},
        {"id": 3, "number": 3, "later": 1, "list_order": 1, "text": None},
        {"id": 4, "number": 5, "later": 2, "text": "c", "entity": link("Asset", 2)},
    ]),
]  # fmt: skip


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with stored(*PRODUCTION) as site:
        site.retire("Shot", 4)
        yield site


def test_every_row_has_its_type_and_id(site: Site) -> None:
    """Even if nothing was asked for."""
    assert site.read("Shot", return_fields=[])["entities"][0] == {"type": "Shot", "id": 1}
    assert site.read("Shot")["entities"][1] == {"type": "Shot", "id": 2}


FIELDS = [
    ("code", "comp", False),
    ("content", "comp", True),
    ("entity", {"type": "Shot", "id": 1, "name": "b"}, True),
    ("entity.Shot.code", "b", True),
    ("entity.Asset.code", None, True),
    ("entity.Shot.sg_sequence", {"type": "Sequence", "id": 1, "name": "SQ2"}, True),
    ("entity.Shot.sg_sequence.Sequence.project.Project.name", "Demo", True),
    (
        "entity.Shot.assets",
        [{"type": "Asset", "id": i, "name": n} for i, n in ((1, "Lamp"), (2, "Door"))],
        True,
    ),
    ("entity.Shot.image", None, True),
    ("project.Project.archived", False, True),
    ("step.Step.list_order", 9, True),
    ("task_template.TaskTemplate.code", None, True),
    ("tag_list", ["Night", "Rain"], True),
    ("cached_display_name", "comp", True),
    ("entity.Shot.open_notes_count", 2, True),
    ("entity.Shot.assets.Asset.code", None, False),
    ("entity.Shot.bogus", None, False),
    ("entity.Bogus.code", None, False),
    ("entity.Note.subject", None, False),
    ("task_assignees.HumanUser.login", None, False),
    ("$FROM$Version.sg_task.code", None, False),
    ("bogus", None, False),
]


@pytest.mark.parametrize(("field", "value", "present"), FIELDS)
def test_a_requested_field_reads_its_value_or_is_left_out(
    site: Site, field: str, value: Any, present: bool
) -> None:
    """Known fields are there under the name they were asked for; unknown ones vanish (wire.md 3.3)."""
    row = site.row("Task", 1, field)
    assert (field in row) == present
    if present:
        assert row[field] == value


def test_a_link_to_a_retired_row_reads_null(site: Site) -> None:
    """And so does everything behind it; it drops out of lists."""
    fields = ("entity", "entity.Shot.code", "entity.Shot.assets", "entity.Shot.sg_sequence.Sequence.code")
    row = site.row("Task", 3, *fields)
    assert [row[field] for field in fields] == [None] * 4
    assert [shot["id"] for shot in site.row("Asset", 1, "shots")["shots"]] == [1]
    assert [shot["id"] for shot in site.row("Sequence", 1, "shots")["shots"]] == [1]


def test_a_file_reads_as_a_dict_but_not_through_a_link(site: Site) -> None:
    """`url` fields are absent when they are asked for with dots."""
    assert site.row("Version", 1, "sg_uploaded_movie")["sg_uploaded_movie"] == FILE
    with stored(("Project", [{"id": 1, "name": "a", "billboard": FILE}]),
                ("Shot", [{"id": 1, "code": "b", "project": PROJECT}])) as other:  # fmt: skip
        assert other.row("Shot", 1, "project.Project.billboard") == {"type": "Shot", "id": 1}


def test_the_two_ends_of_a_relation_show_the_same_links(site: Site) -> None:
    """One store, two fields; the versions of a playlist go by name."""
    assert [note["id"] for note in site.row("Shot", 1, "notes")["notes"]] == [1, 2, 3]
    assert [note["id"] for note in site.row("Shot", 1, "open_notes")["open_notes"]] == [1, 3]
    assert [each["name"] for each in site.row("Playlist", 1, "versions")["versions"]] == ["v0", "v1", "v3"]
    assert [each["id"] for each in site.row("Version", 3, "playlists")["playlists"]] == [1]
    assert site.row("Shot", 3, "notes", "open_notes_count") == {
        "type": "Shot", "id": 3, "notes": [], "open_notes_count": 0,
    }  # fmt: skip


def test_dependencies_tell_the_task_of_the_template(site: Site) -> None:
    """The elements of dependency lists carry one more key."""
    expected = {"type": "Task", "id": 1, "name": "comp", "template_task_id": None}
    assert site.row("Task", 2, "upstream_tasks")["upstream_tasks"] == [expected]
    assert site.row("Task", 2, "downstream_tasks")["downstream_tasks"] == []


def test_rows_come_in_the_order_of_their_ids_as_given(site: Site) -> None:
    """The core that writes answer with: any order, repeated and missing ids, retired rows too."""
    with site.call("read") as call:
        assert [row["id"] for row in rows(call, "Shot", [4, 99, 1, 4], ["code"])] == [4, 1, 4]
        assert rows(call, "Shot", [4], ["code"]) == [{"type": "Shot", "id": 4, "code": "gone"}]
        assert rows(call, "Shot", [4, 1], [], retired=True) == [{"type": "Shot", "id": 4}]
        assert rows(call, "Shot", [4, 1], [], retired=False) == [{"type": "Shot", "id": 1}]
        assert rows(call, "Shot", [], ["code", "assets"]) == []


def test_rows_of_a_page_do_not_cost_a_query_each() -> None:
    """The statements of a read depend on its fields, not on the number of its rows."""
    fields = ["code", "sg_sequence", "sg_sequence.Sequence.code", "project.Project.name", "assets", "notes"]
    counts = []
    for number in (2, 200):
        shots = [{"id": i, "code": "x", "project": PROJECT, "sg_sequence": link("Sequence", 1)}
                 for i in range(1, number + 1)]  # fmt: skip
        with stored(PRODUCTION[0], PRODUCTION[1], ("Shot", shots)) as site, site.call("read") as call:
            statements: list[str] = []
            event.listen(
                call.connection,
                "before_cursor_execute",
                lambda *given, told=statements: told.append(given[2]),
            )
            assert len(rows(call, "Shot", range(1, number + 1), fields)) == number
            counts.append(len(statements))
    # Shots, sequences, projects; the names of sequences; the lists of assets and of notes.
    assert counts == [6, 6]


def test_every_entity_type_reads_with_all_its_fields(site: Site) -> None:
    """Whatever the schema holds can be asked for, sorted and filtered by project."""
    for entity_type in site.store.schema.types.values():
        project = entity_type.fields.get("project")
        nodes = [("project", "is", PROJECT)] if project is not None and project.data_type == "entity" else []
        found = site.read(
            entity_type.name,
            all_of(*nodes),
            return_fields=list(entity_type.fields),
            sorts=[{"field_name": "created_at", "direction": "desc"}],
        )
        for row in found["entities"]:
            assert row.keys() == {"type", *entity_type.fields}


SORTS = [
    ([], [1, 2, 3, 4]),
    ([("number", "asc")], [2, 3, 1, 4]),
    ([("number", "desc")], [1, 4, 3, 2]),
    ([("later", "asc"), ("number", "desc")], [1, 3, 4, 2]),
    ([("text", "asc")], [3, 2, 1, 4]),
    ([("text", "desc")], [4, 1, 2, 3]),
    ([("list_order", "asc")], [3, 1, 2, 4]),
    ([("list_order", "desc")], [1, 3, 2, 4]),
    ([("entity", "asc")], [3, 2, 1, 4]),
    ([("entity", "desc")], [4, 1, 2, 3]),
    ([("entity.Shot.code", "asc")], [3, 4, 2, 1]),
    ([("entity.Shot.sg_sequence.Sequence.code", "desc")], [1, 2, 3, 4]),
    ([("entity.Shot.sg_sequence", "asc")], [3, 4, 2, 1]),
    ([("id", "desc")], [4, 3, 2, 1]),
    ([("entity.Shot.sg_cut_in", "asc"), ("entity.Shot.code", "asc")], [3, 4, 2, 1]),
    ([("bogus", "desc")], [1, 2, 3, 4]),
    ([("url", "desc"), ("summary", "desc"), ("serializable", "desc"), ("password", "desc")], [1, 2, 3, 4]),
    ([("multi_entity", "desc"), ("multi_entity.Shot.code", "asc"), ("image", "asc")], [1, 2, 3, 4]),
    ([("id", "desc"), ("id", "asc")], [4, 3, 2, 1]),
]


@pytest.mark.parametrize(("sorts", "expected"), SORTS)
def test_rows_are_sorted(site: Site, sorts: list[tuple[str, str]], expected: list[int]) -> None:
    """Nulls first ascending and last descending, links by name, ties by id (wire.md 3.5)."""
    given = [{"field_name": name, "direction": direction} for name, direction in sorts]
    assert site.ids("Specimen", sorts=given) == expected


@pytest.mark.parametrize("field", ["uuid", "pivot_column"])
def test_some_types_cannot_be_sorted_by(site: Site, field: str) -> None:
    """A real site fails to read, and so does this one."""
    words = site.refusal("Specimen", sorts=[{"field_name": field, "direction": "asc"}])
    assert words.startswith("API read() CRUD ERROR #1: Read failed for entity type [Specimen]")


def test_more_joins_than_a_database_takes_are_refused(site: Site) -> None:
    """A sort key too far away is a fault, not a crash."""
    path = "template_task.Task." * 58 + "content"
    words = site.refusal("Task", sorts=[{"field_name": path, "direction": "asc"}])
    assert "too many linked rows" in words


@pytest.mark.parametrize(
    "sorts", [{}, ["code"], [{"field_name": 5}], [{"field_name": "id", "direction": "up"}]]
)
def test_malformed_sorts_are_refused(site: Site, sorts: Any) -> None:
    """A sort names a field and a direction."""
    assert "'sorts'" in site.refusal("Specimen", sorts=sorts)


def paging(per_page: Any, page: Any) -> dict[str, Any]:
    return {"entities_per_page": per_page, "current_page": page}


@pytest.mark.parametrize(
    ("per_page", "page", "expected", "more"),
    [(2, 1, [1, 2], True), (2, 2, [3, 4], False), (2, 3, [], False), (3, 2, [4], False), (4, 1, [1, 2, 3, 4], False),
     (10**30, 1, [1, 2, 3, 4], False), (10**30, 10**30, [], False)],
)  # fmt: skip
def test_pages(site: Site, per_page: int, page: int, expected: list[int], more: bool) -> None:
    """The rows of each page, and whether there is a next one."""
    found = site.read("Specimen", paging=paging(per_page, page), return_paging_info_without_counts=True)
    assert [row["id"] for row in found["entities"]] == expected
    assert found["paging_info"] == {"has_next_page": more}


def test_paging_info_comes_only_when_asked_for(site: Site) -> None:
    """And counts only in the older form."""
    assert "paging_info" not in site.read("Specimen", return_paging_info_without_counts=False)
    info = site.read("Specimen", paging=paging(3, 2), return_paging_info=True)["paging_info"]
    assert info == {
        "current_page": 2, "page_count": 2, "entity_count": 4, "entities_per_page": 3, "has_next_page": False,
    }  # fmt: skip
    info = site.read("Specimen", all_of(("id", "is", 9)), return_paging_info=True)["paging_info"]
    assert (info["current_page"], info["page_count"], info["entity_count"]) == (0, 0, 0)


@pytest.mark.parametrize("value", [None, "foo", 0, -1, True, 1.5])
def test_invalid_paging_is_refused(site: Site, value: Any) -> None:
    """In the recorded words, with a dump of the paging."""
    words = site.refusal("Shot", paging=paging(value, 1))
    assert words.startswith("API read() invalid/missing integer 'paging' 'entities_per_page':\n{")
    words = site.refusal("Shot", paging=paging(1, value))
    assert words.startswith("API read() invalid/missing integer 'paging' 'current_page':\n{")
    assert "'paging' 'entities_per_page':\nnil" in site.refusal("Shot", paging=None)


@pytest.mark.parametrize("entity_type", ["TankType", "", None, 5, ["Shot"]])
def test_an_unknown_entity_type_is_refused(site: Site, entity_type: Any) -> None:
    """With the prefix that others match on."""
    words = site.refusal(entity_type)
    assert words.startswith("API read() invalid/missing string entity 'type':\n{\"type\"=>")


def test_malformed_arguments_are_refused(site: Site) -> None:
    """Neither `return_only` nor `return_fields` may be just anything."""
    assert "'return_only'" in site.refusal("Shot", return_only="both")
    assert "'return_fields'" in site.refusal("Shot", return_fields="code")


def test_retired_rows_show_only_when_asked_for(site: Site) -> None:
    """With all their values, links to living rows included."""
    assert site.ids("Shot") == [1, 2, 3]
    found = site.read("Shot", return_only="retired", return_fields=["code", "sg_sequence", "assets"])
    assert found["entities"] == [{
        "type": "Shot", "id": 4, "code": "gone", "sg_sequence": {"type": "Sequence", "id": 1, "name": "SQ2"},
        "assets": [{"type": "Asset", "id": 1, "name": "Lamp"}],
    }]  # fmt: skip


def test_archived_projects_and_their_rows_can_be_left_out(site: Site) -> None:
    """Rows without a project stay."""
    assert site.ids("Shot", include_archived_projects=False) == [1, 2]
    assert site.ids("Project", include_archived_projects=False) == [1]
    assert site.ids("Tag", include_archived_projects=False) == [1, 2]
    with stored(("Attachment", [{"id": 1}])) as other:
        assert other.ids("Attachment", include_archived_projects=False) == [1]


def test_template_projects_show_to_those_who_ask(site: Site) -> None:
    """A filter on `is_template`, wherever it stands, brings them along."""
    assert site.ids("Project") == [1, 2]
    assert site.ids("Project", ("is_template", "is", True)) == [3]
    assert site.ids("Project", all_of(all_of(("is_template", "is_not", False)))) == [3]


def preset(name: str, **parameters: Any) -> dict[str, Any]:
    return {"preset_name": name, **parameters}


NEWEST = preset("LATEST", latest_by="ENTITIES_CREATED_AT")
BY_STEP = preset("LATEST", latest_by="BY_PIPELINE_STEP_NUMBER_AND_ENTITIES_CREATED_AT")
OF_CUT = preset("CUT_SHOT_VERSIONS", cut_id=1)


@pytest.mark.parametrize(
    ("entity_type", "nodes", "presets", "expected"),
    [
        ("Version", [], [NEWEST], [2, 3, 4]),
        ("Version", [("id", "is", 1)], [NEWEST], [1]),
        ("Version", [], [BY_STEP], [1, 3, 4]),
        ("Version", [], [OF_CUT], [3]),
        ("Version", [], [OF_CUT, NEWEST], [3]),
        ("Version", [("id", "is", 1)], [OF_CUT], []),
        ("Version", [], [preset("CUT_SHOT_VERSIONS", cut_id=9)], []),
        ("PublishedFile", [], [preset("LATEST", latest_by="VERSION_NUMBER")], [2]),
        ("PublishedFile", [], [NEWEST], [2, 3]),
        ("Cut", [], [preset("LATEST", latest_by="REVISION_NUMBER")], [2]),
        ("Version", [], [], [1, 2, 3, 4]),
    ],
)
def test_presets_narrow_what_the_filters_leave(
    site: Site, entity_type: str, nodes: list[Any], presets: list[Any], expected: list[int]
) -> None:
    """`LATEST` and `CUT_SHOT_VERSIONS`, over the filtered rows (wire.md 3.4)."""
    assert site.ids(entity_type, *nodes, additional_filter_presets=presets) == expected


@pytest.mark.parametrize(
    "presets",
    [{}, "LATEST", ["LATEST"], [{}], [preset("BOGUS")], [NEWEST, NEWEST], [preset("LATEST")],
     [preset("LATEST", latest_by="BOGUS")], [preset("LATEST", latest_by=["x"])], [preset("CUT_SHOT_VERSIONS")],
     [preset("CUT_SHOT_VERSIONS", cut_id="1")], [preset("CUT_SHOT_VERSIONS", cut_id=2**70)], [{"preset_name": 5}]],
)  # fmt: skip
def test_malformed_presets_are_refused(site: Site, presets: Any) -> None:
    """Every way to get one wrong is a fault."""
    assert "'additional_filter_presets'" in site.refusal("Version", additional_filter_presets=presets)


def test_the_newest_files_without_an_entity_are_those_of_each_version() -> None:
    """A PublishedFile goes by its entity, else by its version (wire.md 3.4)."""
    versions = [{"id": number, "code": f"v{number}"} for number in (1, 2)]
    files = [
        {"id": number, "code": "f", "version": link("Version", version)}
        for number, version in enumerate((1, 1, 2, 2), 1)
    ]
    with stored(("Version", versions), ("PublishedFile", files)) as other:
        assert other.ids("PublishedFile", additional_filter_presets=[NEWEST]) == [2, 4]


def test_presets_belong_to_their_entity_types(site: Site) -> None:
    """A preset of another type is refused."""
    for presets in ([NEWEST], [OF_CUT]):
        assert "'additional_filter_presets'" in site.refusal("Shot", additional_filter_presets=presets)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.one_of(st.none(), st.text("aAb", max_size=2))),
             max_size=8),
    st.booleans(), st.booleans(), st.integers(1, 4),
)  # fmt: skip
def test_pages_of_a_sorted_read_are_the_sorted_rows(
    values: list[tuple[int | None, str | None]], first_down: bool, second_down: bool, per_page: int
) -> None:
    """Whatever the values and the page size, pages laid side by side are Python's own sort."""
    specimens = [{"id": n, "number": number, "text": text} for n, (number, text) in enumerate(values, 1)]
    with stored(("Specimen", specimens)) as site:
        sorts = [{"field_name": "number", "direction": "desc" if first_down else "asc"},
                 {"field_name": "text", "direction": "desc" if second_down else "asc"}]  # fmt: skip
        found: list[int] = []
        for page in range(1, 10):
            found += site.ids("Specimen", sorts=sorts, paging=paging(per_page, page))
    ordered = sorted(specimens, key=lambda row: row["id"])
    ordered.sort(
        key=lambda row: ((row["text"] or "") != "", (row["text"] or "").casefold()), reverse=second_down
    )
    # A reversed sort keeps the order of equal keys, so ids still ascend among them.
    ordered.sort(key=lambda row: (row["number"] is not None, row["number"] or 0), reverse=first_down)
    assert found == [row["id"] for row in ordered]
