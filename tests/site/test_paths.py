"""Field paths: which exist, where they lead, and which of them lead to many rows."""

from __future__ import annotations

import pytest

from sgsession.site.queries.paths import resolve

from .specimens import schema


@pytest.mark.parametrize(
    ("entity_type", "text", "field", "many", "allowed"),
    [
        ("Shot", "code", "Shot.code", False, True),
        ("Shot", "sg_sequence.Sequence.code", "Sequence.code", False, True),
        ("Task", "entity.Shot.sg_sequence.Sequence.project.Project.name", "Project.name", False, True),
        ("Shot", "assets.Asset.code", "Asset.code", True, True),
        ("Shot", "sg_sequence.Asset.code", "Asset.code", False, False),
        ("Task", "$FROM$EventLogEntry.entity.id", "EventLogEntry.id", True, True),
        ("Task", "entity.Shot.$FROM$Version.entity.user.HumanUser.login", "HumanUser.login", True, True),
    ],
)
def test_a_path_leads_to_a_field(entity_type: str, text: str, field: str, many: bool, allowed: bool) -> None:
    """The field at the end, whether several rows may be reached, and whether the valid types allow it."""
    path = resolve(schema(), entity_type, text)
    assert path is not None
    assert path.text == text
    assert (f"{path.field.entity_type}.{path.field.name}", path.is_many, path.is_allowed) == (
        field,
        many,
        allowed,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "bogus",
        "type",
        "sg_sequence.",
        "sg_sequence.Sequence",
        "sg_sequence.Sequence.",
        "sg_sequence.Sequence.bogus",
        "sg_sequence.Bogus.code",
        "sg_sequence..code",
        "code.Shot.code",
        "$FROM$",
        "$FROM$Version",
        "$FROM$Version.entity",
        "$FROM$Version.code.id",
        "$FROM$Bogus.entity.id",
        "parent_shots.Shot." * 61 + "code",
        "x" * 100_000,
    ],
)
def test_an_unknown_path_leads_nowhere(text: str) -> None:
    """Whatever is not a field of the schema resolves to nothing, and never raises."""
    assert resolve(schema(), "Shot", text) is None


def test_long_paths_resolve() -> None:
    """Sixty hops are followed; nobody's schema is deeper."""
    path = resolve(schema(), "Task", "template_task.Task." * 60 + "content")
    assert path is not None
    assert len(path.hops) == 60
