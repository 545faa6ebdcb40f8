"""How the tests of this project run: random ones freshly random each time, and sites on either database."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings

from .canary import WholeRun

if TYPE_CHECKING:
    from .site.postgresql import Server

_SERVER = pytest.StashKey["Server"]()

# Repeatable from what they print. No deadline: the machines that run this are busy, and a test must fail for its
# assertion alone.
settings.register_profile(
    "sgsession",
    derandomize=False,
    print_blob=True,
    deadline=None,
    max_examples=60,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("sgsession")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --site-database."""
    parser.addoption(
        "--site-database",
        default="sqlite",
        metavar="WHERE",
        help="where sites without a database of their own keep their rows: sqlite, postgresql (a server is "
        "started for the run), or the URL of a PostgreSQL server that runs",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks, and let sites lie where --site-database says."""
    config.addinivalue_line("markers", "sqlite(reason): for sites in SQLite files alone")
    config.pluginmanager.register(WholeRun(), "canary")
    if config.getoption("--site-database") != "sqlite":
        from sgsession.site.database import store

        store.private_database = lambda schema: _server(config).private_database(schema)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip by name what is about SQLite files where sites lie elsewhere."""
    if config.getoption("--site-database") == "sqlite":
        return
    for item in items:
        mark = item.get_closest_marker("sqlite")
        if mark is not None:
            item.add_marker(pytest.mark.skip(reason=f"SQLite: {mark.args[0]}"))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the server."""
    server = config.stash.get(_SERVER, None)
    if server is not None:
        server.close()


@pytest.fixture(scope="session")
def makers_live_tests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder from which the official client's own live tests run, fetched from PyPI."""
    from benchmarks.live_tests.suite import NoLiveTests, fetch

    try:
        return fetch(tmp_path_factory.mktemp("live_tests"))
    except NoLiveTests as problem:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def postgresql(pytestconfig: pytest.Config) -> Server:
    """A PostgreSQL server; `new_database()` gives the URL of an empty database in it."""
    from .site.postgresql import CannotStartError

    try:
        return _server(pytestconfig)
    except (ImportError, CannotStartError) as problem:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no PostgreSQL server: {problem}")


@pytest.fixture
def postgresql_url(postgresql: Server) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of the test's own."""
    url = postgresql.new_database()
    yield url.render_as_string(hide_password=False)
    postgresql.drop(url)


def _server(config: pytest.Config) -> Server:
    from .site import postgresql

    if _SERVER not in config.stash:
        where = config.getoption("--site-database")
        config.stash[_SERVER] = postgresql.running(where) if "://" in where else postgresql.started()
    return config.stash[_SERVER]


@pytest.fixture
def dice() -> random.Random:
    """Random numbers; where a test fails, their seed is printed with it."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    return random.Random(seed)
