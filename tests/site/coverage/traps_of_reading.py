"""Traps of reading: filters, sorting, paging, paths, the event log."""

from __future__ import annotations

from .ground import Ground, link, read_params
from .traps import refusal, trap


@trap(1, "Unknown `return_fields` vanish, unknown filter fields fault")
def _(g: Ground) -> None:
    assert g.client.find_one("Project", [], ["nonsense"]).keys() == {"type", "id"}
    assert "Project.nonsense doesn't exist" in str(refusal(g.client.find, "Project", [["nonsense", "is", 1]]))


@trap(2, '`["id","in",[]]` reaches the server and is refused with a message')
def _(g: Ground) -> None:
    assert "expects at least a 1-element array" in str(refusal(g.client.find, "Shot", [["id", "in", []]]))
    g.site.reset_requests()
    refusal(g.client.find, "Shot", [["code", "in", []]])
    assert g.asked("read") == 0


@trap(3, "Unknown or unsortable sort fields are ignored")
def _(g: Ground) -> None:
    first, second = g.make("Shot"), g.make("Shot")
    for name in ("nonsense", "image", "notes"):
        order = [{"field_name": name, "direction": "desc"}]
        assert g.ids("Shot", order=order) == [first["id"], second["id"]]


@trap(4, "Negations include nulls")
def _(g: Ground) -> None:
    bare = g.make("Shot", sg_status_list=None)
    g.make("Shot", sg_status_list="fin")
    assert g.ids("Shot", ["sg_status_list", "is_not", "fin"]) == [bare["id"]]


@trap(5, "`is` on a multi_entity means contains; two of them mean both")
def _(g: Ground) -> None:
    one, other = g.make("Asset"), g.make("Asset")
    g.make("Shot", assets=[one])
    both = g.make("Shot", assets=[one, other])
    assert len(g.ids("Shot", ["assets", "is", one])) == 2
    assert g.ids("Shot", ["assets", "is", one], ["assets", "is", other]) == [both["id"]]


@trap(6, "Text and list filters ignore case, list writes do not")
def _(g: Ground) -> None:
    asset = g.make("Asset", code="Lamp", sg_asset_type="Prop")
    assert g.ids("Asset", ["code", "is", "LAMP"], ["sg_asset_type", "is", "prop"]) == [asset["id"]]
    assert "is not a valid list value" in str(refusal(lambda: g.make("Asset", sg_asset_type="prop")))


@trap(7, "Floats take integers and floats")
def _(g: Ground) -> None:
    for value in (30, 30.0):
        cut = g.make("Cut", fps=value)
        assert g.value(cut, "fps") == 30.0
        assert cut["id"] in g.ids("Cut", ["fps", "is", value])


@trap(10, "`paging_info` is there when the client asks for it")
def _(g: Ground) -> None:
    asked = g.results("read", read_params("Project", return_paging_info_without_counts=True))
    assert asked["paging_info"]["has_next_page"] is False
    assert "entities" in g.results("read", read_params("Project", return_paging_info_without_counts=False))


@trap(11, "A `limit` above the page size takes several reads, a `page` takes one")
def _(g: Ground) -> None:
    shots = [g.make("Shot")["id"] for _ in range(5)]
    g.client.config._records_per_page = 2
    g.site.reset_requests()
    assert [row["id"] for row in g.client.find("Shot", [], limit=5)] == shots
    assert g.asked("read") == 3
    g.site.reset_requests()
    assert [row["id"] for row in g.client.find("Shot", [], limit=2, page=2)] == shots[2:4]
    assert g.asked("read") == 1


@trap(12, "`has_next_page` is false after a full last page, so the client stops")
def _(g: Ground) -> None:
    shots = [g.make("Shot")["id"] for _ in range(4)]
    g.client.config._records_per_page = 2
    g.site.reset_requests()
    assert g.ids("Shot") == shots
    assert g.asked("read") == 2


@trap(17, "`info` says how many rows a page of the client has")
def _(g: Ground) -> None:
    assert g.client.info()["api_max_entities_per_page"] == g.client.config.records_per_page == 500


@trap(24, "An event's `entity` is null once its row is retired; `meta` still knows it")
def _(g: Ground) -> None:
    shot = g.make("Shot")
    made = ["event_type", "is", "Shotgun_Shot_New"]
    assert link(g.client.find_one("EventLogEntry", [made], ["entity"])["entity"]) == shot
    g.client.delete("Shot", shot["id"])
    event = g.client.find_one("EventLogEntry", [made], ["entity", "meta"])
    assert event["entity"] is None
    assert (event["meta"]["entity_type"], event["meta"]["entity_id"]) == ("Shot", shot["id"])


@trap(25, "A script without `generate_event_log_entries` writes no events")
def _(g: Ground) -> None:
    script = g.client.find_one("ApiUser", [["firstname", "is", g.site.script_name]])
    g.client.update("ApiUser", script["id"], {"generate_event_log_entries": False})
    before = g.ids("EventLogEntry")
    shot = g.make("Shot")
    assert g.ids("EventLogEntry") == before
    assert g.client.activity_stream_read("Shot", shot["id"])["updates"] == []


@trap(26, "Event ids may come out of order: this site gives them at commit, without holes")
def _(g: Ground) -> None:
    for _ in range(3):
        g.make("Shot")
        refusal(lambda: g.make("Shot", sg_status_list="nonsense"))
    found = g.ids("EventLogEntry")
    assert found == list(range(found[0], found[0] + len(found)))


@trap(30, "Checkboxes are never null, other scalars are until they are set")
def _(g: Ground) -> None:
    version = g.make("Version")
    assert g.value(version, "flagged") is False
    assert [g.value(version, name) for name in ("description", "frame_count", "sg_movie_aspect_ratio")] == [
        None
    ] * 3


@trap(40, "Rows carry `type` and `id`, asked for or not")
def _(g: Ground) -> None:
    for fields in ([], ["id"], ["name"]):
        (row,) = g.results("read", read_params("Project", return_fields=fields))["entities"]
        assert row.items() >= g.project.items()


@trap(42, "Dates before 1970 are legal")
def _(g: Ground) -> None:
    task = g.make("Task", due_date="1968-10-13")
    assert g.value(task, "due_date") == "1968-10-13"
    assert g.ids("Task", ["due_date", "less_than", "1970-01-01"]) == [task["id"]]


@trap(44, "Deep filters pass through a multi_entity, deep fields do not")
def _(g: Ground) -> None:
    shot = g.make("Shot", assets=[g.make("Asset", code="lamp")])
    g.make("Shot")
    found = g.client.find("Shot", [["assets.Asset.code", "is", "lamp"]], ["assets.Asset.code"])
    assert found == [shot]


@trap(38, "`schema_*` calls without arguments come with one parameter")
def _(g: Ground) -> None:
    for method in ("schema_read", "schema_entity_read"):
        assert "Shot" in g.results(method)


@trap(45, "`project` of a schema call may be a whole row")
def _(g: Ground) -> None:
    row = g.client.find_one("Project", [], ["name", "created_by", "sg_status", "created_at"])
    assert "Shot" in g.client.schema_read(row)
    assert "code" in g.client.schema_field_read("Shot", project_entity=row)


@trap(46, "Results of writes and searches are never empty")
def _(g: Ground) -> None:
    shot = g.client.create("Shot", {"project": g.project, "code": "a"})
    assert g.results("update", {**link(shot), "fields": [{"field_name": "description", "value": None}]})
    assert g.client.text_search("nothing at all", {"Shot": []}) == {
        "matches": [],
        "terms": ["nothing", "at", "all"],
    }
    assert g.client.activity_stream_read("Shot", shot["id"])
    assert g.client.batch([{"request_type": "delete", "entity_type": "Shot", "entity_id": shot["id"]}]) == [
        True
    ]
