"""A dump takes no more memory for many rows than for few."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sgsession.site import LocalSite

pytestmark = [
    pytest.mark.sqlite("the file that could be mapped is SQLite's"),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

MEGABYTE = 1024 * 1024
MOST = 64 * MEGABYTE

# In a process of its own: what other tests took and gave back would hide what this one takes.
DUMP = """
import sys
from pathlib import Path
from sgsession.site import LocalSite

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

class Sink:
    size = most = 0
    lines = 0
    def write(self, text):
        Sink.size += len(text)
        Sink.lines += 1
        if Sink.lines % 500 == 0:
            Sink.most = max(Sink.most, resident())

with LocalSite(sys.argv[1], serve=False) as site:
    before = resident()
    site.dump(Sink())
    print(Sink.lines, Sink.size, Sink.most - before)
"""


@pytest.mark.parametrize(
    ("rows", "letters"), [(24_000, 5_000), pytest.param(1_000_000, 200, marks=pytest.mark.long)]
)
@pytest.mark.timeout(1800)
def test_a_dump_of_many_rows_takes_little_memory(tmp_path: Path, rows: int, letters: int) -> None:
    """A dump of a file of well over 64 MB lets the process grow by less than that."""
    database, lines = tmp_path / "site.sqlite", tmp_path / "lines.jsonl"
    with lines.open("w") as file:
        file.write(json.dumps({"sgsession_site": 1}) + "\n")
        for n in range(1, rows + 1):
            values = {"code": f"v{n}", "description": "d" * letters}
            file.write(json.dumps({"type": "Version", "id": n, "values": values}) + "\n")
    with LocalSite(database, serve=False) as site:
        site.load(lines)
    assert database.stat().st_size > 2 * MOST
    done = subprocess.run(
        [sys.executable, "-c", DUMP, str(database)], capture_output=True, text=True, check=True
    )
    count, size, grown = map(int, done.stdout.split())
    assert count >= rows
    assert size > rows * letters
    assert grown < MOST, f"grew by {grown / MEGABYTE:.0f} MB"
