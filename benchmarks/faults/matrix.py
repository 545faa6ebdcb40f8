"""The matrix: each fault at each operation, once and always; rows on the server, and what the caller was told."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sgsession.testing.fault_site import FaultSite
from sgsession.testing.faults import (
    Action,
    Empty,
    Fin,
    Garbage,
    Html,
    Point,
    Reset,
    Stall,
    Status,
    TlsEof,
    Truncated,
)

from .clients import Client, HangError

__all__ = ["FAULTS", "HOW", "OPERATIONS", "Cell", "Fault", "Ground", "cells"]

OPERATIONS = ("create", "find", "update", "upload")
HOW = ("once", "always")
CODES = [f"page_{number}" for number in range(7)]
# What strikes an upload is the step that writes: the one that hangs the file on its row.
METHODS = {"create": "create", "find": "read", "update": "update", "upload": "api_link_file"}


@dataclass(frozen=True)
class Fault:
    """A fault as the page names it."""

    name: str
    point: Point
    action: Action
    tls: bool = False


FAULTS = [
    Fault("FIN, no byte of an answer", "after_execute", Fin()),
    Fault("RST, no byte of an answer", "after_execute", Reset()),
    # Longer than all attempts of a client that waits two seconds for each.
    Fault("no answer, the connection stays", "after_execute", Stall(30.0)),
    Fault("500", "after_execute", Status(500)),
    Fault("502", "after_execute", Status(502)),
    Fault("503", "after_execute", Status(503)),
    Fault("504", "after_execute", Status(504)),
    Fault("429, not executed", "headers", Status(429)),
    Fault("200 and a web page", "after_execute", Html()),
    Fault("200 and an empty body", "after_execute", Empty()),
    Fault("200 and garbage", "after_execute", Garbage()),
    Fault("end after the headers", "after_headers", Fin()),
    Fault("half a body, then the end", "after_execute", Truncated()),
    Fault("TLS: FIN, no byte of an answer", "after_execute", Fin(), tls=True),
    Fault("TLS: end without notice", "after_execute", TlsEof(), tls=True),
    Fault("TLS: RST, no byte of an answer", "after_execute", Reset(), tls=True),
    Fault("TLS: half a body, then the end", "after_execute", Truncated(), tls=True),
]


@dataclass(frozen=True)
class Cell:
    """What came of one call.

    `rows` counts how often the site did it. `told` is "success", the name of an error, or what is wrong.
    """

    client: str
    fault: Fault
    how: str
    operation: str
    rows: int
    told: str
    typed: bool = True
    wrong: bool = False
    hung: bool = False

    @property
    def twice(self) -> bool:
        """The site did it more than once."""
        return self.rows > 1

    @property
    def is_bad(self) -> bool:
        """Anything that a caller could not have expected."""
        return self.twice or self.wrong or self.hung or not self.typed

    def __str__(self) -> str:
        said = self.told if self.operation == "find" else f"{self.rows} · {self.told}"
        return f"**{said}**" if self.is_bad else said


class Ground:
    """A plain site and one with TLS, with rows to read and to change."""

    def __init__(self, folder: Path) -> None:
        self._opened = ExitStack()
        self._numbers = itertools.count(1)
        self.sites: dict[bool, FaultSite] = {}
        self.rows: dict[bool, dict[str, Any]] = {}
        self.folder = folder
        for tls in (False, True):
            # sg-python-api knows the direct route of uploads alone, which the others take as well.
            site = self._opened.enter_context(FaultSite(tls=tls, direct_uploads=True))
            truth = site.connect(in_process=True)
            project = truth.create("Project", {"name": "Film"})
            sequence = truth.create("Sequence", {"code": "AA", "project": project})
            for code in CODES:
                truth.create("Shot", {"code": code, "project": project, "sg_sequence": sequence})
            self.sites[tls] = site
            self.rows[tls] = {"project": _key(project), "sequence": _key(sequence), "truth": truth}

    def close(self) -> None:
        """End both sites."""
        self._opened.close()

    def address(self, tls: bool) -> list[Any]:
        """The site as a driver is told of it."""
        site = self.sites[tls]
        ca_certs = None if site.ca_certs is None else str(site.ca_certs)
        return [site.url, site.site.script_name, site.site.api_key, ca_certs]

    def case(self, tls: bool) -> dict[str, Any]:
        """What an operation needs: a token that is nowhere yet, a shot and a file of its own."""
        token = f"token_{next(self._numbers)}"
        rows = self.rows[tls]
        shot = rows["truth"].create("Shot", {"code": f"of_{token}", "project": rows["project"]})["id"]
        path = self.folder / f"{token}.txt"
        path.write_text(token)
        return {**rows, "token": token, "shot": shot, "path": str(path)}


def cells(client: Client, ground: Ground, faults: list[Fault]) -> Iterator[Cell]:
    """All cells of one client, one after the other."""
    for fault, how, operation in itertools.product(faults, HOW, OPERATIONS):
        yield _cell(client, ground, fault, how, operation)


def _cell(client: Client, ground: Ground, fault: Fault, how: str, operation: str) -> Cell:
    site, case = ground.sites[fault.tls], ground.case(fault.tls)
    truth = case.pop("truth")
    site.calm()
    site.drop_connections()
    client.do("connect", 60, site=ground.address(fault.tls))
    site.forget()
    site.inject(fault.point, fault.action, method=METHODS[operation], times=1 if how == "once" else None)
    told: dict[str, Any] | None
    try:
        told = client.do(operation, **case)
    except HangError:
        told = None
    assert site.faults, f"{fault.name} did not strike {operation} of {client.name}"
    site.calm()
    rows = _rows(site, truth, operation, case)
    if told is None:
        return Cell(client.name, fault, how, operation, rows, "hangs", hung=True)
    if "error" in told:
        return Cell(client.name, fault, how, operation, rows, told["error"], typed=told["typed"])
    if _is_right(truth, operation, case, told["value"]):
        return Cell(client.name, fault, how, operation, rows, "success")
    return Cell(client.name, fault, how, operation, rows, "wrong answer", wrong=True)


def _rows(site: FaultSite, truth: Any, operation: str, case: dict[str, Any]) -> int:
    if operation == "create":
        return len(truth.find("Shot", [["code", "is", case["token"]]]))
    if operation == "update":
        return site.executed_methods["update"]
    return len(_attachments(truth, case)) if operation == "upload" else 0


def _is_right(truth: Any, operation: str, case: dict[str, Any], value: Any) -> bool:
    """Whether a success is one: the value names what is really there."""
    if operation == "find":
        return isinstance(value, list) and [row["code"] for row in value] == CODES
    if operation == "upload":
        return value in [row["id"] for row in _attachments(truth, case)]
    if not isinstance(value, dict):
        return False
    if operation == "update":
        return value.get("id") == case["shot"]
    return value.get("id") in [row["id"] for row in truth.find("Shot", [["code", "is", case["token"]]])]


def _attachments(truth: Any, case: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = truth.find(
        "Attachment", [["attachment_links", "is", {"type": "Shot", "id": case["shot"]}]]
    )
    return found


def _key(row: dict[str, Any]) -> dict[str, Any]:
    return {"type": row["type"], "id": row["id"]}
