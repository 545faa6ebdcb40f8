"""Traps of writing: values, links, retirement, files, the schema."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request

from .ground import Ground, link, read_params
from .traps import refusal, trap


@trap(14, "A failing upload form is answered with status 200 and `0`")
def _(g: Ground) -> None:
    form = {"script_name": g.site.script_name, "script_key": "wrong", "entity_type": "Shot", "entity_id": 1}
    request = urllib.request.Request(
        f"{g.site.url}/upload/upload_file", urllib.parse.urlencode(form).encode()
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
        assert answer.read().startswith(b"0\n")


@trap(19, "A bare list replaces the links; `replies: []` destroys the replies")
def _(g: Ground) -> None:
    one, other = g.make("Asset"), g.make("Asset")
    shot = g.make("Shot", assets=[one])
    g.client.update("Shot", shot["id"], {"assets": [other]})
    assert [link(each) for each in g.value(shot, "assets")] == [other]
    note = g.make("Note")
    reply = g.make_global("Reply", entity=note, content="x")
    g.client.update("Note", note["id"], {"replies": []})
    assert g.client.find("Reply", []) == []
    assert [link(each) for each in g.client.find("Reply", [], retired_only=True)] == [reply]


@trap(21, "A Shot added to another Sequence leaves its former one")
def _(g: Ground) -> None:
    shot = g.make("Shot")
    old, new = g.make("Sequence", shots=[shot]), g.make("Sequence")
    g.client.update("Sequence", new["id"], {"shots": [shot]}, multi_entity_update_modes={"shots": "add"})
    assert g.value(old, "shots") == []
    assert link(g.value(shot, "sg_sequence")) == new


@trap(22, "`valid_types` binds only a few fields")
def _(g: Ground) -> None:
    person = g.make_global("HumanUser", login="ann", name="Ann A")
    assert link(g.value(g.make("Task", entity=person), "entity")) == person
    assert link(g.value(g.make("Version", sg_task=person), "sg_task")) == person
    assert "Episode expected, got HumanUser" in str(refusal(lambda: g.make("Sequence", episode=person)))


@trap(23, "Deleting a Shot retires its Versions")
def _(g: Ground) -> None:
    shot = g.make("Shot")
    version = g.make("Version", entity=shot)
    g.client.delete("Shot", shot["id"])
    assert [link(each) for each in g.client.find("Version", [], retired_only=True)] == [version]


@trap(27, "`mandatory` is not required, and the required `project` is not mandatory")
def _(g: Ground) -> None:
    fields = g.client.schema_field_read("Shot")
    assert fields["code"]["mandatory"]["value"] is True
    assert fields["project"]["mandatory"]["value"] is False
    assert g.value(g.make("Shot"), "code") == "New Shot 1"
    assert "missing 'project' attribute" in str(refusal(g.client.create, "Shot", {"code": "a"}))


@trap(28, "`hidden_values` are still taken by writes")
def _(g: Ground) -> None:
    shot = g.make("Shot")
    properties = g.client.schema_field_read("Shot", "sg_status_list", g.project)["sg_status_list"][
        "properties"
    ]
    offered, hidden = properties["valid_values"]["value"], properties["hidden_values"]["value"] or []
    for code in [*offered, *hidden]:
        assert g.client.update("Shot", shot["id"], {"sg_status_list": code})["sg_status_list"] == code


@trap(29, "A deleted custom field keeps its name")
def _(g: Ground) -> None:
    name = g.client.schema_field_create("Shot", "text", "Probe")
    assert g.client.schema_field_create("Shot", "text", "Probe") == f"{name}_1"
    g.client.schema_field_delete("Shot", name)
    assert "there is a retired field with the same field_name" in str(
        refusal(g.client.schema_field_create, "Shot", "text", "Probe")
    )


@trap(31, "`cached_display_name` and per-person fields take writes and ignore them")
def _(g: Ground) -> None:
    version = g.make("Version", code="v1")
    g.client.update("Version", version["id"], {"cached_display_name": "x", "viewed_by_current_user": "read"})
    assert g.value(version, "cached_display_name") == "v1"


@trap(32, "`image` is only cleared or uploaded, and counts as present while pending")
def _(g: Ground) -> None:
    shot = g.make("Shot")
    params = {**shot, "fields": [{"field_name": "image", "value": "/a/b.png"}]}
    assert "exception" in g.envelope("update", params)
    g.client.upload_thumbnail("Shot", shot["id"], g.picture())
    assert g.ids("Shot", ["image", "is_not", None]) == [shot["id"]]
    assert g.client.update("Shot", shot["id"], {"image": None}) == {**shot, "image": None}
    assert g.ids("Shot", ["image", "is", None]) == [shot["id"]]


@trap(33, "`Task.color` cannot be null")
def _(g: Ground) -> None:
    assert "Value cannot be nil for Task.color." in str(refusal(lambda: g.make("Task", color=None)))
    assert g.value(g.make("Task"), "color") == "pipeline_step"


@trap(34, "Numbers have 32 bits, and overflow reads as a database message")
def _(g: Ground) -> None:
    shot = g.make("Shot", head_in=2**31 - 1)
    assert "integer out of range" in str(refusal(lambda: g.make("Shot", head_in=2**31)))
    message = str(refusal(g.client.update, "Shot", shot["id"], {"head_in": 2**31}))
    assert "Update failed for [Shot.head_in]: Invalid statement." in message


@trap(37, "A new thumbnail first shows as `images/status/transient`")
def _(g: Ground) -> None:
    shot = g.make("Shot")
    g.client.upload_thumbnail("Shot", shot["id"], g.picture())
    assert "images/status/transient" in g.value(shot, "image")


@trap(47, "An expired session token faults with 102 when asked to")
def _(g: Ground) -> None:
    g.site.session_lifetime = -1
    token = g.client.get_session_token()
    auth = {"session_token": token, "reject_if_expired": True}
    answer = g.envelope_as(auth, "read", read_params("Project"))
    assert answer["error_code"] == 102
