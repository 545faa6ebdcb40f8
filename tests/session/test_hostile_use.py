"""What somebody tried who wanted the session to lose data, to hang, or to fail without a word."""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import ModuleType
from typing import Any

import pytest
from shotgun_api3 import Shotgun

from sgsession import AmbiguousWrite, Schema, Session, SessionError, ShotgunPool, SiteUnavailable
from sgsession.errors import ConfigurationError, ForeignEntityError, NotAnEntityError, SyntaxProblem
from sgsession.site import LocalSite

from .conftest import Costs

INFO = b'{"results": {"version": [8, 89, 0]}}'


class LeavesAfterCreate(BaseHTTPRequestHandler):
    """A server that executes a create, answers 502 for it, and is gone."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        if b"create" in asked:
            self.server.socket.close()
            self.close_connection = True
        self.send_response(502 if b"create" in asked else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close" if self.close_connection else "keep-alive")
        self.send_header("Content-Length", str(len(INFO)))
        self.end_headers()
        self.wfile.write(INFO)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


def test_what_was_sent_is_never_reported_as_not_sent() -> None:
    """A create that a 502 came back for is in doubt, and is not sent again; one that found nobody was not sent."""
    server = HTTPServer(("127.0.0.1", 0), LeavesAfterCreate)
    thread = threading.Thread(target=lambda: [server.handle_request() for _ in range(1)])
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    with ShotgunPool(address, "robot", "key") as pool, pytest.raises(AmbiguousWrite, match="create Shot"):
        pool.create("Shot", {"code": "x"})
    thread.join()
    with (
        ShotgunPool(address, "robot", "key") as pool,
        pytest.raises(SiteUnavailable, match="Nothing was sent"),
    ):
        pool.create("Shot", {"code": "x"})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_inside_a_lease_shares_no_connection(site: LocalSite) -> None:
    """The child gives its copy of the lease back to nobody, and begins with an empty pool."""
    reader, writer = os.pipe()
    with ShotgunPool(site.connect()) as pool:
        with pool.lease() as client:
            client.find_one("Shot", [])
            child = os.fork()
        if child == 0:
            os.write(writer, f"{pool.stats()['lent']} {pool.stats()['idle']}".encode())
            os._exit(0)
        os.waitpid(child, 0)
        told = os.read(reader, 1000).decode()
        os.close(reader)
        os.close(writer)
        assert told == "0 0"
        assert pool.stats()["idle"] == 1


def test_a_client_that_cannot_close_gives_its_lease_back(site: LocalSite) -> None:
    """A studio's close() that fails is told, and does not use the pool up."""

    class Stubborn(Shotgun):  # type: ignore[misc]
        def close(self) -> None:
            if threading.current_thread().name == "stubborn":
                raise OSError("no")
            super().close()

    with ShotgunPool(Stubborn(site.url, site.script_name, site.api_key)) as pool:
        threading.current_thread().name, before = "stubborn", threading.current_thread().name
        try:
            with pytest.raises(OSError, match="no"), pool.lease():
                raise RuntimeError
        finally:
            threading.current_thread().name = before
        assert pool.stats()["lent"] == 0


def test_forgetting_never_shortens_what_the_next_update_writes(own_site: LocalSite, session: Session) -> None:
    """A list that lost a member would be written back without it: it is fetched anew instead. Two requests."""
    people = session.find("HumanUser", [], limit=3)
    task = session.create("Task", content="x", project=session.get("Project", 123), task_assignees=people)
    session.forget(people[0])
    session.update(task, task_assignees=[*task.fetch("task_assignees")])
    assert len(task["task_assignees"]) == 3


@pytest.mark.parametrize(
    "write",
    [
        lambda task: task.__setitem__("entity.Shot.code", "NEW"),
        lambda task: task.__setitem__("entity", {"type": "Shot", "id": 234, "code": "NEW"}),
        lambda task: task["entity"].__setitem__("$c", "NEW"),
    ],
    ids=["deep", "nested", "alias"],
)
def test_what_is_set_through_a_link_stands_against_a_read_under_way(write: Callable[[Any], None]) -> None:
    """A read that started before brings no old value back, whichever way the new one was set."""
    session = Session(False, Schema(field_aliases={"Shot": {"c": "code"}}))
    task = session.merge({"type": "Task", "id": 1, "entity": {"type": "Shot", "id": 234, "code": "old"}})
    with session.graph.reading() as moment:
        write(task)
        session.graph.merge([{"type": "Shot", "id": 234, "code": "old"}], over=True, moment=moment)
    assert task["entity"]["code"] == "NEW"


def test_what_is_set_to_the_same_value_stands_as_well() -> None:
    """Somebody means it: a read that started before does not bring another one."""
    session = Session(False)
    shot = session.merge(
        {"type": "Shot", "id": 234, "code": "kept", "sg_sequence": {"type": "Sequence", "id": 1}}
    )
    with session.graph.reading() as moment:
        shot["code"] = shot["code"]
        shot.update(sg_sequence=shot["sg_sequence"])
        older = {"type": "Shot", "id": 234, "code": "old", "sg_sequence": {"type": "Sequence", "id": 2}}
        session.graph.merge([older], over=True, moment=moment)
    assert (shot["code"], shot["sg_sequence"]["id"]) == ("kept", 1)


def test_what_was_set_before_a_value_that_is_refused_stands() -> None:
    """A dict of fields in which one holds an entity of another session: those before it are set, and count as such."""
    session = Session(False)
    shot = session.merge({"type": "Shot", "id": 234, "code": "old"})
    foreign = Session(False).merge({"type": "Sequence", "id": 1})
    with session.graph.reading() as moment:
        with pytest.raises(ForeignEntityError):
            shot.update({"code": "new", "sg_sequence": foreign})
        session.graph.merge([{"type": "Shot", "id": 234, "code": "old"}], over=True, moment=moment)
    assert shot["code"] == "new"


def test_a_name_survives_a_pickle_and_follows_a_write(own_site: LocalSite, session: Session) -> None:
    """A published file keeps its own field `name`; a renamed shot is renamed wherever it is linked."""
    file = session.find_one("PublishedFile", [], ["name"], add_default_fields=False)
    copied = pickle.loads(pickle.dumps(session))
    assert copied.graph.identity.get(file.key)["name"] == file["name"]
    task = session.find_one("Task", [["entity.Shot.code", "is", "AA_001"]])
    session.update(task["entity"], code="ZZZ")
    assert task["entity.Shot.name"] == task["entity"].name == task["entity"]["name"] == "ZZZ"


def test_no_text_shows_the_password_of_an_address() -> None:
    """An address with a user and a password is shown without them, and pickled without them."""
    session = Session(Shotgun("http://user:hidden@localhost:1", "robot", "key", connect=False))
    shot = session.merge({"type": "Shot", "id": 1})
    with pytest.raises(SiteUnavailable) as refused:
        session.find("Shot", [])
    for text in (repr(session), shot.url, str(refused.value), repr(pickle.dumps(session))):
        assert "hidden" not in text


def test_climbing_with_a_schema_asks_nothing_that_it_lacks(session: Session, shotgun: Any) -> None:
    """Types without a project end the climb quietly, with and without a schema."""
    strict = Session(shotgun, shotgun.schema_read())
    step = strict.find_one("Step", [])
    assert strict.fetch_hierarchy(step) == [step]
    assert (step.parent(), step.project()) == (None, None)
    strict.close()


def test_a_registry_without_connect_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A studio's module that lacks its function, or fails inside it, is one clear error."""
    registry = ModuleType("shotgun_api3_registry")
    monkeypatch.setitem(sys.modules, "shotgun_api3_registry", registry)
    with pytest.raises(ConfigurationError, match="no function connect"):
        Session().find("Shot", [])
    registry.connect = lambda: registry.gone  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match="gone"):
        Session().find("Shot", [])


def test_filters_that_hold_themselves_end(offline: Session) -> None:
    """A group inside itself, and one nested beyond what the client can walk, are refused before any request."""
    ring: dict[str, Any] = {"filter_operator": "all", "filters": []}
    ring["filters"].append(ring)
    deep: Any = ["code", "is", "x"]
    for _ in range(3000):
        deep = {"filter_operator": "all", "filters": [deep]}
    for group in (ring, deep):
        with pytest.raises(SyntaxProblem, match="nested over"):
            offline.find("Shot", [group])


def test_results_of_the_session_are_values(session: Session, costs: Costs) -> None:
    """A set of entities and back-references stand in filters as lists do. One request each."""
    shots = session.find("Shot", [], limit=3)
    session.fetch_backrefs(shots, "Task", "entity")
    tasks = shots[0].backrefs["Task", "entity"]
    with costs(2):
        found = session.find("Task", [["entity", "in", session.filter_exists(shots)]])
        again = session.find("Task", [["id", "in", (task["id"] for task in tasks)]])
    assert {task["entity"]["id"] for task in found} <= {shot["id"] for shot in shots}
    assert set(again) == set(tasks)


def test_one_entity_at_a_time_is_deleted(session: Session, costs: Costs) -> None:
    """An id beside an entity, and several entities, are refused before any request."""
    one, other = session.find("Shot", [], limit=2)
    with costs(0):
        for arguments in ((one, other["id"]), ([one, other],), ([],)):
            with pytest.raises(SyntaxProblem, match="one at a time"):
                session.delete(*arguments)


def test_a_subclass_keeps_its_own_attributes_in_a_pickle() -> None:
    """What a studio's session sets on itself travels, and asking for it connects to nothing."""
    session = StudioSession(False)
    session.department = "comp"
    assert pickle.loads(pickle.dumps(session)).department == "comp"
    assert not hasattr(session, "no_such_thing")


class StudioSession(Session):
    department = ""


def test_parents_may_be_several(session: Session, own_site: LocalSite) -> None:
    """Where a list of links leads up, each of them is above, and the project where there is none."""
    session.parent_fields = {**Session.parent_fields, "Asset": "parents", "Reply": "entity"}
    project = session.get("Project", 123)
    one, other = (session.create("Asset", code=code, project=project) for code in "AB")
    child = session.create("Asset", code="C", project=project, parents=[one, other])
    assert set(session.fetch_hierarchy(child)) == {child, one, other, project}
    assert child.parent() in (one, other)
    assert one.parent() is project
    note = session.create("Note", subject="x", project=project)
    reply = session.create("Reply", content="y", entity=note)
    assert reply.project() is project


def test_tasks_on_a_sequence_climb_in_one_read(session: Session, own_site: LocalSite, costs: Costs) -> None:
    """Every type straight below the project is foreseen as a parent, whatever the important links say."""
    project = session.get("Project", 123)
    above = [session.find_one("Sequence", []), session.create("Episode", code="E", project=project)]
    ids = [session.create("Task", content="x", project=project, entity=entity)["id"] for entity in above]
    fresh = Session(own_site.connect())
    tasks = fresh.merge([{"type": "Task", "id": task_id} for task_id in ids])
    with costs(1):
        everything = fresh.fetch_hierarchy(tasks)
    assert {entity["type"] for entity in everything} == {"Task", "Sequence", "Episode", "Project"}
    fresh.close()


def test_what_is_gone_is_none_and_known_to_be_gone(own_site: LocalSite, session: Session) -> None:
    """An id that the session knew by a link, and that the site does not give any more, is None."""
    shot = session.create("Shot", code="x", project=session.get("Project", 123))
    session.shotgun.delete("Shot", shot["id"])
    assert session.get("Shot", [shot["id"]], ["description"]) == [None]
    assert shot.exists(check=False) is False


def test_closing_while_others_fetch_ends_in_clear_errors(site: LocalSite) -> None:
    """Threads that fetch while another closes get an answer, or hear that the pool is closed."""
    session = Session(site.connect())
    known = [session.find_one(kind, []) for kind in ("Shot", "Task", "Asset")]
    problems: list[BaseException] = []

    def fetch() -> None:
        try:
            for _ in range(20):
                session.fetch(known, ["description"], force=True)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    session.close()
    for thread in threads:
        thread.join()
    assert all(isinstance(problem, SessionError) for problem in problems), problems


ODD = [None, 0, True, 5, 2.5, b"x", object(), {"a": 1}, [[]], ["x", 5]]


@pytest.mark.parametrize(
    "call",
    [
        lambda session, odd: session.find("Shot", odd),
        lambda session, odd: session.find("Shot", [["code", "is", "x"]], [odd]),
        lambda session, odd: session.find("Shot", [], order=[odd]),
        lambda session, odd: session.find("Shot", {"logical_operator": "and", "conditions": [odd]}),
        lambda session, odd: session.find(odd, []),
        lambda session, odd: session.get("Shot", [odd]),
        lambda session, odd: session.fetch(odd, ["code"]),
        lambda session, odd: session.fetch_backrefs(session.merge([]), "Task", odd),
        lambda session, odd: session.batch([odd]),
        lambda session, odd: session.update(odd, None, {"code": "x"}),
        lambda session, odd: session.delete(odd),
        lambda session, odd: session.parse_user_input(odd),
        lambda session, odd: session.guess_user(filter=odd if odd else ()),
        lambda session, odd: list(session.find_iter("Shot", [], per_page=odd if odd != 5 else 0, limit=1)),
    ],
)
def test_odd_arguments_end_in_typed_errors(
    session: Session, costs: Costs, call: Callable[[Any, Any], Any]
) -> None:
    """Whatever stands in the place of a name, an id, filters or data: a typed error, or an answer."""
    for odd in ODD:
        try:
            call(session, odd)
        except (SessionError, NotAnEntityError):
            pass
        except Exception as problem:
            assert type(problem).__name__ == "Fault", (odd, problem)  # noqa: PT017  # what the site refused
