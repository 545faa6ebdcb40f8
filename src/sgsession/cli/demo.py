"""sgsession demo: the main job on an embedded site, and what the bare client takes for the same."""

from __future__ import annotations

import argparse
import io
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ..entity import Entity
from ..session import Session
from ..syntax.filter_text import parse_filter
from . import bare_client
from .arguments import seconds
from .printing import Printer
from .problems import CommandError, clear_refusals

if TYPE_CHECKING:
    from ..site import LocalSite

__all__ = ["add_arguments", "run"]

_UNFINISHED = "sg_status_list is_not fin"


@dataclass
class Way:
    """One way of doing the job, and what it cost."""

    name: str
    result: str
    requests: int
    milliseconds: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument(
        "--tasks",
        metavar="FILTER",
        action="append",
        help=f"which tasks to begin with, as for `sgsession find Task`; default: {_UNFINISHED!r}",
    )
    parser.add_argument(
        "--latency",
        metavar="S",
        type=seconds,
        default=0.03,
        help="delay each answer, as a network does, in seconds; default: 0.03",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(args: argparse.Namespace) -> int:
    """Do the job, show what came of it, and compare."""
    from ..site import LocalSite

    printer = Printer(args)
    filters = [parse_filter(text) for text in args.tasks or [_UNFINISHED]]
    with LocalSite(demo="small") as site:
        # Each way once beforehand and undelayed, so that none pays for what only a first time costs.
        with _connected(site) as session, clear_refusals(session, "Task"):
            _measure_ours(site, session, filters)
            _measure_bare(site, filters)
        site.latency = args.latency
        with _connected(site) as session, clear_refusals(session, "Task"):
            tasks, ours = _measure_ours(site, session, filters)
            if not tasks:
                raise CommandError("no task of the demo matches; try --tasks sg_status_list=ip")
            with printer.waiting("The same with the bare client"):
                ways = [ours, *_measure_bare(site, filters)]
            if args.json:
                entities = len(session.fetch_hierarchy(tasks))
                printer.json(
                    {
                        "tasks": len(tasks),
                        "entities": entities,
                        "latency_ms": args.latency * 1000,
                        "ways": [asdict(way) for way in ways],
                    }
                )
                return 0
            _tell(printer, site, session, filters, tasks)
            _compare(printer, args.latency, len(tasks), ways)
    return 0


@contextmanager
def _connected(site: LocalSite) -> Iterator[Session]:
    """A fresh session on a client that has shaken hands with the site."""
    # A pool never uses the connection of its prototype, so it does not close it either.
    with closing(site.connect()) as client, Session(client) as session:
        yield session


def _measured(site: LocalSite, name: str, result: str, job: Callable[[], Any]) -> tuple[Any, Way]:
    site.reset_requests()
    started = time.perf_counter()
    done = job()
    elapsed = (time.perf_counter() - started) * 1000
    return done, Way(name, result, len(site.requests), round(elapsed, 1))


def _measure_ours(site: LocalSite, session: Session, filters: list[Any]) -> tuple[list[Entity], Way]:
    def job() -> list[Entity]:
        tasks = session.find("Task", filters)
        session.fetch_hierarchy(tasks)
        return tasks

    tasks, way = _measured(site, "sgsession: find, fetch_hierarchy", "linked objects, one each", job)
    return tasks, way


def _measure_bare(site: LocalSite, filters: list[Any]) -> list[Way]:
    ways = []
    for name, result, job in (
        (
            f"bare client: {len(bare_client.DOTTED)} fields, deep ones by hand",
            "flat rows, the parents again on each",
            bare_client.by_dots,
        ),
        ("bare client: one find per level", "dicts, joined by hand", bare_client.by_level),
        ("bare client: find_one per parent", "dicts, joined by hand", bare_client.one_by_one),
    ):
        with closing(site.connect()) as client:
            ways.append(_measured(site, name, result, partial(job, client, filters))[1])
    return ways


def _tell(
    printer: Printer, site: LocalSite, session: Session, filters: list[Any], tasks: list[Entity]
) -> None:
    """The story in Python's own prompt; everything shown is evaluated here, on the session that was measured."""
    everything = session.fetch_hierarchy(tasks)
    printer.text("An embedded site, the unmodified shotgun_api3 client, and one session.", "bold")
    printer.text()
    _prompt(printer, "session = Session(shotgun)")
    _prompt(printer, f"tasks = session.find('Task', {filters!r})", f"{len(tasks)} tasks")
    kinds = Counter(entity["type"] for entity in everything)
    listed = ", ".join(f"{number} {kind}{'s' if number > 1 else ''}" for kind, number in kinds.most_common())
    _prompt(printer, "everything = session.fetch_hierarchy(tasks)", f"{listed}; each once")
    task = _one_with_siblings(tasks)
    index = tasks.index(task)
    name = f"tasks[{index}]"
    # From here on the site must not be asked: that nothing is sent is a part of what is shown.
    site.reset_requests()
    printer.text()
    printer.text("The whole hierarchy is on every task, without another request:", "bold")
    printer.text()
    _prompt(printer, f"{name}.pprint()")
    shown = io.StringIO()
    with redirect_stdout(shown):
        task.pprint()
    for line in shown.getvalue().splitlines():
        printer.text(line)
    _tell_links(printer, session, task, name, tasks)
    printer.text()
    printer.text(f"Requests since fetch_hierarchy: {len(site.requests)}", "bold")


def _tell_links(printer: Printer, session: Session, task: Entity, name: str, tasks: list[Entity]) -> None:
    parent, project = task.parent(), task.project()
    if parent is None or project is None:
        return
    printer.text()
    printer.text("One object for each entity, linked both ways:", "bold")
    printer.text()
    siblings = parent.backrefs[("Task", "entity")]
    _prompt(printer, f"{name}['entity'].backrefs[('Task', 'entity')]", f"{list(siblings)!r}")
    other = next((one for one in siblings if one is not task), task)
    other_name = f"tasks[{tasks.index(other)}]"
    _prompt(printer, f"{name}['entity'] is {other_name}['entity']", repr(task["entity"] is other["entity"]))
    _prompt(printer, f"session.get({parent['type']!r}, {parent['id']}) is {name}.parent()",
            repr(session.get(parent["type"], parent["id"]) is parent))  # fmt: skip
    path = "entity." + "".join(f"{one['type']}.{link}." for one, link in _upward(session, parent))
    path += f"{project['type']}.name"
    _prompt(printer, f"{name}[{path!r}]", repr(task[path]))
    names = [shot.name for shot in project.backrefs[("Shot", "project")]]
    if names:
        line = f"[shot.name for shot in {name}.project().backrefs[('Shot', 'project')]]"
        _prompt(printer, line, repr(names))


def _upward(session: Session, entity: Entity) -> Iterator[tuple[Entity, str]]:
    """The entities from here up to below the project, each with the link that leads on."""
    above = entity.parent()
    while above is not None:
        link = session.importance.parent_field(entity["type"])
        yield entity, link if link and entity[link] is above else "project"
        entity, above = above, above.parent()


def _one_with_siblings(tasks: list[Entity]) -> Entity:
    """The first task of a shot, of a shot with several of the tasks if there is one: it shows most."""

    def worth(task: Entity) -> tuple[bool, bool]:
        parent = task.parent()
        if parent is None:
            return False, False
        above = parent.parent()
        return above is not None and above["type"] != "Project", len(parent.backrefs[("Task", "entity")]) > 1

    return max(tasks, key=worth)


def _compare(printer: Printer, latency: float, tasks: int, ways: list[Way]) -> None:
    printer.text()
    printer.text(f"{tasks} tasks with all above them, each answer delayed by {latency * 1000:g} ms:", "bold")
    printer.text()
    header = ("way", "requests", "ms", "gives")
    rows = [(way.name, f"{way.requests}", f"{way.milliseconds:.0f}", way.result) for way in ways]
    if printer.is_terminal:
        printer.table(header, rows, numbers=("requests", "ms"))
    else:
        # Aligned, since this is for reading; --json is for programs.
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        for row in (header, *rows):
            printer.text(f"  {row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}")
        printer.text()
    printer.text(
        "All ways ask for the same fields, and are connected and run once beforehand. The requests are"
    )
    printer.text(
        "those that reached the site; the times, of one run each, vary. A session that is asked again for"
    )
    printer.text("what it knows sends nothing; the others read all of it again.")
    printer.text()
    printer.text(
        "Go on: `sgsession site --demo small` keeps a site like this one; then `sgsession tree Shot:234`."
    )


def _prompt(printer: Printer, line: str, answer: str = "") -> None:
    printer.text(f">>> {line}", "cyan")
    if answer:
        printer.text(answer)
