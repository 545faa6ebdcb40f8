"""What may be written to a field of each data type, how it is refused, and how it reads back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgsession.site.data_types import DATA_TYPES, LinkList, data_type
from sgsession.site.faults import SiteFault
from sgsession.site.schema.schema_map import Field

from .specimens import link, schema, stored

FIELDS = schema().types["Specimen"].fields
UPDATE, CREATE = "API update() ", "API create() "
SHOT = link("Shot", 1)


def written(name: str, value: Any, method: str = "update", field: Field | None = None) -> dict[str, Any]:
    return data_type(name).stored(field or FIELDS[name], value, method)


def refusal(name: str, value: Any, method: str = "update", field: Field | None = None) -> SiteFault:
    with pytest.raises(SiteFault) as caught:
        written(name, value, method, field)
    return caught.value


ACCEPTED = [
    ("text", " a b\n", "a b"),
    ("text", "  ", None),
    ("text", "", None),
    ("text", "Ünï 😀 <b>", "Ünï 😀 <b>"),
    ("number", 12, 12),
    ("number", "-12", -12),
    ("number", None, None),
    ("number", 2**31 - 1, 2**31 - 1),
    ("float", 13.3, 13.3),
    ("float", 2, 2.0),
    ("float", "2.5", 2.5),
    ("float", 0.12345678, 0.123457),
    ("percent", 140, 140),
    ("duration", 61.9, 61),
    ("duration", "480", 480),
    ("timecode", 1000, 1000),
    ("currency", 2, 2.0),
    ("footage", "3-5", "3-05"),
    ("footage", "0-20", "1-04"),
    ("checkbox", True, True),
    ("checkbox", "false", False),
    ("date", "1968-10-13", "1968-10-13"),
    ("date", "", None),
    ("date_time", "2024-05-02T10:00:00+02:00", "2024-05-02T08:00:00Z"),
    ("date_time", "2024-05-02T10:00:00-0730", "2024-05-02T17:30:00Z"),
    ("date_time", "2024-05-02 10:00:00.75", "2024-05-02T10:00:00Z"),
    ("date_time", "2024-05-02", "2024-05-02T00:00:00Z"),
    ("list", "Alpha", "Alpha"),
    ("list", "", None),
    ("status_list", "ip", "ip"),
    ("system_task_type", "Alpha", "Alpha"),
    ("entity", {**SHOT, "name": "x", "code": []}, {**SHOT, "name": "one"}),
    ("entity", None, None),
    ("entity_type", "Shot", "Shot"),
    ("entity_type", "", None),
    ("color", "1, 2,03", "1,2,3"),
    ("color", "Green", "29,215,46"),
    ("color", None, None),
    ("uuid", "6F9619FF8B86D011B42D00CF4FC964FF", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"),
    ("serializable", {"b": [1, None], "a": "é"}, {"b": [1, None], "a": "é"}),
    ("serializable", [], []),
    ("jsonb", {"b": 1}, {"b": 1}),
    ("url", {"url": "https://a/b", "name": "doc"}, {"url": "https://a/b", "name": "doc"}),
    ("url", None, None),
    ("image", None, None),
]


def test_values_read_back_in_their_wire_form() -> None:
    """What is accepted reads as wire.md 5.1 says, through the database."""
    with stored(("Shot", [{"id": 1, "code": "one"}])) as site:
        rows = [{"id": number, name: value} for number, (name, value, _) in enumerate(ACCEPTED, 1)]
        for row in rows:
            site.load("Specimen", row)
        for row, (name, _, wire) in zip(rows, ACCEPTED, strict=True):
            assert site.row("Specimen", row["id"], name)[name] == wire, (name, wire)


@pytest.mark.parametrize("name", sorted(DATA_TYPES))
def test_a_row_never_written_to_reads_its_default(name: str) -> None:
    """Null, but `[]` for lists, false for checkboxes and stars for passwords."""
    with stored(("Specimen", [{"id": 1}])) as site:
        expected = {"checkbox": False, "password": "*******"}.get(name, [] if FIELDS[name].is_list else None)
        assert site.row("Specimen", 1, name)[name] == expected


CLASS_ERRORS = [
    ("text", 5, "[String, NilClass] data type(s) but got Integer: 5"),
    ("number", 2.5, "[String, Integer, NilClass] data type(s) but got Float: 2.5"),
    ("number", True, "[String, Integer, NilClass] data type(s) but got TrueClass: true"),
    ("float", [], "[String, BigDecimal, Float, NilClass] data type(s) but got Array: []"),
    ("percent", "12", '[Integer, NilClass] data type(s) but got String: "12"'),
    ("timecode", 1.0, "[Integer, NilClass] data type(s) but got Float: 1.0"),
    ("duration", False, "[String, Integer, Float, NilClass] data type(s) but got FalseClass: false"),
    ("footage", 3, "[String, NilClass] data type(s) but got Integer: 3"),
    ("checkbox", None, "[String, FalseClass, TrueClass] data type(s) but got NilClass: nil"),
    ("date", 5, "[String, NilClass] data type(s) but got Integer: 5"),
    ("date_time", 5, "[String, NilClass] data type(s) but got Integer: 5"),
    ("list", 5, "[String, NilClass] data type(s) but got Integer: 5"),
    ("entity_type", 5, "[String, NilClass] data type(s) but got Integer: 5"),
    ("uuid", 5, "[String, NilClass] data type(s) but got Integer: 5"),
    ("multi_entity", None, "[Array, Hash] data type(s) but got NilClass: nil"),
    ("addressing", "x", '[Array, Hash] data type(s) but got String: "x"'),
    ("tag_list", None, "[Array] data type(s) but got NilClass: nil"),
    ("tag_list", [1], "[String] data type(s) but got Integer: 1"),
    ("serializable", "x", '[Hash, Array, NilClass] data type(s) but got String: "x"'),
    ("password", None, "[String] data type(s) but got NilClass: nil"),
]


@pytest.mark.parametrize(("name", "value", "words"), CLASS_ERRORS)
def test_a_value_of_the_wrong_class_is_refused(name: str, value: Any, words: str) -> None:
    """The words of a real site: field, expected classes, what it got, and the dump."""
    fault = refusal(name, value)
    assert fault.message.startswith(f"{UPDATE}Specimen.{name} expected {words}:\n{{")
    assert f'"field_name"=>"{name}"' in fault.message
    assert fault.error_code == 103


INVALID = [
    ("number", "", "Invalid data for 'number' data type. Value: "),
    ("number", "2.5", "Invalid data for 'number' data type. Value: 2.5"),
    ("float", "1e999", "Invalid data for 'float' data type. Value: 1e999"),
    ("float", float("nan"), "Invalid data for 'float' data type. Value: nan"),
    ("float", 10**400, "Invalid data for 'float' data type. Value: 1000"),
    ("duration", "2:30", "Invalid data for 'duration' data type. Value: 2:30"),
    ("footage", "3", "Invalid data for 'footage' data type. Value: 3"),
    ("checkbox", "1", "Invalid data for 'checkbox' data type. Value: 1"),
    ("color", "1,2,256", "Invalid data for 'color' data type. Value: 1,2,256"),
    ("color", "pipeline_step", "Invalid data for 'color' data type. Value: pipeline_step"),
    ("date", "2024-02-30", "Invalid date format: 2024-02-30. Correct format is: 2011-01-21"),
    ("date", "2024-05-02T10:00:00Z", "Invalid date format: 2024-05-02T10:00:00Z. Correct format"),
    ("date_time", "", "Invalid date time format: . Correct format is 2011-01-21T13:26:09Z (UTC), "),
    ("date_time", "0001-01-01T00:00:00+01:00", "Invalid date time format: 0001-01-01T00:00:00+01:00."),
    ("date_time", "2024-05-02T10:00:00+24:30", "Invalid date time format: "),
    ("entity", {"id": 1}, "invalid/missing entity hash string 'type': {\"id\"=>1} Valid entity types: ["),
    ("entity", {"type": "Shot"}, 'invalid/missing entity hash integer \'id\': {"type"=>"Shot"}'),
    ("multi_entity", [{"type": "Shot", "id": "1"}], "invalid/missing entity hash integer 'id': "),
    ("image", {}, "Write access of the 'image' data type (Specimen.image) not yet supported in API"),
    ("url", {}, "invalid/missing url hash string 'url': {}"),
    ("summary", 1, "Specimen.summary is read only"),
    ("calculated", 1, "Specimen.calculated is read only"),
    ("pivot_column", 1, "Specimen.pivot_column is read only"),
]


@pytest.mark.parametrize(("name", "value", "words"), INVALID)
def test_a_malformed_value_is_refused(name: str, value: Any, words: str) -> None:
    """Requests that make no sense are refused with code 103."""
    fault = refusal(name, value)
    assert fault.message.startswith(UPDATE + words)
    assert fault.error_code == 103


FAILED = [
    ("number", 2**31, "Invalid statement."),
    ("list", "alpha", "'alpha' is not a valid list value. Valid list values: 'Alpha', 'beta'."),
    ("status_list", "x", "'x' is not a valid status. Valid statuses: 'wtg', 'ip', 'fin'."),
    ("text", "a\x00b", "string contains null byte"),
    ("text", "\ud800", 'invalid byte sequence for encoding "UTF8"'),
    ("uuid", "x", 'PG::InvalidTextRepresentation: ERROR:  invalid input syntax for type uuid: "x"'),
    ("serializable", {"a": float("inf")}, "Value is not legal."),
]


@pytest.mark.parametrize(("name", "value", "words"), FAILED)
def test_an_illegal_value_fails_in_the_data_layer(name: str, value: Any, words: str) -> None:
    """Values that only the database refuses carry code 104 and the update's CRUD number."""
    fault = refusal(name, value)
    assert fault.message == f"{UPDATE}CRUD ERROR #5: Update failed for [Specimen.{name}]: {words}"
    assert fault.error_code == 104


def test_create_words_its_failures_its_own_way() -> None:
    """The CRUD number of a create, the column's overflow, and the wrapped refusal of a list value."""
    start = f"{CREATE}CRUD ERROR #6: Create failed for [Specimen]: "
    assert refusal("number", -(2**31) - 1, "create").message == (
        f"{start}PG::NumericValueOutOfRange: ERROR:  integer out of range"
    )
    assert refusal("list", "x", "create").message == (
        f"{start}Invalid field value, update failed [5 - Update failed for [Specimen.list]: "
        "'x' is not a valid list value. Valid list values: 'Alpha', 'beta'.]"
    )


def test_the_colour_of_a_task_follows_its_step_and_is_never_null() -> None:
    """`pipeline_step` is a colour on Task alone; null is refused there alone."""
    color = schema().types["Task"].fields["color"]
    assert written("color", "pipeline_step", field=color) == {"color": "pipeline_step"}
    assert refusal("color", None, field=color).message.startswith(
        f"{UPDATE}Value cannot be nil for Task.color.:"
    )


def test_valid_types_bind_a_few_fields_only() -> None:
    """`project` takes a Project only; `Task.entity` takes whatever it is given."""
    task = schema().types["Task"].fields
    assert refusal("entity", SHOT, field=task["project"]).message == (
        f"{UPDATE}CRUD ERROR #5: Update failed for [Task.project]: Project expected, got Shot"
    )
    note = link("Note", 3)
    assert written("entity", note, field=task["entity"]) == {"entity__type": "Note", "entity__id": 3}


def test_a_list_of_links_is_a_set_that_keeps_its_order() -> None:
    """Duplicates collapse, a single hash is a list of one, and no column is written."""
    kind, field = data_type("multi_entity"), FIELDS["multi_entity"]
    assert isinstance(kind, LinkList)
    pair = [link("Shot", 2), {**SHOT, "name": "x"}, link("Shot", 2)]
    assert kind.elements(field, pair, "update") == [("Shot", 2), ("Shot", 1)]
    assert kind.elements(field, SHOT, "update") == [("Shot", 1)]
    assert kind.stored(field, pair, "update") == {}


def test_tags_are_names() -> None:
    """A tag list is a set of trimmed names."""
    kind = data_type("tag_list")
    assert isinstance(kind, LinkList)
    assert kind.elements(FIELDS["tag_list"], ["a", " a ", "b"], "update") == ["a", "b"]


def test_no_password_is_kept() -> None:
    """A password is checked and forgotten: nothing of it reaches a column."""
    assert written("password", "secret") == {}


@given(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()),
              st.dictionaries(st.text(), st.integers(), max_size=2)),
    st.sampled_from(sorted(DATA_TYPES)),
    st.sampled_from(["create", "update"]),
)  # fmt: skip
def test_any_value_is_stored_or_refused(value: Any, name: str, method: str) -> None:
    """Whatever JSON arrives, a write is either columns to bind or a fault in the site's form."""
    try:
        columns = written(name, value, method)
    except SiteFault as fault:
        words = fault.message
    else:
        words = f"API {method}() was obeyed"
        assert set(columns) == {column.name for column in data_type(name).columns(name)}
        assert all(bound is None or isinstance(bound, (str, int, float)) for bound in columns.values())
    assert words.startswith(f"API {method}() ")
