"""The entity types and fields that the cases use, copied by hand from wire.md 6.2 and 6.5."""

from __future__ import annotations

from dataclasses import dataclass

# Fields that nobody filters (wire.md 3.1).
UNFILTERABLE = {"url", "serializable", "summary", "calculated", "password", "pivot_column"}
INTEGERS = {"number", "percent", "duration", "timecode"}
NUMBERS = INTEGERS | {"float", "currency"}
LISTS = {"multi_entity", "addressing"}


@dataclass(frozen=True)
class Field:
    """One field: its data type, what it may link, and, where it is the other end, whose end it is."""

    data_type: str
    targets: tuple[str, ...] = ()
    # (type, field) of the end that is stored; this field then lists the rows that link here (6.5).
    other_end: tuple[str, str] | None = None
    values: tuple[str, ...] = ()
    # Only rows of these statuses are listed (`open_notes`).
    statuses: tuple[str, ...] = ()
    # `multi(any)`: the targets are those that the random productions link.
    any_type: bool = False


def entity(*targets: str) -> Field:
    return Field("entity", targets)


def many(*targets: str) -> Field:
    return Field("multi_entity", targets)


def back(entity_type: str, field: str) -> Field:
    return Field("multi_entity", (entity_type,), (entity_type, field))


def choice(*values: str) -> Field:
    return Field("list", values=values)


def status(*values: str) -> Field:
    return Field("status_list", values=values)


TEXT, NUMBER, FLOAT, DATE = Field("text"), Field("number"), Field("float"), Field("date")
DATE_TIME, CHECKBOX, COLOR, DURATION = (
    Field("date_time"), Field("checkbox"), Field("color"), Field("duration"),
)  # fmt: skip
PEOPLE = ("HumanUser", "Group")
_MADE = {"id": NUMBER, "created_at": DATE_TIME}
_PICTURE = {"image": Field("image")}
_NOTES = {
    "notes": back("Note", "note_links"),
    "open_notes": Field("multi_entity", ("Note",), ("Note", "note_links"), statuses=("opn", "ip", "rdy")),
    "open_notes_count": Field("summary"),
}
_TAGS = {"tags": many("Tag")}
_PROJECT = {"project": entity("Project")}
_COPIED = {"addressings_cc": Field("addressing", PEOPLE)}
_WORK = {"tasks": back("Task", "entity")}
_RESULTS = {"sg_versions": back("Version", "entity"), "sg_published_files": back("PublishedFile", "entity")}
_LINKED = ("Asset", "Sequence", "Shot")

TYPES: dict[str, dict[str, Field]] = {
    "Project": {
        **_MADE, **_PICTURE, **_TAGS, "name": TEXT, "code": TEXT, "archived": CHECKBOX, "is_template": CHECKBOX,
        "color": COLOR, "sg_description": TEXT, "sg_status": choice("Bidding", "Active", "Lost", "Hold"),
        "users": many("HumanUser"), "billboard": Field("url"), "tracking_settings": Field("serializable"),
    },
    "Sequence": {
        **_MADE, **_PICTURE, **_NOTES, **_TAGS, **_PROJECT, **_WORK, **_COPIED, **_RESULTS, "code": TEXT,
        "description": TEXT, "sg_status_list": status("wtg", "ip", "fin", "hld", "omt"), "assets": many("Asset"),
        "shots": back("Shot", "sg_sequence"),
    },
    "Shot": {
        **_MADE, **_PICTURE, **_NOTES, **_TAGS, **_PROJECT, **_WORK, **_COPIED, **_RESULTS, "code": TEXT,
        "description": TEXT, "cut_in": NUMBER, "head_in": NUMBER, "sg_cut_order": NUMBER,
        "sg_sequence": entity("Sequence"), "assets": many("Asset"), "shots": many("Shot"),
        "parent_shots": back("Shot", "shots"), "step_0": Field("pivot_column"),
        "sg_status_list": status("wtg", "rdy", "ip", "cbb", "fin", "hld", "omt"),
    },
    "Asset": {
        **_MADE, **_PICTURE, **_NOTES, **_TAGS, **_PROJECT, **_WORK, **_COPIED, **_RESULTS, "code": TEXT,
        "description": TEXT, "shots": back("Shot", "assets"), "sequences": back("Sequence", "assets"),
        "assets": many("Asset"), "parents": back("Asset", "assets"),
        "sg_asset_type": choice("Character", "Vehicle", "Prop", "Environment", "Matte Painting", "FX"),
        "sg_status_list": status("wtg", "rdy", "ip", "fin", "hld", "omt"),
    },
    "Task": {
        **_MADE, **_PICTURE, **_TAGS, **_PROJECT, **_COPIED, "content": TEXT, "sg_description": TEXT,
        "entity": entity(*_LINKED), "step": entity("Step"), "color": COLOR, "milestone": CHECKBOX,
        "start_date": DATE, "due_date": DATE, "duration": DURATION, "est_in_mins": DURATION,
        "sg_sort_order": NUMBER, "task_assignees": Field("multi_entity", PEOPLE),
        "task_reviewers": Field("multi_entity", PEOPLE), "notes": back("Note", "tasks"),
        "upstream_tasks": many("Task"), "downstream_tasks": back("Task", "upstream_tasks"),
        "splits": Field("serializable"), "workload": Field("calculated"),
        "sg_status_list": status("wtg", "rdy", "ip", "hld", "fin"),
    },
    "Version": {
        **_MADE, **_PICTURE, **_NOTES, **_TAGS, **_PROJECT, "code": TEXT, "description": TEXT,
        "entity": entity(*_LINKED), "sg_task": entity("Task"), "user": entity("HumanUser", "Group"),
        "flagged": CHECKBOX, "client_approved_at": DATE_TIME, "frame_count": NUMBER, "frame_range": TEXT,
        "sg_frames_aspect_ratio": FLOAT, "sg_movie_aspect_ratio": FLOAT, "sg_uploaded_movie": Field("url"),
        "playlists": back("Playlist", "versions"), "published_files": back("PublishedFile", "version"),
        "sg_status_list": status("na", "rev", "vwd"),
    },
    "PublishedFile": {
        **_MADE, **_PICTURE, **_TAGS, **_PROJECT, "code": TEXT, "name": TEXT, "entity": entity("Asset", "Shot"),
        "task": entity("Task"), "version": entity("Version"), "version_number": NUMBER,
        "sg_status_list": status("wtg", "ip", "cmpt"),
    },
    "Note": {
        **_MADE, **_PICTURE, **_TAGS, **_PROJECT, **_COPIED, "subject": TEXT, "content": TEXT,
        "note_links": Field("multi_entity", (*_LINKED, "Version"), any_type=True),
        "tasks": many("Task"), "user": entity("HumanUser"), "addressings_to": Field("addressing", PEOPLE),
        "client_note": CHECKBOX,
        "sg_note_type": choice("Internal", "Client"), "sg_status_list": status("opn", "ip", "clsd"),
    },
    "Playlist": {
        **_MADE, **_PICTURE, **_NOTES, **_TAGS, **_PROJECT, "code": TEXT, "description": TEXT,
        "locked": CHECKBOX, "sg_date_and_time": DATE_TIME, "versions": many("Version"),
    },
    "TimeLog": {
        **_MADE, **_PROJECT, "date": DATE, "description": TEXT, "duration": DURATION, "entity": entity("Task"),
        "user": entity("HumanUser"),
    },
    "HumanUser": {
        **_MADE, **_PICTURE, **_TAGS, "name": TEXT, "login": TEXT, "email": TEXT, "file_access": CHECKBOX,
        "department": entity("Department"), "groups": back("Group", "users"), "locked_until": DATE_TIME,
        "percent_capacity": Field("percent"), "password_proxy": Field("password"),
        "projects": back("Project", "users"), "sg_status_list": status("act", "dis"),
    },
    "Group": {**_MADE, "code": TEXT, "users": many("HumanUser")},
    "Department": {
        **_MADE, **_TAGS, "name": TEXT, "code": TEXT, "color": COLOR, "list_order": NUMBER,
        "users": back("HumanUser", "department"), "steps": back("Step", "department"),
    },
    "Step": {
        **_MADE, "code": TEXT, "short_name": TEXT, "color": COLOR, "department": entity("Department"),
        "description": TEXT, "entity_type": Field("entity_type"), "list_order": NUMBER,
    },
    "Tag": {**_MADE, "name": TEXT},
    "LocalStorage": {**_MADE, "code": TEXT, "description": TEXT, "uuid": Field("uuid")},
}  # fmt: skip

# Made by `schema_field_create`, so that columns that came later count as much as the first ones.
CUSTOM: dict[str, dict[str, Field]] = {
    "Shot": {
        "sg_ratio": FLOAT, "sg_share": Field("percent"), "sg_length": Field("timecode"),
        "sg_cost": Field("currency"), "sg_reel": Field("footage"), "sg_shown_at": DATE_TIME, "sg_shown_on": DATE,
        "sg_mood": choice("bright", "Dark", "dim"), "sg_hero": entity("Asset"),
        "sg_similar": many("Asset"), "sg_look": TEXT, "sg_final": CHECKBOX,
    },
    "Task": {"sg_bid": NUMBER, "sg_weight": FLOAT, "sg_started_at": DATE_TIME, "sg_checker": entity("HumanUser")},
}  # fmt: skip
for _type, _fields in CUSTOM.items():
    TYPES[_type].update(_fields)

# What links to a row show as its name (wire.md 6.3).
IDENTITY = {
    "Project": "name", "Sequence": "code", "Shot": "code", "Asset": "code", "Task": "content", "Version": "code",
    "PublishedFile": "code", "Playlist": "code", "TimeLog": "description", "HumanUser": "name", "Group": "code",
    "Department": "name", "Step": "code", "Tag": "name", "LocalStorage": "code",
}  # fmt: skip
