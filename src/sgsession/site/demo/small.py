"""The small demo: one short film in the middle of its making, and a second one that has just begun.

The ids of the first shot, task and step are those of the documentation's examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .rows import Rows, days_from, link

__all__ = ["production"]

_FILM = link("Project", 123)
_NEXT_FILM = link("Project", 124)

# id: (first name, last name, department)
_PEOPLE = {
    11: ("Ada", "Lindqvist", 3),
    12: ("Bruno", "Okafor", 3),
    13: ("Chiara", "Devlin", 2),
    14: ("Dmitri", "Halvorsen", 4),
    15: ("Esme", "Tanaka", 4),
    16: ("Farid", "Moreau", 2),
    17: ("Greta", "Solano", 1),
}
_DEPARTMENTS = {1: "Production", 2: "Assets", 3: "Animation", 4: "Lighting"}

# id: (name, short name, entity type, department, colour)
_STEPS = {
    345: ("Matchmove", "Matchmove", "Shot", 3, "120,144,156"),
    346: ("Animation", "Anim", "Shot", 3, "66,165,245"),
    347: ("Lighting", "Light", "Shot", 4, "255,202,40"),
    348: ("Compositing", "Comp", "Shot", 4, "171,71,188"),
    349: ("Modeling", "Model", "Asset", 2, "102,187,106"),
    350: ("Surfacing", "Surface", "Asset", 2, "141,110,99"),
    351: ("Rigging", "Rig", "Asset", 3, "239,83,80"),
}
_FIRST_STEP = 345
_SHOT_STEPS = (345, 346, 348)
_ASSET_STEPS = (349, 350)
_ARTISTS = {345: (11,), 346: (11, 12), 347: (14,), 348: (14, 15), 349: (13,), 350: (16,), 351: (12,)}

# id: (code, sequence or None, frames); AA_001 is the first shot of every example.
_SHOTS = {
    234: ("AA_001", 201, 96),
    235: ("AA_002", 201, 48),
    236: ("AA_003", 201, 120),
    237: ("AA_004", 201, 72),
    238: ("BB_001", 202, 88),
    239: ("BB_002", 202, 144),
    240: ("BB_003", 202, 60),
    241: ("BB_004", 202, 110),
    242: ("CC_001", 203, 200),
    243: ("CC_002", 203, 52),
    244: ("CC_003", 203, 64),
    245: ("TEASER_001", None, 240),  # a shot without a sequence hangs from its project
}
_NEXT_SHOTS = {246: ("DD_001", 204, 80), 247: ("DD_002", 204, 132)}

# id: (name, type)
_ASSETS = {
    301: ("Mira", "Character"),
    302: ("Otto", "Character"),
    303: ("Tugboat", "Vehicle"),
    304: ("Lantern", "Prop"),
    305: ("Crate", "Prop"),
    306: ("Harbour", "Environment"),
    307: ("Lighthouse", "Environment"),
    308: ("Night Sky", "Matte Painting"),
    309: ("Fog", "FX"),
    310: ("Gull", "Character"),
}
_EPISODE: dict[str, Any] = {"id": 31, "code": "EP01", "project": _FILM, "sg_status_list": "ip"}
_FILE_TYPES = {1: "Maya Scene", 2: "Alembic Cache", 3: "Nuke Script", 4: "Rendered Image"}

_REPLY = {
    "id": 951,
    "content": "Locked, see version 2.",
    "entity": link("Note", 901),
    "user": link("HumanUser", 11),
}
_PAGE = {
    "id": 1,
    "name": "Shots",
    "project": _FILM,
    "entity_type": "Shot",
    "page_type": "project",
    "last_accessed": "2025-09-12T08:30:00Z",
}


def production() -> Iterator[tuple[str, Rows]]:
    """The rows of the demo, type by type."""
    tasks = _tasks()
    versions = _versions(tasks)
    yield "Department", _departments()
    yield "HumanUser", _people()
    yield "Group", _groups()
    yield "Step", _steps()
    yield "Project", _projects()
    yield "Episode", [_EPISODE]
    yield "Sequence", _sequences()
    yield "Asset", _assets()
    yield "Shot", [*_shots(_SHOTS, _FILM), *_shots(_NEXT_SHOTS, _NEXT_FILM)]
    yield "Task", tasks
    yield "Version", versions
    yield "PublishedFileType", _file_types()
    yield "PublishedFile", _published_files(versions)
    yield "Playlist", [_playlist(versions)]
    yield "Note", _notes(tasks)
    yield "Reply", [_REPLY]
    yield "Page", [_PAGE]


def _departments() -> Rows:
    return [
        {"id": id, "name": name, "code": name[:4].upper(), "list_order": id}
        for id, name in _DEPARTMENTS.items()
    ]


def _people() -> Rows:
    return [
        {
            "id": id,
            "name": f"{first} {last}",
            "firstname": first,
            "lastname": last,
            "login": f"{first}.{last}".lower(),
            "email": f"{first}.{last}@example.com".lower(),
            "department": link("Department", department),
        }
        for id, (first, last, department) in _PEOPLE.items()
    ]


def _groups() -> Rows:
    return [
        {"id": 1, "code": "Supervisors", "users": [link("HumanUser", 11), link("HumanUser", 14)]},
        {"id": 2, "code": "Everybody", "users": [link("HumanUser", id) for id in _PEOPLE]},
    ]


def _steps() -> Rows:
    return [
        {
            "id": id,
            "code": code,
            "short_name": short_name,
            "entity_type": entity_type,
            "department": link("Department", department),
            "color": color,
            "list_order": id - _FIRST_STEP + 1,
        }
        for id, (code, short_name, entity_type, department, color) in _STEPS.items()
    ]


def _projects() -> Rows:
    return [
        {
            "id": _FILM["id"],
            "name": "Demo Project",
            "tank_name": "demo_project",
            "sg_status": "Active",
            "sg_type": "Feature",
            "sg_description": "A tugboat, a lighthouse and one long night.",
            "users": [link("HumanUser", id) for id in _PEOPLE],
        },
        {
            "id": _NEXT_FILM["id"],
            "name": "Paper Moons",
            "tank_name": "paper_moons",
            "sg_status": "Bidding",
            "sg_type": "Commercial",
            "users": [link("HumanUser", 11), link("HumanUser", 17)],
        },
    ]


def _sequences() -> Rows:
    episode = link("Episode", _EPISODE["id"])
    return [
        {"id": 201, "code": "AA", "project": _FILM, "episode": episode, "description": "Leaving the harbour"},
        {"id": 202, "code": "BB", "project": _FILM, "episode": episode, "description": "The fog comes down"},
        {"id": 203, "code": "CC", "project": _FILM, "description": "The lighthouse answers"},
        {"id": 204, "code": "DD", "project": _NEXT_FILM, "sg_status_list": "wtg"},
    ]


def _assets() -> Rows:
    return [
        {
            "id": id,
            "code": code,
            "project": _FILM,
            "sg_asset_type": asset_type,
            "sg_status_list": "fin" if id < 304 else "ip",
            "assets": [link("Asset", 304)] if id == 303 else [],  # the lantern hangs on the tugboat
        }
        for id, (code, asset_type) in _ASSETS.items()
    ]


def _shots(shots: Mapping[int, tuple[str, int | None, int]], project: dict[str, Any]) -> Rows:
    rows: Rows = []
    for order, (id, (code, sequence, frames)) in enumerate(shots.items()):
        rows.append(
            {
                "id": id,
                "code": code,
                "project": project,
                "sg_sequence": None if sequence is None else link("Sequence", sequence),
                "sg_status_list": ("fin", "ip", "ip", "wtg")[order % 4],
                "sg_cut_order": order + 1,
                "sg_cut_in": 1001,
                "sg_cut_out": 1000 + frames,
                "sg_cut_duration": frames,
                "assets": _seen_in(order) if project is _FILM else [],
            }
        )
    return rows


def _seen_in(shot: int) -> list[dict[str, Any]]:
    """Two neighbouring assets, so that each asset is in two or three shots."""
    assets = list(_ASSETS)
    return [link("Asset", assets[(shot + more) % len(assets)]) for more in (0, 1)]


def _tasks() -> Rows:
    rows: Rows = []
    for order, shot in enumerate(_SHOTS):
        # The shots of a sequence are worked on one after the other, so the early ones are further on.
        rows.extend(_pipeline(456 + len(rows), link("Shot", shot), _SHOT_STEPS, 2 * order, 3 - order % 4))
    for order, asset in enumerate(_ASSETS):
        rows.extend(_pipeline(456 + len(rows), link("Asset", asset), _ASSET_STEPS, order, 2 - order % 3))
    return rows


def _pipeline(
    first_id: int, entity: dict[str, Any], steps: tuple[int, ...], first_day: int, finished: int
) -> Rows:
    """The tasks of one shot or asset: so many of them finished, the next one under way."""
    rows: Rows = []
    for order, step in enumerate(steps):
        progress = "fin" if order < finished else "ip" if order == finished else "wtg"
        artists = _ARTISTS[step]
        rows.append(
            {
                "id": first_id + order,
                "content": _STEPS[step][0],
                "project": _FILM,
                "entity": entity,
                "step": link("Step", step),
                "sg_status_list": progress,
                "task_assignees": [link("HumanUser", artists[first_id % len(artists)])],
                "task_reviewers": [link("HumanUser", 17)],
                "sg_sort_order": order + 1,
                **days_from(first_day + 3 * order, 3),
            }
        )
    return rows


def _versions(tasks: Rows) -> Rows:
    """A version of every task that was begun, two of what was finished on shots."""
    rows: Rows = []
    for task in tasks:
        is_shot = task["entity"]["type"] == "Shot"
        takes = {"fin": 2 if is_shot else 1, "ip": 1, "wtg": 0}[task["sg_status_list"]]
        for take in range(1, takes + 1):
            rows.append(_version(601 + len(rows), task, take, last=take == takes))
    return rows


def _version(id: int, task: dict[str, Any], take: int, last: bool) -> dict[str, Any]:
    entity = task["entity"]
    row = {
        "id": id,
        "project": _FILM,
        "entity": entity,
        "sg_task": link("Task", task["id"]),
        "user": task["task_assignees"][0],
        "sg_status_list": "rev" if last and task["sg_status_list"] == "ip" else "vwd",
    }
    if entity["type"] == "Asset":
        name = _ASSETS[entity["id"]][0].replace(" ", "")
    else:
        name, _, frames = _SHOTS[entity["id"]]
        row.update(
            sg_first_frame=1001,
            sg_last_frame=1000 + frames,
            frame_count=frames,
            frame_range=f"1001-{1000 + frames}",
        )
    row["code"] = f"{name}_{task['content']}_v{take:03}"
    return row


def _file_types() -> Rows:
    return [{"id": id, "code": code} for id, code in _FILE_TYPES.items()]


def _published_files(versions: Rows) -> Rows:
    """The scene or script behind every version."""
    rows: Rows = []
    for version in versions:
        name, _, number = version["code"].rpartition("_v")
        file_type, extension = (3, "nk") if name.endswith("Compositing") else (1, "ma")
        rows.append(
            {
                "id": 701 + len(rows),
                "code": f"{version['code']}.{extension}",
                "name": name,
                "version_number": int(number),
                "published_file_type": link("PublishedFileType", file_type),
                "project": _FILM,
                "entity": version["entity"],
                "task": version["sg_task"],
                "version": link("Version", version["id"]),
                "path_cache": f"demo_project/publish/{name}/{version['code']}.{extension}",
                "sg_status_list": "cmpt",
            }
        )
    return rows


def _playlist(versions: Rows) -> dict[str, Any]:
    return {
        "id": 801,
        "code": "Dailies 2025-09-12",
        "project": _FILM,
        "description": "What waits for a review",
        "versions": [link("Version", each["id"]) for each in versions if each["sg_status_list"] == "rev"],
    }


def _notes(tasks: Rows) -> Rows:
    coordinator = link("HumanUser", 17)
    return [
        {
            "id": 901,
            "subject": "Horizon slides",
            "content": "The horizon slides from frame 1040 on. Could you lock it to the pier?",
            "project": _FILM,
            "note_links": [tasks[0]["entity"]],
            "tasks": [link("Task", tasks[0]["id"])],
            "user": coordinator,
            "addressings_to": [link("HumanUser", 11)],
            "sg_note_type": "Internal",
            "sg_status_list": "clsd",
        },
        {
            "id": 902,
            "subject": "Warmer lantern",
            "content": "The client would like the lantern warmer, by half a stop.",
            "project": _FILM,
            "note_links": [link("Shot", 239), link("Asset", 304)],
            "user": coordinator,
            "addressings_to": [link("HumanUser", 14)],
            "sg_note_type": "Client",
            "sg_status_list": "opn",
        },
    ]
