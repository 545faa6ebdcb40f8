"""The file that keeps a site's key: made once, read by nobody else, and never taken for what it is not."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from sgsession.site import LocalSite
from sgsession.site.people.key_file import KeyFileError, key_in


def test_a_missing_file_is_made_once(tmp_path: Path) -> None:
    """The first call makes a key of 160 bits, the later ones find it, and nothing else is left there."""
    path = tmp_path / "site.key"
    key = key_in(path)
    assert re.fullmatch("[0-9a-f]{40}", key)
    assert key_in(path) == key
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="other systems have other permissions")
def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    """Mode 0600, whatever the umask lets through."""
    path = tmp_path / "site.key"
    before = os.umask(0)
    try:
        key_in(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_of_ones_own(tmp_path: Path) -> None:
    """A key that was written by hand is taken, and the file stays as it is."""
    path = tmp_path / "site.key"
    path.write_text("  my-own-key \n")
    with LocalSite(key_file=path) as site:
        assert site.api_key == "my-own-key"
        client = site.connect()
        assert client.find("Shot", []) == []
        client.close()
    assert path.read_text() == "  my-own-key \n"


def test_an_empty_file_gets_a_key(tmp_path: Path) -> None:
    """A file that was only made, as by mktemp, is filled."""
    path = tmp_path / "site.key"
    path.touch()
    assert path.read_text().strip() == "" != key_in(path) == path.read_text().strip()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"two words", "more than one word"), (b"\xff\xfe\x00", "no text"), (b"a\x00b", "more than one word")],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """What holds something else is named and left alone."""
    path = tmp_path / "letter"
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match=f"letter .*{said}"):
        LocalSite(key_file=path, serve=False)
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A key that cannot be kept is an error that names the file, not a key that is lost."""
    with pytest.raises(KeyFileError, match=r"nowhere.site\.key cannot be used: No such file"):
        key_in(tmp_path / "nowhere" / "site.key")
