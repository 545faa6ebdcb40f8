"""Every remote method of wire.md 2.0, asked once over HTTP as the client asks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import shotgun_api3

from .ground import Ground, Row, ground, read_params, words

NO_FILTERS: Row = {"logical_operator": "and", "conditions": []}


class Method(NamedTuple):
    """A remote method: who sends it, the arguments to try, and whether an answer has the recorded form."""

    python: str
    wire: str
    arguments: Callable[[Ground], list[Any]]
    fits: Callable[[Any], bool]


def _shot(ground: Ground) -> Row:
    return ground.make("Shot", code="sh_1")


def _person(ground: Ground) -> Row:
    return ground.make_global("HumanUser", login="ann", name="Ann A")


def _pair(ground: Ground) -> list[Any]:
    return [{"user": _person(ground), "entity": _shot(ground)}]


def _retired(ground: Ground) -> Row:
    shot = _shot(ground)
    ground.client.delete(shot["type"], shot["id"])
    return shot


def _made_field(ground: Ground) -> Row:
    ground.client.schema_field_create("Shot", "text", "Probe")
    return {"type": "Shot", "field_name": "sg_probe"}


def _field(**values: Any) -> list[Row]:
    return [{"field_name": name, "value": value} for name, value in values.items()]


def _properties(**values: Any) -> list[Row]:
    return [{"property_name": name, "value": value} for name, value in values.items()]


def _page(ground: Ground) -> Row:
    return ground.make("Page", name="Shots", page_type="entity_query", entity_type="Shot", shared=True)


def _navigation(ground: Ground) -> str:
    return f"/Project/{ground.project['id']}"


def _no(*arguments: Any) -> list[Any]:
    return []


def _has(*keys: str) -> Callable[[Any], bool]:
    return lambda results: isinstance(results, dict) and set(keys) <= results.keys()


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda results: isinstance(results, kind)


METHODS = (
    Method("`info`, `connect`", "info", _no, _has("version", "s3_direct_uploads_enabled")),
    Method("`find`, `find_one`", "read", lambda g: [read_params("Project")], _has("entities")),
    Method(
        "`create`",
        "create",
        lambda g: [{"type": "Shot", "fields": _field(project=g.project, code="a"), "return_fields": ["id"]}],
        _has("type", "id", "code", "project"),
    ),
    Method("`update`", "update", lambda g: [{**_shot(g), "fields": _field(code="b")}], _has("type", "id", "code")),
    Method("`delete`", "delete", lambda g: [_shot(g)], lambda results: results is True),
    Method("`revive`", "revive", lambda g: [_retired(g)], lambda results: results is True),
    Method("`batch`", "batch", lambda g: [[{"request_type": "delete", **_shot(g)}]], lambda found: found == [True]),
    Method(
        "`summarize`",
        "summarize",
        lambda g: [{"type": "Project", "filters": NO_FILTERS, "summaries": [{"field": "id", "type": "count"}],
                    "grouping": [{"field": "name", "type": "exact", "direction": "asc"}]}],
        _has("summaries", "groups"),
    ),
    Method("`schema_read`", "schema_read", _no, _has("Shot", "Task", "Version")),
    Method("`schema_entity_read`", "schema_entity_read", _no, _has("Shot", "Task", "Version")),
    Method("`schema_field_read`", "schema_field_read", lambda g: [{"type": "Shot"}], _has("id", "code", "project")),
    Method(
        "`schema_field_create`",
        "schema_field_create",
        lambda g: [{"type": "Shot", "data_type": "text", "properties": _properties(name="Probe")}],
        lambda results: results == "sg_probe",
    ),
    Method(
        "`schema_field_update`",
        "schema_field_update",
        lambda g: [{**_made_field(g), "properties": _properties(description="what it is for")}],
        lambda results: results is True,
    ),
    Method("`schema_field_delete`", "schema_field_delete", lambda g: [_made_field(g)], lambda results: results is True),
    Method(
        "`text_search`",
        "query_display_name_cache",
        lambda g: [{"text": "sh 1", "entity_types": {_shot(g)["type"]: NO_FILTERS}, "project_ids": [],
                    "max_results": None}],
        lambda found: _has("matches", "terms")(found) and [each["name"] for each in found["matches"]] == ["sh_1"],
    ),
    Method(
        "`activity_stream_read`",
        "activity_stream",
        lambda g: [{**_shot(g), "max_id": None, "min_id": None, "limit": None, "entity_fields": {}}],
        lambda found: _has("entity_type", "entity_id", "latest_update_id", "earliest_update_id", "updates")(found)
        and bool(found["updates"]),
    ),
    Method(
        "`note_thread_read`",
        "note_thread_contents",
        lambda g: [{"note_id": g.make("Note", content="x")["id"], "entity_fields": {}}],
        lambda found: isinstance(found, list) and found[0]["type"] == "Note",
    ),
    Method("`follow`", "follow", _pair, _has("followed", "user", "entity")),
    Method("`unfollow`", "unfollow", _pair, _has("unfollowed", "user", "entity")),
    Method("`followers`", "followers", lambda g: [{"entity": _shot(g)}], _is(list)),
    Method("`following`", "following", lambda g: [{"user": _person(g)}], _is(list)),
    Method(
        "`work_schedule_read`",
        "work_schedule_read",
        lambda g: [{"start_date": "2024-05-03", "end_date": "2024-05-06", "project": None, "user": None}],
        lambda found: list(found) == [f"2024-05-0{day}" for day in (3, 4, 5, 6)],
    ),
    Method(
        "`work_schedule_update`",
        "work_schedule_update",
        lambda g: [{"date": "2024-05-06", "working": False, "description": "holiday", "project": None,
                    "user": None, "recalculate_field": None}],
        _has("date", "description", "project", "user", "working"),
    ),
    Method(
        "`preferences_read`",
        "preferences_read",
        lambda g: [{"prefs": ["hours_per_day"]}],
        lambda results: results == {"hours_per_day": 8.0},
    ),
    Method("`get_session_token`", "get_session_token", _no, _has("session_id")),
    Method(
        "`update_project_last_accessed`",
        "update_project_last_accessed_by_current_user",
        lambda g: [{"project_id": g.project["id"], "user_id": _person(g)["id"]}],
        bool,
    ),
    Method("`user_subscriptions_read`", "user_subscriptions_read", _no, _is(list)),
    Method(
        "`user_subscriptions_create`",
        "user_subscriptions_create",
        lambda g: [{"users": [{"humanUserId": _person(g)["id"], "subscription": None}]}],
        lambda results: results == {"status": "success"},
    ),
    Method(
        "`nav_expand`",
        "nav_expand",
        lambda g: [{"path": _navigation(g), "seed_entity_field": None, "entity_fields": None}],
        _has("label", "path", "ref", "has_children", "children"),
    ),
    Method(
        "`nav_search_string`",
        "nav_search",
        lambda g: [{"root_path": f"/Project/{_shot(g) and g.project['id']}", "seed_entity_field": None,
                    "search_criteria": {"search_string": "sh_1"}}],
        lambda found: isinstance(found, list) and all(_has("label", "incremental_path", "ref")(each) for each in found),
    ),
    Method(
        "`nav_search_entity`",
        "nav_search",
        lambda g: [{"root_path": _navigation(g), "seed_entity_field": None,
                    "search_criteria": {"entity": _shot(g)}}],
        lambda found: isinstance(found, list) and all(_has("label", "incremental_path", "ref")(each) for each in found),
    ),
)  # fmt: skip


def method_outcome(method: Method) -> str:
    """What the site does with one call of the method."""
    with ground() as site:
        try:
            arguments = method.arguments(site)
        except Exception as problem:
            return f"cannot be tried: {words(problem)}"
        answer = site.envelope(method.wire, *arguments)
        if "exception" in answer:
            return f"refused: {words(answer['message'])}"
        return "answers" if method.fits(answer["results"]) else "answers in another form"


def page_export_outcome() -> str:
    """`export_page`: its answer is no JSON, so it is asked through the client."""
    with ground() as site:
        page = _page(site)
        try:
            exported = site.client.export_page(page["id"], "csv")
        except Exception as problem:
            return f"refused: {words(problem)}"
        return "answers" if isinstance(exported, bytes) else "answers in another form"


def unknown_method_outcome() -> str:
    """A method that no client sends."""
    with ground() as site:
        answer = site.envelope("no_such_method")
        return f"refused ({answer['error_code']}): {words(answer['message'])}"


def _uploaded(site: Ground) -> bool:
    return isinstance(site.client.upload("Shot", _shot(site)["id"], site.picture()), int)


def _thumbnail(site: Ground) -> bool:
    return isinstance(site.client.upload_thumbnail("Shot", _shot(site)["id"], site.picture()), int)


def _filmstrip(site: Ground) -> bool:
    version = site.make("Version", code="v")
    return isinstance(site.client.upload_filmstrip_thumbnail("Version", version["id"], site.picture()), int)


def _shared(site: Ground) -> bool:
    shot, version = _shot(site), site.make("Version", code="v")
    site.client.upload_thumbnail("Shot", shot["id"], site.picture())
    return isinstance(site.client.share_thumbnail([version], source_entity=shot), int)


def _downloaded(site: Ground) -> bool:
    path = site.folder / "notes.txt"
    path.write_text("seen", encoding="utf-8")
    attachment = site.client.upload("Shot", _shot(site)["id"], str(path))
    return bool(site.client.download_attachment(attachment) == b"seen")


def _signed_in(site: Ground) -> bool:
    site.make_global("HumanUser", login="ann", name="Ann A")
    site.site.set_password("ann", "secret")
    found = site.client.authenticate_human_user("ann", "secret")
    try:
        site.client.authenticate_human_user("ann", "wrong")
    except shotgun_api3.AuthenticationFault:
        return bool(found["login"] == "ann")
    return False


# What the client does by HTTP forms or by several requests.
CLIENT_CALLS: dict[str, Callable[[Ground], bool]] = {
    "`upload`": _uploaded,
    "`upload_thumbnail`": _thumbnail,
    "`upload_filmstrip_thumbnail`": _filmstrip,
    "`share_thumbnail`": _shared,
    "`download_attachment`": _downloaded,
    "`authenticate_human_user`": _signed_in,
}


def client_call_outcome(name: str) -> str:
    """What becomes of a call that is more than one request."""
    with ground() as site:
        try:
            return "works" if CLIENT_CALLS[name](site) else "works otherwise than recorded"
        except Exception as problem:
            return f"fails: {words(problem)}"
