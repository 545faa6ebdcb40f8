"""The large demo: 100,000 tasks of five shows, for measuring how a session or a tool scales."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .rows import Rows, days_from, link

__all__ = ["production"]

_PROJECTS = 5
_SEQUENCES = 40  # of each project
_SHOTS = 50  # of each sequence
_ASSETS = 1000  # of each project
_PEOPLE = 60

_SHOT_STEPS = ("Matchmove", "Layout", "Animation", "Cloth", "Effects", "Lighting", "Roto", "Compositing")
_ASSET_STEPS = ("Modeling", "Surfacing", "Rigging", "Grooming")
_ASSET_TYPES = ("Character", "Vehicle", "Prop", "Environment", "Matte Painting", "FX")
_STATUSES = ("fin", "fin", "ip", "rdy", "wtg")

# Rows handed over at once: enough to be quick, few enough to stay small in memory.
_CHUNK = 10_000


def production() -> Iterator[tuple[str, Rows]]:
    """The rows of the demo, type by type and in chunks."""
    yield "HumanUser", [_person(id) for id in range(1, _PEOPLE + 1)]
    yield "Step", [*_steps(1, "Shot", _SHOT_STEPS), *_steps(1 + len(_SHOT_STEPS), "Asset", _ASSET_STEPS)]
    projects = range(1, _PROJECTS + 1)
    yield "Project", [{"id": id, "name": f"Show {id:02}", "sg_status": "Active"} for id in projects]
    yield "Sequence", [_sequence(id) for id in range(1, _PROJECTS * _SEQUENCES + 1)]
    yield "Shot", [_shot(id) for id in range(1, _PROJECTS * _SEQUENCES * _SHOTS + 1)]
    yield "Asset", [_asset(id) for id in range(1, _PROJECTS * _ASSETS + 1)]
    for chunk in _chunks(_tasks()):
        yield "Task", chunk


def _person(id: int) -> dict[str, Any]:
    return {
        "id": id,
        "name": f"Artist {id:02}",
        "firstname": "Artist",
        "lastname": f"{id:02}",
        "login": f"artist{id:02}",
        "email": f"artist{id:02}@example.com",
    }


def _steps(first_id: int, entity_type: str, names: tuple[str, ...]) -> Rows:
    return [
        {
            "id": first_id + order,
            "code": name,
            "short_name": name,
            "entity_type": entity_type,
            "list_order": order,
        }
        for order, name in enumerate(names)
    ]


def _sequence(id: int) -> dict[str, Any]:
    project, number = divmod(id - 1, _SEQUENCES)
    return {"id": id, "code": f"S{number + 1:03}", "project": link("Project", project + 1)}


def _shot(id: int) -> dict[str, Any]:
    sequence, number = divmod(id - 1, _SHOTS)
    project, sequence_number = divmod(sequence, _SEQUENCES)
    return {
        "id": id,
        "code": f"S{sequence_number + 1:03}_{(number + 1) * 10:04}",
        "project": link("Project", project + 1),
        "sg_sequence": link("Sequence", sequence + 1),
        "sg_status_list": ("ip", "wtg", "fin")[id % 3],
        "sg_cut_order": number + 1,
        "sg_cut_in": 1001,
        "sg_cut_out": 1040 + id % 160,
    }


def _asset(id: int) -> dict[str, Any]:
    project, number = divmod(id - 1, _ASSETS)
    return {
        "id": id,
        "code": f"asset_{number + 1:04}",
        "project": link("Project", project + 1),
        "sg_asset_type": _ASSET_TYPES[number % len(_ASSET_TYPES)],
    }


def _tasks() -> Iterator[dict[str, Any]]:
    id = 0
    for shot in range(_PROJECTS * _SEQUENCES * _SHOTS):
        project = link("Project", shot // (_SEQUENCES * _SHOTS) + 1)
        for order, name in enumerate(_SHOT_STEPS):
            id += 1
            yield _task(id, name, 1 + order, link("Shot", shot + 1), project)
    for asset in range(_PROJECTS * _ASSETS):
        project = link("Project", asset // _ASSETS + 1)
        for order, name in enumerate(_ASSET_STEPS):
            id += 1
            yield _task(id, name, 1 + len(_SHOT_STEPS) + order, link("Asset", asset + 1), project)


def _task(id: int, name: str, step: int, entity: dict[str, Any], project: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": id,
        "content": name,
        "project": project,
        "entity": entity,
        "step": link("Step", step),
        # Multipliers without a common factor spread the values evenly and without chance.
        "sg_status_list": _STATUSES[id * 7 % len(_STATUSES)],
        "task_assignees": [link("HumanUser", id * 13 % _PEOPLE + 1)],
        **days_from(id * 11 % 250, 1 + id % 5),
    }


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[Rows]:
    chunk: Rows = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
