"""Sites out to JSON lines and in again: nothing is lost, and no half of a bad file is taken."""

from __future__ import annotations

import io
import json
import tracemalloc
from datetime import datetime, timezone

import pytest

from sgsession.site import LocalSite
from sgsession.site.transfer import bulk
from sgsession.site.transfer.loading import DumpError


def dumped(site, **options):
    file = io.StringIO()
    site.dump(file, **options)
    return file.getvalue()


def loaded(text):
    site = LocalSite(serve=False)
    try:
        site.load(io.StringIO(text))
    except BaseException:
        site.close()
        raise
    return site


def everything(site):
    """All rows of all types with all fields, as a client reads them; less what each site has of its own."""
    client = site.connect(in_process=not site.url.startswith("http://127"))
    found = {}
    for entity_type, fields in client.schema_read().items():
        for retired in (False, True):
            rows = client.find(entity_type, [], list(fields), retired_only=retired)
            found[entity_type, retired] = rows
    client.close()
    return found


def test_a_site_comes_back_as_it_was(site, shotgun, tmp_path):
    """Schema edits, rows of every kind, lists from both ends, extras, retired rows and events survive."""
    demo = site.project("Demo")
    look = shotgun.schema_field_create("Shot", "text", "Look")
    link = shotgun.schema_field_create("Version", "multi_entity", "Shot Link", {"valid_types": ["Shot"]})
    shotgun.schema_field_create("Asset", "text", "Gone")
    shotgun.schema_field_delete("Asset", "sg_gone")
    shot = demo.sequence("AA").shot("010", {look: "grim"})
    shot.asset("Tree")
    version = shot.task("Comp").version("v1", {link: [shot]})
    version.note("Dark", content="Lift it.")
    playlist = shotgun.create("Playlist", {"code": "p", "project": demo.link, "versions": [version.link]})
    (row,) = shotgun.find("PlaylistVersionConnection", [])
    shotgun.update("PlaylistVersionConnection", row["id"], {"sg_sort_order": 7})
    shotgun.update("Playlist", playlist["id"], {"versions": []})
    shotgun.update("Playlist", playlist["id"], {"versions": [version.link]})
    page = {"url": "http://x.test", "name": "x"}
    shotgun.update("Project", demo.id, {"billboard": page, "tracking_settings": {"a": [1, "ü\u2028"]}})
    shotgun.update(
        "Shot", shot.id, {"tags": [shotgun.create("Tag", {"name": "red"})], "description": "ü\u2028\n"}
    )
    other = demo.shot("020").version("v2")
    gone = demo.shot("020").id
    shotgun.delete("Shot", gone)
    shotgun.follow(site.person("Ann").link, shot.link)
    path = tmp_path / "site.jsonl"
    site.dump(path)
    with LocalSite() as copy:
        copy.load(path)
        assert everything(copy) == everything(site)
        assert dumped(copy) == path.read_text(encoding="utf-8")
        client = copy.connect()
        assert client.schema_read() == shotgun.schema_read()
        # What a deletion took along comes back with it, and ids go on where they were.
        assert client.revive("Shot", gone) is True
        assert client.find_one("Version", [["id", "is", other.id]], ["entity"])["entity"]["id"] == gone
        assert client.create("Shot", {"code": "new", "project": demo.link})["id"] == 3
        assert client.following(site.person("Ann").link)[0]["id"] == shot.id
        client.update("Playlist", playlist["id"], {"versions": [version.link, other.link]})
        assert max(each["id"] for each in client.find("PlaylistVersionConnection", [])) == 3
        client.close()


def test_the_lines(site):
    """A dump is made of the lines that its documentation shows, without nulls, names and folded twins."""
    shot = site.project("Demo").shot("Ä", sg_cut_in=7)
    lines = [json.loads(line) for line in dumped(site).splitlines()]
    assert lines[0] == {"sgsession_site": 1}
    (row,) = [line for line in lines if line.get("type") == "Shot"]
    assert row["id"] == shot.id
    assert row["values"]["code"] == "Ä"
    assert row["values"]["project"] == {"type": "Project", "id": 1}
    assert not {"cached_display_name", "description", "retired", "code__folded"} & row["values"].keys()
    assert lines[-1]["last_ids"]["Shot"] == 1


def test_events_may_be_left_out(site):
    """events=False leaves out the log, which is most of an old site."""
    site.project("Demo")
    assert '"EventLogEntry","id"' in dumped(site)
    assert '"EventLogEntry","id"' not in dumped(site, events=False)


def test_secrets_stay(site):
    """No key, digest or password is in a dump."""
    site.person("Ann")
    site.set_password("ann", "correct horse")
    text = dumped(site)
    assert site.api_key not in text
    assert "script_key" not in text
    assert "correct horse" not in text
    assert '"table":"password"' not in text


def test_loading_twice_is_loading_once(site):
    """Rows of the same type and id are replaced, edits that are there are not made again."""
    site.connect(in_process=True).schema_field_create("Shot", "text", "Look")
    site.project("Demo").shot("010", sg_look="grim").asset("Tree")
    text = dumped(site)
    site.load(io.StringIO(text))
    assert dumped(site) == text
    copy = loaded(text)
    copy.project("Demo").shot("010", sg_look="new")
    copy.load(io.StringIO(text))
    assert [row["sg_look"] for row in copy.connect(in_process=True).find("Shot", [], ["sg_look"])] == ["grim"]
    copy.close()


def test_progress_of_a_load(site, tmp_path):
    """Who asks is told ever larger shares of the file, and the whole at the end."""
    path, shares = tmp_path / "site.jsonl", []
    tags = ({"type": "Tag", "id": number, "values": {"name": f"tag {number}"}} for number in range(1, 9000))
    path.write_text("\n".join(map(json.dumps, [{"sgsession_site": 1}, *tags])))
    site.load(path, progress=shares.append)
    assert len(site.connect(in_process=True).find("Tag", [])) == 8999
    assert len(shares) == 6
    assert shares == sorted(shares)
    assert 0.1 < shares[1] < 0.4
    assert shares[-1] == 1.0


def test_a_script_in_the_place_of_the_sites_own(site):
    """When a script of the dump takes the id of the site's own, the key opens only the site's own."""
    lines = [
        {"sgsession_site": 1},
        {"type": "ApiUser", "id": 1, "values": {"firstname": "robot", "lastname": "1"}},
    ]
    site.load(io.StringIO("\n".join(map(json.dumps, lines))))
    client = site.connect(in_process=True)
    assert {row["firstname"]: row["id"] for row in client.find("ApiUser", [], ["firstname"])} == {
        "robot": 1, "sgsession": 2
    }  # fmt: skip
    with pytest.raises(Exception, match="Can't authenticate script 'robot'"):
        site.connect(in_process=True, script_name="robot", api_key=site.api_key).find("Shot", [])


@pytest.fixture(scope="module")
def untouched():
    """A site that takes no bad dump, and its own dump."""
    with LocalSite(serve=False) as site:
        yield site, dumped(site)


HEAD = '{"sgsession_site": 1}\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 0 of the dump: it is empty"),
        ("{}", "line 1 of the dump: it does not begin with the head"),
        ('{"sgsession_site": 2}', "it does not begin with the head of a dump of format 1"),
        (HEAD + "nope", "line 2 of the dump: not JSON"),
        (HEAD + "[" * 100_000, "line 2 of the dump: not JSON"),
        (HEAD + "[]", "line 2 of the dump: not a JSON object"),
        (HEAD + '{"a": 1}', "neither edit, row, table nor last_ids: a"),
        (HEAD + '{"type": "Shoot", "id": 1, "values": {}}', "this site has no entity type 'Shoot'"),
        (HEAD + '{"type": 7, "id": 1, "values": {}}', "this site has no entity type 7"),
        (HEAD + '{"type": [], "id": 1, "values": {}}', "no entity type"),
        (HEAD + '{"type": "Shot", "id": 0, "values": {}}', "Shot without a proper id: 0"),
        (HEAD + '{"type": "Shot", "id": 99999999999, "values": {}}', "Shot without a proper id"),
        (HEAD + '{"type": "Shot", "id": 1}', "Shot 1 has no values"),
        (HEAD + '{"type": "Shot", "id": 1, "values": {"nope": 1}}', "this site stores no field Shot.nope"),
        (HEAD + '{"type": "Shot", "id": 1, "values": {"sg_cut_in": "x"}}', "Invalid data for 'number'"),
        (HEAD + '{"type": "Shot", "id": 1, "values": {"code": 7}}', "Shot.code expected"),
        (HEAD + '{"type": "Shot", "id": 1, "values": {"tags": 7}}', "Shot.tags expected"),
        (HEAD + '{"type": "Shot", "id": 1, "values": {}, "retired": {"at": "x"}}', "bad retired"),
        (HEAD + '{"type": "Shot", "id": 1, "values": {}, "retired": 1}', "retired must be an object"),
        (HEAD + 2 * '{"type": "Shot", "id": 1, "values": {}}\n', "line 3 of the dump: "),
        (HEAD + '{"edit": {"edit": "create"}}', "its schema edits do not fit this site"),
        (HEAD + '{"edit": 7}', "its schema edits do not fit this site"),
        (HEAD + '{"table": "script_key", "rows": []}', "this site has no table 'script_key'"),
        (HEAD + '{"table": "work_day", "rows": [{}]}', "rows of work_day need exactly"),
        (
            HEAD
            + '{"table": "work_day", "rows": [{"level": "Studio", "owner_id": 1e400, "date": [], "working": true,'
            ' "description": null}]}',
            "line 2 of the dump: ",
        ),
        (
            HEAD
            + '{"table": "record", "rows": [{"type": "Shot", "id": 1, "name": null, "name__folded": null,'
            ' "retired": false, "project_id": null}]}',
            "only a DisplayColumn",
        ),
        (HEAD + '{"last_ids": {"Shot": 1000000000000000000000000}}', "line 2 of the dump: "),
        (HEAD + '{"last_ids": {"\\ud800": 7}}', "line 2 of the dump: "),
        (HEAD + '{"type": "Shot", "id": 1, "values": {"code": "\\ud800"}}', "line 2 of the dump: "),
        (HEAD + '{"last_ids": 7}', "last_ids must give a number for each type"),
    ],
)
def test_bad_dumps(untouched, text, words):
    """What is wrong is said with the number of the line, and nothing of the file stays."""
    site, before = untouched
    with pytest.raises(DumpError, match=r"^line \d+ of the dump: ") as caught:
        site.load(io.StringIO(text))
    assert words in str(caught.value)
    assert dumped(site) == before


def test_a_broken_file_leaves_the_old_dump(site, tmp_path, monkeypatch):
    """A dump that fails half way leaves neither half a file nor the remains of one."""
    path = tmp_path / "site.jsonl"
    path.write_text("old")
    site.engine.store.close()
    with pytest.raises(Exception, match="closed"):
        site.dump(path)
    assert [each.name for each in tmp_path.iterdir()] == ["site.jsonl"]
    assert path.read_text() == "old"


class _Counter(io.TextIOBase):
    """A file that keeps nothing but the number of its lines."""

    lines = 0

    def write(self, text: str) -> int:
        self.lines += text.count("\n")
        return len(text)


def test_memory_stays_flat():
    """Dumping and loading hold some thousand rows, however many there are."""
    with LocalSite(serve=False) as site:
        store = site.engine.store
        rows = ({"id": number, "code": f"shot {number}"} for number in range(1, 30_001))
        with store.writing() as connection:
            now = datetime.now(timezone.utc).replace(tzinfo=None)
            bulk.load(connection, store.tables, store.schema, "Shot", rows, now=now)
        site.dump(_Counter())
        counter = _Counter()
        tracemalloc.start()
        site.dump(counter)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert counter.lines > 30_000
        assert peak < 16 * 2**20
