"""The pages of a site over plain HTTP: what they show, where they lead, what they refuse."""

from __future__ import annotations

import ast
import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import shotgun_api3

from sgsession import Session
from sgsession.site import LocalSite

from ..conftest import Connect
from .conftest import Looking, without_loose_ends
from .show import picture


def table(look: Looking, kind: str, *conditions: tuple[str, str, str], **more: Any) -> Any:
    """The page of a table under conditions, as the filter bar sends them."""
    query = [pair for each in conditions for pair in zip(("f", "op", "v"), each, strict=True)]
    return look.at(f"/page/{kind}", [*query, *more.items()])


def ids(page: Any, kind: str) -> list[int]:
    """The ids of the rows of a table, in order."""
    rows = [each.get("id") or "" for each in page.all("tr")]
    return [int(each.removeprefix(f"{kind}_")) for each in rows if each.startswith(f"{kind}_")]


def test_the_front_page_lists_projects(look: Looking) -> None:
    """Each project with its picture, state and counts, and every type of the site."""
    page = look.at("/")
    assert page.status == 200
    assert page.links["/detail/Project/123"] == "Demo Project"
    assert page.links["/page/Shot?project=123"] == "12Shots"
    assert page.links["/page/Task"].startswith("Task")
    assert "Active" in page.text
    assert len([each for each in page.all("img") if (each["src"] or "").startswith("/thumbnails/")]) == 2


def test_archived_projects_stand_apart(site: LocalSite, shotgun: shotgun_api3.Shotgun) -> None:
    """An archived project is listed after the others, under its own heading; an empty site says what to do."""
    look = Looking(site)
    assert "no project yet" in look.at("/").text
    shotgun.create("Project", {"name": "Old Show", "archived": True})
    shotgun.create("Project", {"name": "Zebra"})
    page = look.at("/")
    look.connection.close()
    assert page.text.index("Zebra") < page.text.index("Archived") < page.text.index("Old Show")


@pytest.mark.parametrize("path", ["/detail/Shot/234", "/detail/Shot/234/"])
def test_a_row_is_shown_with_all_that_belongs_to_it(look: Looking, path: str) -> None:
    """Name, picture, fields by their display names, tasks with people, versions, notes with replies, files."""
    page = look.at(path)
    assert page.status == 200
    assert page.title.startswith("AA_001 · Shot")
    (picture,) = [each for each in page.all("img") if "large" in (each["class"] or "")]
    assert (picture["src"] or "").startswith("/thumbnails/")
    for words in (
        '{"type": "Shot", "id": 234}', "Cut Duration", "The tugboat casts off.", "Fog density",
        "Half it is; a new version renders tonight.", "fields without a value",
    ):  # fmt: skip
        assert words in page.text
    assert page.links["/detail/Sequence/201"] == "AAAA"  # among the crumbs, and among the fields
    assert page.links["/detail/Task/456"] == "Matchmove"
    assert "Ada Lindqvist" in page.links["/detail/HumanUser/11"]
    assert [each for each in page.links if each.startswith("/files/")]


def test_what_points_at_a_row_is_found_from_there(look: Looking) -> None:
    """Rows of other types that name this one, by type and field, each with a link to all of them as a table."""
    page = look.at("/detail/Shot/234")
    (all_of_them,) = [href for href, text in page.links.items() if text.startswith("Published File · Link")]
    assert all_of_them == "/page/PublishedFile?f=entity&op=is&v=Shot%3A234"
    files = ids(look.at(all_of_them), "PublishedFile")
    assert files
    assert all(f"/detail/PublishedFile/{each}" in page.links for each in files)
    person = look.at("/detail/HumanUser/11")
    assert "Task · Assigned To" in person.text
    assert "/page/Note?f=created_by&op=is&v=HumanUser%3A11" in person.links


def test_the_history_of_a_row(look: Looking) -> None:
    """What changed, from what to what, by whom, newest first; and all events of the row one link further."""
    page = look.at("/detail/Shot/234")
    history = page.text[page.text.index("History") :]
    assert "Dmitri Halvorsen Status In Progress → Final" in history
    assert "+ Lighthouse" in history
    assert history.index("→ Final") < history.index("+ Lighthouse") < history.index("The tugboat casts off")
    events = look.at("/page/EventLogEntry?f=entity&op=is&v=Shot%3A234")
    assert ids(events, "EventLogEntry") == sorted(ids(events, "EventLogEntry"), reverse=True)


def test_files_can_be_downloaded(look: Looking) -> None:
    """The link of an attachment gives its bytes."""
    page = look.at("/detail/Shot/234")
    (path,) = [href for href in page.links if href.startswith("/files/")]
    assert look.at(path).html == "Half the density behind the crane.\n"


CONDITIONS: list[tuple[str, tuple[tuple[str, str, str], ...], list[Any]]] = [
    ("Shot", (("code", "starts_with", "AA"),), [["code", "starts_with", "AA"]]),
    ("Shot", (("sg_sequence", "is", ""),), [["sg_sequence", "is", None]]),
    (
        "Shot",
        (("sg_sequence", "is", "Sequence:201"),),
        [["sg_sequence", "is", {"type": "Sequence", "id": 201}]],
    ),
    (
        "Shot",
        (("sg_sequence", "in", "Sequence 201, https://any.example/detail/Sequence/203"),),
        [["sg_sequence", "in", [{"type": "Sequence", "id": 201}, {"type": "Sequence", "id": 203}]]],
    ),
    ("Shot", (("sg_cut_duration", "between", "50, 90"),), [["sg_cut_duration", "between", 50, 90]]),
    ("Shot", (("id", "greater_than", "240"),), [["id", "greater_than", 240]]),
    ("Shot", (("sg_status_list", "in", "ip, wtg"),), [["sg_status_list", "in", ["ip", "wtg"]]]),
    ("Task", (("entity.Shot.code", "contains", "_001"),), [["entity.Shot.code", "contains", "_001"]]),
    ("Task", (("entity", "type_is", "Asset"),), [["entity", "type_is", "Asset"]]),
    ("Task", (("task_assignees", "name_contains", "ada"),), [["task_assignees", "name_contains", "ada"]]),
    ("Task", (("due_date", "not_in_next", "2 days"),), [["due_date", "not_in_next", 2, "DAY"]]),
    ("Task", (("due_date", "in_calendar_year", "0"),), [["due_date", "in_calendar_year", 0]]),
    ("Task", (("milestone", "is", "no"),), [["milestone", "is", False]]),
    ("Task", (("start_date", "less_than", "2025-09-20"),), [["start_date", "less_than", "2025-09-20"]]),
    (
        "Task",
        (("sg_status_list", "is", "ip"), ("entity", "type_is", "Shot")),
        [["sg_status_list", "is", "ip"], ["entity", "type_is", "Shot"]],
    ),
]


@pytest.mark.parametrize(("kind", "written", "filters"), CONDITIONS)
def test_a_table_shows_what_a_client_finds(
    look: Looking, show: LocalSite, connect: Connect, kind: str, written: Any, filters: Any
) -> None:
    """The filter bar means what the same filters mean in `find`, and keeps what was typed."""
    shotgun = connect(show)
    page = table(look, kind, *written, per_page="500")
    assert page.status == 200, page.text
    assert ids(page, kind) == [row["id"] for row in shotgun.find(kind, filters)]
    kept = [each["value"] for each in page.all("input", name="v")]
    assert kept == [*(value for _, _, value in written), ""]


@pytest.mark.parametrize("project", [(), (("project", "123"),)])
@pytest.mark.parametrize("match", ["all", "any"])
@pytest.mark.parametrize("page_number", [1, 2])
def test_the_python_of_a_table_gives_that_table(
    look: Looking, show: LocalSite, connect: Connect, project: Any, match: str, page_number: int
) -> None:
    """The call under "Copy as Python" runs as it stands and finds the rows that the page shows, in their order."""
    query = [
        *project, ("f", "sg_status_list"), ("op", "in"), ("v", "ip,fin"), ("f", "content"), ("op", "contains"),
        ("v", "a"), ("match", match), ("sort", "-due_date,id"), ("per_page", "10"), ("page", page_number),
        ("c", "content,entity.Shot.code"),
    ]  # fmt: skip
    page = look.at("/page/Task", query)
    code = page.text[page.text.index("sg.find(") : page.text.index("Show retired rows")]
    call = ast.parse(code.strip(), mode="eval")
    found = eval(compile(call, "page", "eval"), {"sg": connect(show)})
    assert [row["id"] for row in found] == ids(page, "Task")
    assert len(found) == 10
    assert set(found[0]) == {"type", "id", "content", "entity.Shot.code"}


def test_columns_sorting_and_paging(look: Looking) -> None:
    """The address chooses columns, deep ones too; a head sorts by it, again the other way; pages follow."""
    page = look.at("/page/Shot?c=code,sg_sequence.Sequence.code&per_page=5&sort=code")
    heads = [each["title"] for each in page.all("th", scope="col")[1:]]
    assert heads == ["code (text)", "sg_sequence.Sequence.code (text)"]
    assert page.all("th", scope="col")[1]["aria-sort"] == "ascending"
    first = ids(page, "Shot")
    assert "1\N{EN DASH}5 of 14" in page.text
    (again,) = [href for href, text in page.links.items() if text == "Shot Code"]
    assert "sort=-code" in again
    assert ids(look.at(again), "Shot") == ids(look.at("/page/Shot?sort=code"), "Shot")[:-6:-1]
    (second,) = [href for href, text in page.links.items() if text == "2"]
    following = look.at(second)
    assert len(ids(following, "Shot")) == 5
    assert not set(first) & set(ids(following, "Shot"))
    assert look.at("/page/Shot?page=99").status == 200
    assert "past the last row" in look.at("/page/Shot?page=99").text


def test_retired_rows_are_reachable_and_marked(site: LocalSite, shotgun: shotgun_api3.Shotgun) -> None:
    """A retired row is in the table of the retired only, and its own page says what it is."""
    project = shotgun.create("Project", {"name": "Show"})
    shot = shotgun.create("Shot", {"project": project, "code": "gone"})
    shotgun.delete("Shot", shot["id"])
    look = Looking(site)
    assert ids(look.at("/page/Shot"), "Shot") == []
    assert ids(look.at("/page/Shot?retired=1"), "Shot") == [shot["id"]]
    page = look.at(f"/detail/Shot/{shot['id']}")
    look.connection.close()
    assert page.status == 200
    assert "retired" in page.text
    assert "retired it" in page.text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ([("f", "cod"), ("op", "is"), ("v", "x")], "Shot has no field 'cod'. Did you mean code?"),
        ([("f", "status"), ("op", "is"), ("v", "x")], "Shot has no field 'status'. Did you mean sg_status_list?"),
        ([("f", "code"), ("op", "in_last"), ("v", "3 DAY")], "doesn't support 'in_last' 'relation'. Valid relations:"),
        ([("f", "created_at"), ("op", "in_last"), ("v", "soon")], "takes a number and a unit, such as 3 DAY"),
        ([("f", "sg_cut_in"), ("op", "is"), ("v", "many")], "many"),
        ([("f", "sg_sequence"), ("op", "is"), ("v", "AA")], "'AA' names no row: write Type:id"),
        ([("f", "created_at"), ("op", "is"), ("v", "yesterday")], "Invalid date time format: yesterday"),
        ([("f", "code"), ("op", "drop table"), ("v", "x")], "doesn't support 'drop table' 'relation'"),
        ([("page", "0")], "page='0' is no number from 1"),
        ([("per_page", "100000")], "per_page='100000' is no number from 1 to 500"),
        ([("project", "x")], "project='x' is no number"),
        ([("c", "nonsense")], "Shot has no field 'nonsense'."),
        ([("c", "assets.Asset.code")], "cannot be a column"),
    ],
)  # fmt: skip
def test_a_wrong_address_is_told_on_the_page(look: Looking, query: Any, words: str) -> None:
    """What cannot be meant is a 400 whose page says so in words, with the filter bar as it was."""
    page = look.at("/page/Shot", query)
    assert page.status == 400
    assert words in page.text
    assert "API read()" not in page.text
    assert [each["value"] for each in page.all("input", name="f")] == [
        *(value for name, value in query if name == "f"), "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/detail/Shot/999999", "There is no Shot with the id 999999."),
        ("/detail/Shot/99999999999999999999999", "There is no Shot"),
        ("/detail/Shot/-1", "There is no Shot"),
        ("/detail/Shot/abc", "There is no Shot"),
        ("/detail/Shto/1", "no entity type 'Shto'"),
        ("/page/shots", "no entity type 'shots'"),
        ("/page/9999", "no page 9999"),
        ("/page/99999999999999999999", "no page"),
        ("/nowhere/at/all", "nothing at /nowhere/at/all"),
        ("/detail/Shot", "nothing at /detail/Shot"),
    ],
)
def test_what_is_not_there_is_a_helpful_404(look: Looking, path: str, words: str) -> None:
    """A wrong type, id or address is a page that says so and leads on."""
    page = look.at(path)
    assert page.status == 404
    assert words in page.text
    assert "/" in page.links
    if path.startswith(("/detail/Sh", "/page/sh")) and path.count("/") + ("page" in path) == 3:
        assert "/page/Shot" in page.links


def test_programs_get_a_plain_404(look: Looking) -> None:
    """Who does not ask for HTML gets a line of text."""
    page = look.at("/nowhere", headers={"Accept": "application/json"})
    assert page.status == 404
    assert page.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/page/1", "/page/Shot?project=123"),
        ("/page/project_overview?project_id=123", "/detail/Project/123"),
        ("/page/project_overview", "/"),
        ("/search?q=Shot:234", "/detail/Shot/234"),
        ("/search?q=https://studio.example/detail/Task/456", "/detail/Task/456"),
        ("/search?q=https://studio.example/page/7%23Shot_234_AA_001", "/detail/Shot/234"),
    ],
)
def test_addresses_that_stand_for_others(look: Looking, path: str, target: str) -> None:
    """A Page row leads to the table of its type, and whatever names a row leads to it."""
    page = look.at(path)
    assert page.status == 302
    assert page.headers["location"] == target
    assert look.at(target).status == 200


def test_search_finds_names(look: Looking) -> None:
    """Every word must be in the name; each match says its type and what it belongs to."""
    page = look.at("/search?q=aa_001 anim")
    assert page.status == 200
    assert "AA_001_Animation_v001Version" in page.text.replace(" ", "")
    assert "Nothing on this site" in look.at("/search?q=nothing of the kind").text
    assert look.at("/search").status == 200
    assert look.at("/search?q=" + "a+" * 60).status == 400


NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "{{ 7*7 }}",
    "&lt;b&gt;",
]


@pytest.fixture(scope="module")
def nasty() -> Iterator[Looking]:
    """A site whose every name would be a script if one page forgot to escape it."""
    with LocalSite() as site:
        shotgun = site.connect()
        for number, text in enumerate(NASTY):
            project = shotgun.create("Project", {"name": f"{text}{number}", "sg_description": text})
            sequence = shotgun.create("Sequence", {"project": project, "code": text})
            shot = shotgun.create(
                "Shot", {"project": project, "code": text, "description": text, "sg_sequence": sequence}
            )
            shotgun.create("Task", {"project": project, "content": text, "entity": shot})
            note = shotgun.create(
                "Note", {"project": project, "subject": text, "content": text, "note_links": [shot]}
            )
            shotgun.create("Reply", {"entity": note, "content": text})
            version = shotgun.create("Version", {"project": project, "code": text, "entity": shot})
            link = {"url": f"javascript:alert('{text}')", "name": text}
            shotgun.update("Version", version["id"], {"sg_uploaded_movie": link})
            shotgun.update("Shot", shot["id"], {"code": text + "!"})
        shotgun.schema_field_create("Shot", "text", "<script>field</script>")
        shotgun.close()
        looking = Looking(site)
        yield looking
        looking.connection.close()


def nasty_addresses() -> list[tuple[str, Any]]:
    """Every page, with nasty names on it or nasty texts in its address."""
    rows = [
        (f"/detail/{kind}/{number}", ())
        for kind in ("Project", "Shot", "Version", "Note")
        for number in (1, 2, 3)
    ]
    tables = [
        (f"/page/{kind}", ())
        for kind in ("Project", "Shot", "Task", "Version", "Note", "Reply", "EventLogEntry")
    ]
    typed = [
        each
        for text in NASTY
        for each in (
            ("/search", [("q", text)]),
            (
                "/page/Shot",
                [("f", text), ("op", text), ("v", text), ("sort", text), ("c", text), ("page", text)],
            ),
            ("/page/Shot", [("f", "code"), ("op", "is"), ("v", text)]),
            ("/page/Shot", [("f", "code"), ("op", text), ("v", text)]),
            (f"/page/{text}", ()),
            (f"/detail/{text}/{text}", ()),
            (f"/{text}", ()),
        )
    ]
    return [("/", ()), *rows, *tables, *typed]


def test_every_value_is_escaped(nasty: Looking) -> None:
    """No name, text or address becomes markup: no script, no handler, no picture or link from elsewhere."""
    for path, query in nasty_addresses():
        page = nasty.at(path, query)
        assert page.status in (200, 400, 404), (path, query)
        names = {name for name, _ in page.tags}
        assert not names & {"script", "iframe", "object", "style", "base"}, (path, query)
        for name, attributes in page.tags:
            assert not [each for each in attributes if each.startswith("on") or each == "style"], (
                path,
                query,
            )
            for address in (attributes.get("href"), attributes.get("src"), attributes.get("action")):
                assert address is None or (address[0] in "/#" and address[:2] != "//"), address
            assert name != "img" or (attributes["src"] or "").startswith(("/thumbnails/", "/images/"))
        assert "49" not in page.title
    assert "<script>alert(1)</script>!" in nasty.at("/detail/Shot/1").text


def test_pages_forbid_what_they_do_not_need(look: Looking) -> None:
    """Every page, errors too, forbids scripts, frames and anything from elsewhere."""
    for path in ("/", "/page/Shot", "/detail/Shot/234", "/search?q=a", "/nowhere", "/detail/X/1", "/page/1"):
        headers = look.at(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_foreign_host_names_are_turned_away(look: Looking) -> None:
    """No page answers under a name that the site does not have: not even the style."""
    style = look.at("/").all("link", rel="stylesheet")[0]["href"]
    for path in ("/", "/page/Shot", "/detail/Shot/234", "/nowhere", style):
        assert look.at(path, headers={"Host": "evil.example"}).status == 421


def test_looking_changes_nothing(site: LocalSite, shotgun: shotgun_api3.Shotgun, tmp_path: Any) -> None:
    """A page that shows a fresh thumbnail leaves its transient state to clients, and no call or event behind."""
    shot = shotgun.create("Shot", {"project": shotgun.create("Project", {"name": "Show"}), "code": "010"})
    with without_loose_ends():
        shotgun.upload_thumbnail("Shot", shot["id"], str(picture(tmp_path / "a.png", "AA", 1)))
    events = shotgun.summarize("EventLogEntry", [], [{"field": "id", "type": "count"}])
    site.reset_requests()
    look = Looking(site)
    assert "/thumbnails/" in look.at(f"/detail/Shot/{shot['id']}").html
    assert look.at("/page/Shot").status == look.at("/").status == 200
    look.connection.request("POST", "/page/Shot")
    assert look.connection.getresponse().status == 405
    look.connection.close()
    assert site.requests == []
    assert "transient" in shotgun.find_one("Shot", [], ["image"])["image"]
    assert shotgun.summarize("EventLogEntry", [], [{"field": "id", "type": "count"}]) == events


def test_every_row_of_the_demo_has_a_page(look: Looking, show: LocalSite, connect: Connect) -> None:
    """One row of each type, and the table of each type, whatever its fields hold."""
    shotgun = connect(show)
    for kind in shotgun.schema_entity_read():
        page = look.at(f"/page/{kind}")
        assert page.status == 200, kind
        for row_id in ids(page, kind)[:2]:
            assert look.at(f"/detail/{kind}/{row_id}").status == 200, (kind, row_id)


@pytest.mark.smoke
def test_a_custom_field_shows_at_once(site: LocalSite, shotgun: shotgun_api3.Shotgun) -> None:
    """A field made over the API is on the page of a row, in its tables and in their filters."""
    project = shotgun.create("Project", {"name": "Show"})
    name = shotgun.schema_field_create("Shot", "text", "Look")
    shot = shotgun.create("Shot", {"project": project, "code": "010", name: "grim"})
    look = Looking(site)
    assert "grim" in look.at(f"/detail/Shot/{shot['id']}").text
    assert ids(table(look, "Shot", (name, "is", "grim"), c=name), "Shot") == [shot["id"]]
    look.connection.close()


def test_the_address_of_an_entity_answers(look: Looking, show: LocalSite, connect: Connect) -> None:
    """What `entity.url` gives is a page of the site, and pasting it gives the entity."""
    with Session(connect(show)) as session:
        shot = session.find_one("Shot", [["code", "is", "AA_001"]])
        page = look.at(shot.url.removeprefix(show.url))
        assert page.title.startswith("AA_001 ")
        assert session.parse_user_input(shot.url) is shot


def test_a_site_that_nobody_looks_at_loads_no_pages() -> None:
    """Serving imports neither the templates' library nor the pages: a site starts no later for them."""
    code = (
        "import sys\nfrom sgsession.site import LocalSite\nwith LocalSite() as site: pass\n"
        "print([name for name in sys.modules if name.startswith(('jinja2', 'sgsession.site.pages.'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == ["sgsession.site.pages.addresses", "sgsession.site.pages.routes"]


PIECES = [
    "Shot", "Task", "code", "entity.Shot.code", "$FROM$Task.entity.id", "in", "between", "in_last", "name_contains",
    "-", "1", "0", "99999999999999999999", "Shot:1", "{\"type\": \"Shot\", \"id\": 1}", "'; DROP TABLE Shot; --", "%00",
    "\x00", "\ud7ff", "é", "3 DAY", "null", ",", ",,,", "[", "a" * 3000, "id", "sg_sequence", "image", "created_at",
    "tags", "tag_list", "project", "meta", "step_0", "open_notes_count", "viewed_by_current_user", "\u202e", "\n", "..",
]  # fmt: skip


def test_no_query_breaks_a_page(look: Looking) -> None:
    """Whatever stands in an address, the answer is a page of the site's own: never a 500, never SQL or a traceback."""
    # pytest-randomly prints the seed that this one follows from.
    chance = random.Random(random.randrange(2**32))
    names = (
        "f",
        "op",
        "v",
        "c",
        "sort",
        "page",
        "per_page",
        "project",
        "retired",
        "match",
        "q",
        "project_id",
    )

    def text() -> str:
        return "".join(chance.choices(PIECES, k=chance.choice((1, 1, 1, 2, 3))))

    for _ in range(400):
        query: list[tuple[str, Any]] = [(chance.choice(names), text()) for _ in range(chance.randrange(8))]
        kind = chance.choice(("Shot", "Task", "Version", "Note", "EventLogEntry", "HumanUser", "Status"))
        path = chance.choice(
            (f"/page/{kind}", f"/page/{kind}", "/search", "/page/project_overview", "/page/1")
        )
        look.connection.request("GET", f"{path}?{urlencode(query)}", headers={"Accept": "text/html"})
        response = look.connection.getresponse()
        body = response.read()
        assert response.status in (200, 302, 400, 404), (path, query, body[:3000])
        for leak in (b"Traceback", b"sqlalchemy", b"sqlite3", b"SELECT "):
            assert leak not in body, (path, query)
