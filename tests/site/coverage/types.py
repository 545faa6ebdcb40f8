"""Every entity type of wire.md 6.2: is it there, and does a row of it live."""

from __future__ import annotations

from sgsession.site.faults import SiteFault
from tests.site.direct_calls import Direct

from .ground import words

# As wire.md 6.2 lists them; of the numbered ones the first and the last.
RECORDED = (
    "Project", "Episode", "Sequence", "Shot", "Asset", "Task", "Step", "Version", "PublishedFile",
    "PublishedFileType", "Note", "Reply", "Attachment", "Playlist", "HumanUser", "ApiUser", "ClientUser", "Group",
    "Department", "Status", "Icon", "Tag", "TaskTemplate", "LocalStorage", "Page", "EventLogEntry", "TimeLog",
    "Booking", "Phase", "PipelineConfiguration", "Software", "Delivery", "Cut", "CutItem", "Ticket",
    "PermissionRuleSet", "TaskDependency", "PlaylistVersionConnection", "CustomEntity01", "CustomEntity50",
    "CustomNonProjectEntity01", "CustomNonProjectEntity30", "CustomThreadedEntity01", "CustomThreadedEntity15",
    "Revision", "FilesystemLocation",
)  # fmt: skip
CUSTOM = tuple(name for name in RECORDED if name.startswith("Custom"))
STEPS = ("create", "find", "update", "delete", "revive")


def lives(direct: Direct, name: str) -> dict[str, str]:
    """What becomes of a row of that type at each step of its life."""
    entity_type = direct.store.schema.types[name]
    values = {"project": direct.project} if entity_type.project_required else {}
    for end in entity_type.ends:
        (target,) = entity_type.fields[end].valid_types
        values[end] = direct.project if target == "Project" else direct.link(direct.make_any(target))
    if name == "Project":
        values["name"] = "another"
    if name == "Reply":
        values["entity"] = direct.make("Note")
    found = dict.fromkeys(STEPS, "-")
    try:
        row = direct.link(direct.create(name, **values))
    except SiteFault as fault:
        return {**found, "create": words(fault)}
    text = next(
        (each.name for each in entity_type.fields.values() if each.editable and each.data_type == "text"),
        None,
    )
    steps = {
        "create": lambda: True,
        "find": lambda: row in [direct.link(each) for each in direct.find(name)],
        "update": lambda: direct.update(row, **({text: "new"} if text else {}))["id"] == row["id"],
        "delete": lambda: direct.delete(row) and row not in [direct.link(each) for each in direct.find(name)],
        "revive": lambda: direct.revive(row) and row in [direct.link(each) for each in direct.find(name)],
    }
    for step, act in steps.items():
        try:
            found[step] = "Y" if act() else "otherwise"
        except SiteFault as fault:
            # Which id the row has depends on all that was probed before.
            message = fault.message.replace(f" {row['id']} ", " N ")
            found[step] = f"refused: {words(message)}"
    return found
