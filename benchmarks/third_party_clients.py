"""Clients that others wrote, against the embedded site: which of their steps pass.

    python benchmarks/third_party_clients.py [--keep FOLDER]

Makes a virtual environment for each client, installs it from PyPI, and lets this file run its steps there
against a site of this process: create, find with deep fields, update, upload, delete. Prints a table in
Markdown, which docs/third-party-clients.md holds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

STEPS = ["create", "find with deep fields", "update", "upload", "delete"]
# A picture of one pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000"
    "050001a5f645400000000049454e44ae426082"
)

Steps = Iterator[tuple[str, bool]]


def plain(client: Any, picture: str, name: str) -> Steps:
    """The steps of a client that has the methods of the official one. Each step says whether its answer is right."""
    film = client.create("Project", {"name": name})
    sequence = client.create("Sequence", {"code": "AA", "project": film})
    shot = client.create("Shot", {"code": "AA_010", "project": film, "sg_sequence": sequence})
    yield "create", shot["type"] == "Shot" and shot["id"] > 0
    deep = ["code", "project.Project.name", "sg_sequence.Sequence.code"]
    found = client.find("Shot", [["sg_sequence.Sequence.code", "is", "AA"], ["project", "is", film]], deep)
    yield STEPS[1], [[row[field] for field in deep] for row in found] == [["AA_010", name, "AA"]]
    updated = client.update("Shot", shot["id"], {"description": "new"})
    again = client.find_one("Shot", [["id", "is", shot["id"]]], ["description"])
    yield "update", updated["description"] == "new" and again["description"] == "new"
    attachment = client.upload("Shot", shot["id"], picture)
    kept = client.find_one("Attachment", [["id", "is", attachment]], ["this_file"])
    yield "upload", client.download_attachment(kept["this_file"]) == PNG
    yield (
        "delete",
        client.delete("Shot", shot["id"]) and client.find("Shot", [["id", "is", shot["id"]]]) == [],
    )


def official(url: str, script: str, key: str, picture: str) -> Steps:
    """shotgun_api3, the client by the vendor; sg-python-api, which takes its place, runs the same."""
    from shotgun_api3 import Shotgun

    client = Shotgun(url, script_name=script, api_key=key)
    yield from plain(client, picture, "Film of Shotgun")
    client.close()


def sg_python_api_async(url: str, script: str, key: str, picture: str) -> Steps:
    """The same calls, awaited one by one."""
    from shotgun_api3 import AsyncShotgun

    loop = asyncio.new_event_loop()
    client = AsyncShotgun(url, script_name=script, api_key=key)

    class Awaited:
        def __getattr__(self, name: str) -> Callable[..., Any]:
            method = getattr(client, name)
            return lambda *arguments: loop.run_until_complete(method(*arguments))

    yield from plain(Awaited(), picture, "Film of AsyncShotgun")
    loop.run_until_complete(client.close())
    loop.close()


def fpt_api(url: str, script: str, key: str, picture: str) -> Steps:
    """FPT, a Shotgun with threads and query fields."""
    from fpt_api import FPT

    yield from plain(FPT(url, script_name=script, api_key=key), picture, "Film of FPT")


def pyshotgrid(url: str, script: str, key: str, picture: str) -> Steps:
    """Entities as objects whose fields are objects."""
    import pyshotgrid as pysg

    site = pysg.new_site(base_url=url, script_name=script, api_key=key)
    film = site.create("Project", {"name": "Film of pyshotgrid"})
    sequence = site.create("Sequence", {"code": "AA", "project": film.to_dict()})
    data = {"code": "AA_010", "project": film.to_dict(), "sg_sequence": sequence.to_dict()}
    shot = site.create("Shot", data)
    yield "create", shot.type == "Shot" and shot.id > 0
    filters = [["sg_sequence.Sequence.code", "is", "AA"], ["project", "is", film.to_dict()]]
    (found,) = site.find("Shot", filters)
    deep = found.get(["code", "project.Project.name", "sg_sequence.Sequence.code"])
    yield STEPS[1], list(deep.values()) == ["AA_010", "Film of pyshotgrid", "AA"]
    shot["description"].set("new")
    yield "update", shot["description"].get() == "new"
    version = site.create("Version", {"code": "v1", "project": film.to_dict()})
    version["sg_uploaded_movie"].upload(picture)
    with tempfile.TemporaryDirectory() as folder:
        yield "upload", Path(version["sg_uploaded_movie"].download(folder + "/")).read_bytes() == PNG
    yield "delete", shot.delete() and site.find("Shot", filters) == []


def sgalchemy(url: str, script: str, key: str, picture: str) -> Steps:
    """Classes reflected from the schema, and a session that commits."""
    from sgalchemy import Session, create_engine, joinedload, select
    from shotgun_api3 import Shotgun

    client = Shotgun(url, script_name=script, api_key=key)
    with tempfile.TemporaryDirectory() as cache:
        engine = create_engine(connection=client, cache_root=Path(cache))
        engine.load_schema()
        from sgalchemy.entities import Project, Sequence, Shot

        with Session(engine) as session:
            film = Project.new(name="Film of sgalchemy")
            sequence = Sequence.new(code="AA", project=film)
            shot = Shot.new(code="AA_010", project=film, sg_sequence=sequence)
            for each in (film, sequence, shot):
                session.add(each)
            session.commit()
            number = shot.id
            yield "create", number > 0
            query = select(Shot).where(Shot.sg_sequence.code == "AA", Shot.id == number)
            (found,) = session.scalars(query.options(joinedload(Shot.sg_sequence), joinedload(Shot.project)))
            right = (found.sg_sequence.code, found.project.name) == ("AA", "Film of sgalchemy")
            yield STEPS[1], right
            found.description = "new"
            session.commit()
            kept = client.find_one("Shot", [["id", "is", number]], ["description"])
            yield "update", kept["description"] == "new"
            found.image = picture
            session.commit()
            yield "upload", client.find("Attachment", []) != []
            session.delete(found)
            session.commit()
            yield "delete", client.find("Shot", [["id", "is", number]]) == []


# Name → the function that runs its steps, and what pip installs for it.
CLIENTS: dict[str, tuple[Callable[[str, str, str, str], Steps], list[str]]] = {
    "shotgun_api3": (official, ["shotgun_api3"]),
    "sg-python-api": (official, ["sg-python-api"]),
    "sg-python-api, async": (sg_python_api_async, ["sg-python-api[async]"]),
    "pyshotgrid": (pyshotgrid, ["pyshotgrid"]),
    "fpt-api": (fpt_api, ["fpt-api"]),
    "sgalchemy": (sgalchemy, ["sgalchemy[official]"]),
}


def run_here(name: str, url: str, script: str, key: str, picture: str) -> None:
    """Run one client's steps in this environment, and print what came of them as JSON."""
    came: dict[str, str] = {}
    try:
        for step, right in CLIENTS[name][0](url, script, key, picture):
            came[step] = "passes" if right else "wrong answer"
    except Exception as problem:
        # Any error at all is a result here: it belongs to the first step without one.
        (step, *_) = [step for step in STEPS if step not in came] or ["closing"]
        came[step] = f"{type(problem).__name__}: {' '.join(str(problem).split())[:120]}"
    print("\n" + json.dumps(came))


def environment(folder: Path, packages: list[str]) -> tuple[Path, str]:
    """A virtual environment with these packages: its Python, and the version of the first."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", *packages], check=True)
    name = packages[0].partition("[")[0]
    code = f"from importlib.metadata import version; print(version({name!r}))"
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    return python, done.stdout.strip()


def table(folder: Path) -> Iterator[str]:
    """Serve a site, run each client against it, and give the lines of the table."""
    from sgsession.site import LocalSite

    picture = folder / "pixel.png"
    picture.write_bytes(PNG)
    yield f"{datetime.now(timezone.utc):%Y-%m-%d}, Python {sys.version.split()[0]}\n"
    yield f"| client | version | {' | '.join(STEPS)} |"
    yield f"|---|---|{'---|' * len(STEPS)}"
    for name, (_, packages) in CLIENTS.items():
        python, version = environment(folder / name.replace(", ", "-"), packages)
        # sg-python-api knows the direct route alone, which the others take as well.
        with LocalSite(direct_uploads=True) as site:
            command = [
                python,
                __file__,
                "--run",
                name,
                site.url,
                site.script_name,
                site.api_key,
                str(picture),
            ]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        said = done.stdout.strip().splitlines()
        came = json.loads(said[-1]) if said else {STEPS[0]: done.stderr[-200:]}
        yield f"| {name} | {version} | {' | '.join(came.get(step, 'not reached') for step in STEPS)} |"


def main() -> None:
    """Print the table, or run the steps of one client."""
    if sys.argv[1:2] == ["--run"]:
        run_here(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="keep the environments in this folder, for the next time")
    keep = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for line in table(folder):
            print(line, flush=True)


if __name__ == "__main__":
    main()
