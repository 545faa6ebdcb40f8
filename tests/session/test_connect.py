"""`connect()`: where a site's name and credentials come from."""

from __future__ import annotations

import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import shotgun_api3

from sgsession import ConfigurationError, Session, ShotgunPool, connect
from sgsession.site import LocalSite

Write = Callable[[str, str], None]
URL = "https://studio.example.com"


@pytest.fixture(autouse=True)
def nothing_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that knows no site; the path where its profiles would be."""
    for name in ("SGSESSION_URL", "SGSESSION_SCRIPT_NAME", "SGSESSION_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "profiles.ini"
    monkeypatch.setenv("SGSESSION_CONFIG", str(path))
    return path


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write real modules that can be imported while the test runs."""
    monkeypatch.syspath_prepend(str(tmp_path))
    written: list[str] = []

    def write(name: str, source: str) -> None:
        sys.modules.pop(name, None)
        (tmp_path / f"{name}.py").write_text(dedent(source), encoding="utf-8")
        written.append(name)

    yield write
    for name in written:
        sys.modules.pop(name, None)


@pytest.fixture
def entry_point(tmp_path: Path, module: Write) -> Write:
    """Write the metadata of an installed package that has one entry point, `group = "name = module:function"`."""

    def write(group: str, target: str) -> None:
        folder = tmp_path / f"studio_{group}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: studio-{group}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[{group}]\nstudio = {target}\n")

    return write


@pytest.fixture
def profiles(nothing_configured: Path) -> Callable[[str], Path]:
    """Write the profiles of this machine, for nobody else to read."""

    def write(text: str) -> Path:
        nothing_configured.write_text(dedent(text), encoding="utf-8")
        nothing_configured.chmod(0o600)
        return nothing_configured

    return write


CLIENT = """
    import shotgun_api3

    def connect(*args, **kwargs):
        client = shotgun_api3.Shotgun("https://{}.example.com", "script", "key", connect=False)
        client.given = (args, kwargs)
        return client
"""


def test_nothing_is_configured(nothing_configured: Path) -> None:
    """The error says what to set, and where a profile would be."""
    with pytest.raises(ConfigurationError, match="SGSESSION_URL") as problem:
        connect()
    assert str(nothing_configured) in str(problem.value)
    assert isinstance(problem.value, shotgun_api3.ShotgunError)


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three variables make a client of the official class, which has not asked its site yet."""
    monkeypatch.setenv("SGSESSION_URL", URL)
    monkeypatch.setenv("SGSESSION_SCRIPT_NAME", "robot")
    with pytest.raises(ConfigurationError, match="SGSESSION_API_KEY"):
        connect()
    monkeypatch.setenv("SGSESSION_API_KEY", "key")
    client = connect()
    assert type(client) is shotgun_api3.Shotgun
    assert (client.base_url, client.config.script_name, client.config.api_key) == (URL, "robot", "key")
    assert client._connection is None


def test_arguments_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keywords are the client's and win; a login goes without the script."""
    monkeypatch.setenv("SGSESSION_URL", URL)
    monkeypatch.setenv("SGSESSION_SCRIPT_NAME", "robot")
    monkeypatch.setenv("SGSESSION_API_KEY", "key")
    assert connect(script_name="other").config.script_name == "other"
    client = connect(login="ada", password="secret")
    assert (client.config.user_login, client.config.script_name) == ("ada", None)


def test_a_profile(profiles: Callable[[str], Path]) -> None:
    """A section of profiles.ini is a site; its options are the client's arguments, `url` for the address."""
    profiles(
        """
        [studio]
        url = https://studio.example.com
        script_name = robot
        api_key = 100%secret

        [default]
        base_url = https://main.example.com
        login = ada
        password = secret
        convert_datetimes_to_utc = no
        """
    )
    client = connect("studio")
    assert (client.base_url, client.config.script_name, client.config.api_key) == (URL, "robot", "100%secret")
    default = connect()
    assert (default.base_url, default.config.user_login) == ("https://main.example.com", "ada")
    assert default.config.convert_datetimes_to_utc is False


def test_arguments_come_before_a_profile(profiles: Callable[[str], Path]) -> None:
    """Keywords replace single options of a profile."""
    profiles("[studio]\nurl = https://studio.example.com\nscript_name = robot\napi_key = key\n")
    assert connect("studio", script_name="other").config.script_name == "other"


def test_a_profile_comes_before_the_environment(
    profiles: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment speaks for who has written nothing down."""
    profiles("[default]\nurl = https://main.example.com\nscript_name = robot\napi_key = key\n")
    monkeypatch.setenv("SGSESSION_URL", URL)
    assert connect().base_url == "https://main.example.com"


def test_an_unknown_name(profiles: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that nobody knows is refused, though the environment has a site; the nearest is named."""
    monkeypatch.setenv("SGSESSION_URL", URL)
    monkeypatch.setenv("SGSESSION_SCRIPT_NAME", "robot")
    monkeypatch.setenv("SGSESSION_API_KEY", "key")
    with pytest.raises(ConfigurationError, match="no profiles"):
        connect("studio")
    profiles("[studio]\nurl = https://studio.example.com\n")
    with pytest.raises(ConfigurationError, match="Did you mean studio"):
        connect("stduio")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[studio]\nscript_name = robot\n", "no url"),
        ("[studio]\nurl = studio\n", "address of a site"),
        ("[studio]\nurl = https://s.example.com\nscript = robot\n", "Did you mean script_name"),
        ("[studio\nurl = https://s.example.com\n", "cannot be read"),
        ("no section\n", "cannot be read"),
        ("[studio]\nurl = a\nurl = b\n", "cannot be read"),
        ("[studio]\nurl = https://s.example.com\nscript_name = robot\n", "does not take these arguments"),
    ],
)
def test_mistakes_in_profiles(profiles: Callable[[str], Path], text: str, message: str) -> None:
    """Each is a `ConfigurationError` that says what is wrong."""
    profiles(text)
    with pytest.raises(ConfigurationError, match=message):
        connect("studio")


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_profiles_that_others_can_read(profiles: Callable[[str], Path]) -> None:
    """Keys for everybody are worth a warning."""
    profiles("[studio]\nurl = https://studio.example.com\nscript_name = robot\napi_key = key\n").chmod(0o644)
    with pytest.warns(UserWarning, match="others can read it"):
        connect("studio")


@pytest.mark.skipif(sys.platform == "win32", reason="the folder is another on Windows")
def test_where_profiles_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without SGSESSION_CONFIG they are in the user's configuration folder."""
    monkeypatch.delenv("SGSESSION_CONFIG")
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".config" / "sgsession"
    folder.mkdir(parents=True)
    path = folder / "profiles.ini"
    path.write_text("[studio]\nurl = https://studio.example.com\nscript_name = robot\napi_key = key\n")
    path.chmod(0o600)
    assert connect("studio").base_url == URL


def test_the_registry(module: Write, profiles: Callable[[str], Path]) -> None:
    """A module `shotgun_api3_registry` comes before profiles, and gets the name and all arguments."""
    profiles("[studio]\nurl = https://profile.example.com\nscript_name = robot\napi_key = key\n")
    module("shotgun_api3_registry", CLIENT.format("registry"))
    client = connect("studio", 7, extra=True)
    assert client.base_url == "https://registry.example.com"
    assert client.given == (("studio", 7), {"extra": True})
    assert connect().given == ((), {})


@pytest.mark.parametrize(
    "read",
    [
        lambda session: session.find("Shot", []),
        lambda session: next(session.find_iter("Shot", [], async_count=2)),
        lambda session: session.find_one("Shot", []),
        lambda session: session.fetch_backrefs(session.merge({"type": "Shot", "id": 234}), "Task", "entity"),
    ],
    ids=["find", "find_iter", "find_one", "fetch_backrefs"],
)
def test_connecting_holds_no_lock(monkeypatch: pytest.MonkeyPatch, read: Callable[[Session], Any]) -> None:
    """A studio's code that connects at first use may wait for a thread that merges."""
    registry = types.ModuleType("shotgun_api3_registry")
    merged = threading.Event()

    def merge() -> None:
        session.merge({"type": "Shot", "id": 1})
        merged.set()

    def at_first_use() -> Any:
        threading.Thread(target=merge, daemon=True).start()
        assert merged.wait(10)
        return site.connect(connect=False)

    monkeypatch.setattr(registry, "connect", at_first_use, raising=False)
    monkeypatch.setitem(sys.modules, "shotgun_api3_registry", registry)
    with LocalSite(demo="small") as site, Session() as session:
        read(session)
        assert merged.is_set()


def test_a_broken_registry_is_no_missing_one(module: Write) -> None:
    """A registry that cannot be imported says so, instead of another site being taken."""
    module("shotgun_api3_registry", "import a_module_that_is_not_there\n")
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        connect("studio")


def test_an_entry_point_that_connects(module: Write, entry_point: Write) -> None:
    """`shotgun_api3_connect` comes before the registry and gets all arguments."""
    module("shotgun_api3_registry", CLIENT.format("registry"))
    module("studio_one", CLIENT.format("entry-point"))
    entry_point("shotgun_api3_connect", "studio_one:connect")
    client = connect("studio", 7, extra=True)
    assert client.base_url == "https://entry-point.example.com"
    assert client.given == (("studio", 7), {"extra": True})


def test_an_entry_point_that_gives_arguments(module: Write, entry_point: Write) -> None:
    """`shotgun_api3_kwargs` returns the client's arguments, and the client is made of them."""
    module(
        "studio_two",
        """
        def arguments(name=None, **kwargs):
            return {"base_url": f"https://{name}.example.com", "script_name": "robot", "api_key": "key"}
        """,
    )
    entry_point("shotgun_api3_kwargs", "studio_two:arguments")
    client = connect("studio")
    assert type(client) is shotgun_api3.Shotgun
    assert (client.base_url, client.config.script_name) == (URL, "robot")


def test_an_entry_point_may_pass(module: Write, entry_point: Write, profiles: Callable[[str], Path]) -> None:
    """An entry point that returns None leaves the name to the next source."""
    profiles("[studio]\nurl = https://studio.example.com\nscript_name = robot\napi_key = key\n")
    module("studio_three", "def nothing(*args, **kwargs):\n    return None\n")
    entry_point("shotgun_api3_connect", "studio_three:nothing")
    entry_point("shotgun_api3_kwargs", "studio_three:nothing")
    assert connect("studio").base_url == URL


def test_a_session_by_name(module: Write) -> None:
    """`Session(name, schema, *args, **kwargs)` connects by name, passes the rest on, and wraps the client."""
    module("shotgun_api3_registry", CLIENT.format("registry"))
    with Session("studio", None, 7, extra=True) as session:
        assert isinstance(session.shotgun, ShotgunPool)
        assert session.shotgun.given == (("studio", 7), {"extra": True})


def test_a_session_by_nothing_connects_at_first_use(site: LocalSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """`Session()` looks for its site when it needs one, not before."""
    with Session() as session:
        assert session.merge({"type": "Shot", "id": 234})["id"] == 234
        with pytest.raises(ConfigurationError):
            session.find_one("Shot", [])
        monkeypatch.setenv("SGSESSION_URL", site.url)
        monkeypatch.setenv("SGSESSION_SCRIPT_NAME", site.script_name)
        monkeypatch.setenv("SGSESSION_API_KEY", site.api_key)
        assert session.fetch([session.merge({"type": "Shot", "id": 234})], ["code"]) is None
        assert session.get("Shot", 234)["code"] == "AA_001"


def test_further_arguments_need_a_name(site: LocalSite) -> None:
    """Beside a client they would be lost, and are refused."""
    with pytest.raises(TypeError, match="name of a site"):
        Session(site.connect(connect=False), None, "extra")


def test_threads_that_need_the_site_at_once_connect_once(module: Write) -> None:
    """`Session()` in eight threads: whoever comes first looks for the site, the others take what it found."""
    module(
        "shotgun_api3_registry",
        """
        import time

        import shotgun_api3

        asked = []

        def connect():
            asked.append(1)
            time.sleep(0.2)
            return shotgun_api3.Shotgun("https://studio.example.com", "script", "key", connect=False)
        """,
    )
    start = threading.Barrier(8)
    with Session() as session, ThreadPoolExecutor(8) as threads:

        def need(_: int) -> Any:
            start.wait(10)
            return session.shotgun

        found = list(threads.map(need, range(8)))
    assert {id(pool) for pool in found} == {id(session.shotgun)}
    assert sys.modules["shotgun_api3_registry"].asked == [1]


@pytest.mark.parametrize("wrong", [True, 7, 1.5, b"studio"], ids=repr)
def test_what_is_neither_a_client_nor_a_name(wrong: Any) -> None:
    """It is refused when the session is made, not at its first request."""
    with pytest.raises(ConfigurationError, match="neither a client nor the name"):
        Session(wrong)


def test_a_registry_without_a_connect(module: Write) -> None:
    """The module is named, and what it lacks."""
    module("shotgun_api3_registry", "def other():\n    return None\n")
    with pytest.raises(ConfigurationError, match="no function connect"):
        connect("studio")


def test_a_mistake_in_the_registry_is_no_missing_attribute(module: Write) -> None:
    """An `AttributeError` of the studio's code is not taken for one of the session, and says what failed."""
    module("shotgun_api3_registry", "def connect():\n    return None.client\n")
    session = Session()
    with pytest.raises(ConfigurationError, match="has no attribute 'client'"):
        session.find("Shot", [])


def test_a_password_in_an_address_is_not_shown(module: Write) -> None:
    """`https://user:password@host` is used as it is, and printed without the two."""
    client = shotgun_api3.Shotgun("https://ada:secret@studio.example.com", "script", "key", connect=False)
    with Session(client) as session:
        assert "studio.example.com" in repr(session)
        assert "secret" not in repr(session)
        assert "secret" not in session.get_url({"type": "Shot", "id": 7})
