"""The operations that faults strike, by each kind of client, and what the site's rows say became of them."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import select
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sgsession import AsyncSession, Session, ShotgunPool
from sgsession.errors import AmbiguousWrite, PartialWrite, SiteRefusal, SiteUnavailable
from sgsession.testing.fault_site import FaultSite

__all__ = [
    "CALLERS",
    "OPERATIONS",
    "Caller",
    "Ground",
    "Operation",
    "becomes",
    "found_outcome",
    "see_the_end",
]

Caller = Literal["pool", "session", "async session"]
CALLERS: tuple[Caller, ...] = ("pool", "session", "async session")

PAGES = [f"page_{number}" for number in range(7)]
PER_PAGE = 3


class Ground:
    """A fault site with the rows that operations need, and a client that knows the truth."""

    def __init__(self, site: FaultSite, folder: Path) -> None:
        self.site = site
        self.folder = folder
        self.truth = site.connect(in_process=True)
        self.project = self.truth.create("Project", {"name": "Film"})
        self.sequence = self.truth.create("Sequence", {"code": "pages", "project": self.project})
        for code in PAGES:
            self.truth.create("Shot", {"code": code, "project": self.project, "sg_sequence": self.sequence})
        self._numbers = itertools.count(1)

    def token(self) -> str:
        """A name that no row has yet."""
        return f"token_{next(self._numbers)}"

    def shot(self, code: str) -> int:
        """A new shot, made past the sockets; its id."""
        return int(self.truth.create("Shot", {"code": code, "project": self.project})["id"])

    def pool(self, options: Any, **arguments: Any) -> ShotgunPool:
        """A pool that knows already what the site can do, so that the next request is the operation's."""
        prototype = self.site.connect(connect=False)
        prototype.config._records_per_page = PER_PAGE
        pool = ShotgunPool(prototype, options=options, **arguments)
        pool.connect()
        return pool

    def shots(self, **values: Any) -> list[dict[str, Any]]:
        """The shots that there are in truth, retired ones too."""
        filters = [[name, "is", value] for name, value in values.items()]
        return [
            row
            for retired in (False, True)
            for row in self.truth.find("Shot", filters, ["code", "description"], retired_only=retired)
        ]


@dataclass(frozen=True)
class Operation:
    """One call, as all three clients take it.

    Args:
        name: what it is called in the matrix.
        method: the remote method, or the end of the path, that it comes as.
        writes: whether it changes anything.
        prepare: makes what it needs, and gives the arguments of `call`, `is_right` and `count`.
        call: does it with a client; may give an awaitable.
        is_right: whether that was the right answer.
        count: how often it was done, by the rows.
        nth: which request of the method the fault strikes.
    """

    name: str
    method: str
    writes: bool
    prepare: Callable[[Ground], tuple[Any, ...]]
    call: Callable[..., Any]
    is_right: Callable[..., bool]
    count: Callable[..., int] = lambda *_: 0
    nth: int = 1


def _fresh_code(ground: Ground) -> tuple[Any, ...]:
    return (ground.token(),)


def _fresh_shot(ground: Ground) -> tuple[Any, ...]:
    token = ground.token()
    return token, ground.shot(token)


def _fresh_file(ground: Ground) -> tuple[Any, ...]:
    token, shot = _fresh_shot(ground)
    path = ground.folder / f"{token}.txt"
    path.write_text(token)
    return token, shot, str(path)


def _create(client: Any, ground: Ground, code: str) -> Any:
    return client.create("Shot", {"code": code, "project": ground.project})


def _batch(client: Any, ground: Ground, code: str) -> Any:
    return client.batch(
        [
            {
                "request_type": "create",
                "entity_type": "Shot",
                "data": {"code": f"{code}_{half}", "project": ground.project},
            }
            for half in "ab"
        ]
    )


def _both_halves(ground: Ground, code: str) -> int:
    # With one question: the site may carry the batch out between two.
    rows = ground.truth.find("Shot", [["code", "in", [f"{code}_a", f"{code}_b"]]], ["code"])
    halves = Counter(row["code"] for row in rows)
    first, second = (halves[f"{code}_{half}"] for half in "ab")
    assert first == second, f"half a batch is on the site: {first} and {second}"
    return first


def _updated(ground: Ground, token: str, shot: int) -> int:
    (row,) = ground.shots(code=token)
    times = ground.site.executions[f"Shot:{shot}"]
    # It is counted after it was done.
    return times if (row["description"] == token) == (times > 0) else -1


def _find(client: Any, ground: Ground) -> Any:
    in_sequence = [["sg_sequence", "is", ground.sequence]]
    return client.find("Shot", in_sequence, ["code"], [{"field_name": "code", "direction": "asc"}])


def _all_pages(rows: Any, *_: Any) -> bool:
    return [row["code"] for row in rows] == PAGES


OPERATIONS = [
    Operation(
        "create",
        "create",
        True,
        _fresh_code,
        _create,
        lambda row, ground, code: [row["id"]] == [each["id"] for each in ground.shots(code=code)],
        lambda ground, code: len(ground.shots(code=code)),
    ),
    Operation(
        "update",
        "update",
        True,
        _fresh_shot,
        lambda client, _, token, shot: client.update("Shot", shot, {"description": token}),
        lambda row, _, token, shot: (row["id"], row["description"]) == (shot, token),
        _updated,
    ),
    Operation(
        "delete",
        "delete",
        True,
        _fresh_shot,
        lambda client, _, token, shot: client.delete("Shot", shot),
        lambda done, *_: done is True,
        lambda ground, token, shot: len(
            ground.truth.find("Shot", [["id", "is", shot]], ["id"], retired_only=True)
        ),
    ),
    Operation(
        "batch",
        "batch",
        True,
        _fresh_code,
        _batch,
        lambda rows, ground, code: [row["code"] for row in rows] == [f"{code}_a", f"{code}_b"],
        _both_halves,
    ),
    Operation("find", "read", False, lambda _: (), _find, _all_pages),
    Operation("find, 2nd page", "read", False, lambda _: (), _find, _all_pages, nth=2),
    Operation(
        "summarize",
        "summarize",
        False,
        lambda _: (),
        lambda client, ground: client.summarize(
            "Shot", [["sg_sequence", "is", ground.sequence]], [{"field": "id", "type": "count"}]
        ),
        lambda answer, _: answer["summaries"]["id"] == len(PAGES),
    ),
    Operation(
        "schema",
        "schema_field_read",
        False,
        lambda _: (),
        lambda client, _: client.schema_field_read("Shot", "code"),
        lambda answer, _: answer["code"]["data_type"]["value"] == "text",
    ),
    Operation(
        "upload",
        "upload_file",
        True,
        _fresh_file,
        lambda client, _, token, shot, path: client.upload("Shot", shot, path),
        lambda number, ground, token, *_: [number] == [row["id"] for row in _files(ground, token)],
        lambda ground, token, *_: len(_files(ground, token)),
    ),
]


def _files(ground: Ground, token: str) -> list[dict[str, Any]]:
    return ground.truth.find("Attachment", [["display_name", "is", f"{token}.txt"]], ["id"])


def found_outcome(caller: Caller, pool: ShotgunPool, call: Callable[[Any], Any]) -> tuple[str, Any]:
    """Call with that kind of client on the pool: the outcome, and the answer or the error."""
    try:
        if caller == "pool":
            return "value", call(pool)
        if caller == "session":
            return "value", call(Session(pool))
        return "value", asyncio.run(_awaited(pool, call))
    except SiteUnavailable as problem:
        return "unavailable", problem
    except AmbiguousWrite as problem:
        return "ambiguous", problem
    except PartialWrite as problem:
        return "partial", problem
    except SiteRefusal as problem:
        return "refused", problem
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}", problem


async def _awaited(pool: ShotgunPool, call: Callable[[Any], Any]) -> Any:
    answer = call(AsyncSession(pool))
    return await answer if inspect.isawaitable(answer) else answer


def see_the_end(client: Any) -> None:
    """Wait until something came on the idle connection of a pooled client: its end, or bytes unasked for."""
    line = client._line
    # What came at once was seen by the pool itself, and then there is no connection any more.
    if line.is_open:
        assert select.select([line._socket], [], [], 5)[0], "nothing came on the idle connection"


def becomes(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether a condition gets true within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
