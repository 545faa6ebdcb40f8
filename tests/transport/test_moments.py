"""Texts that are instants read as the official client reads them, in any zone of the world."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

# Run with TZ set: the client reads the zone at import. Around each change of the zone's clock in some years, minute
# by minute and at random, both read each instant; what differs is printed.
_COMPARE = """
import random, sys
from datetime import datetime, timedelta
from shotgun_api3 import Shotgun
from sgsession.transport.calling.moments import reader_of_moments

seed, to_local = int(sys.argv[1]), sys.argv[2] == "local"
dice = random.Random(seed)
client = Shotgun("http://studio.example", "a", "b", connect=False, convert_datetimes_to_utc=to_local)
read = reader_of_moments(to_local)
starts = [datetime(year, month, 1) for year in (1969, 1987, 2006, 2024) for month in range(1, 13)]
moments = [datetime(1902, 1, 1) + timedelta(seconds=dice.randrange(135 * 31_556_952)) for _ in range(500)]
for start in starts:
    offset = None
    for hour in range(0, 24 * 31, 2):
        moment = start + timedelta(hours=hour)
        now = client._transform_inbound(f"{moment.isoformat()}Z")
        now = now.utcoffset() if to_local else hour // 240
        if offset is not None and now != offset:
            moments += [moment + timedelta(minutes=minute, seconds=dice.randrange(60)) for minute in range(-130, 10)]
        offset = now
texts = [f"{moment.isoformat()}Z" for moment in moments]
dice.shuffle(texts)
for text in texts:
    theirs, ours = client._transform_inbound(text), read(text)
    told = [(str(each), each.tzinfo, each.fold, each.utcoffset(), type(each)) for each in (theirs, ours)]
    if theirs != ours or told[0] != told[1]:
        print(text, theirs, ours)
print(len(texts), "compared, seed", seed)
"""


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system takes no zone from TZ")
@pytest.mark.parametrize(
    ("zone", "to_local"),
    [
        ("Europe/Berlin", "utc"),
        ("Europe/Berlin", "local"),
        ("America/Los_Angeles", "local"),
        ("Australia/Lord_Howe", "local"),  # half an hour of summer time
        ("America/St_Johns", "local"),  # changed its clocks at one minute past midnight, for years
        ("Asia/Kathmandu", "local"),
        # Not Dublin, whose winter time is the exception: there the client is not of one opinion with itself.
    ],
)
def test_the_same_instants(zone: str, to_local: str) -> None:
    """Around each change of the clock, and at random: the same datetime, zone, offset and text."""
    seed = str(int.from_bytes(os.urandom(4), "big"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _COMPARE, seed, to_local],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        text=True,
        check=True,
    )
    *different, count = done.stdout.splitlines()
    assert not different, (count, different[:10])
    assert int(count.split()[0]) > 400
