"""A request for a page → what leaves for it: the page, another address, or words on what is wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ..call import Call
from ..database.rows import storable_id
from ..engine import Engine
from ..faults import SiteFault
from ..queries.fetching import rows
from . import addresses
from .admission import Refusal, is_loopback, performed
from .conditions import said
from .details import detail_page
from .missing import MissingError
from .projects import front_page
from .rendering import asset, rendered
from .searching import named_row, search_page
from .tables import table_page

__all__ = ["answered"]

_log = logging.getLogger("sgsession.site")

# Nothing from elsewhere, no script at all, nobody's frame: whatever a name holds, it stays text.
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-cache",
}
_REALM = {
    "www-authenticate": 'Basic realm="site: a script and its key, or a login and password", charset="UTF-8"'
}
# Their addresses change with their content.
_KEPT = {**_HEADERS, "cache-control": "public, max-age=31536000, immutable"}
_ASSETS = {"style": ("style.css", "text/css"), "icon": ("icon.svg", "image/svg+xml")}

# A template and what it shows, or the address where that is.
_Page = tuple[str, dict[str, Any]] | str


def answered(engine: Engine, name: str, request: Request, host: str) -> Response:
    """The answer to a request for one of the pages; whatever it holds, nothing is ever raised."""
    if name in _ASSETS:
        file, media_type = _ASSETS[name]
        return Response(asset(file), media_type=media_type, headers=_KEPT)
    try:
        authorization = request.headers.get("authorization")
        made = performed(engine, _PAGES[name], request, authorization, open=is_loopback(host))
        if isinstance(made, str):
            return RedirectResponse(made, 302, _HEADERS)
        template, context = made
        status = 400 if context.get("problems") else 200
        return HTMLResponse(rendered(template, {"q": "", **context}), status, _HEADERS)
    except Refusal:
        words = "This site asks who you are: a script and its key, or a login and its password."
        return _problem(401, "Sign in", words, _REALM)
    except MissingError as missing:
        return _problem(404, "Not here", missing.message, links=missing.links)
    except SiteFault as fault:
        return _problem(400, "Refused", said(fault))
    except Exception:
        # The reason may quote SQL or file names, so it goes to the site's log and not to the page.
        _log.exception("a page failed")
        return _problem(500, "Failed", "This page could not be made; the site logged the reason.")


def _front(call: Call, request: Request) -> _Page:
    return "projects.html", front_page(call)


def _search(call: Call, request: Request) -> _Page:
    text = request.query_params.get("q", "")
    return named_row(call.schema, text) or ("search.html", {**search_page(call, text), "q": text})


def _detail(call: Call, request: Request) -> _Page:
    return "detail.html", detail_page(call, request.path_params["type"], request.path_params["id"])


def _table(call: Call, request: Request) -> _Page:
    what = request.path_params["what"]
    if what.isascii() and what.isdigit():
        return _kept_page(call, what)
    return "table.html", table_page(call, what, request.query_params.multi_items())


def _overview(call: Call, request: Request) -> _Page:
    """The address of a project's own page on a real site."""
    project = request.query_params.get("project_id", "")
    if not (project.isascii() and project.isdigit() and len(project) < 12):
        return "/"
    return addresses.detail("Project", int(project))


def _kept_page(call: Call, number: str) -> str:
    """Where a Page row leads: the table of its type in its project. Browsers keep the `#Shot_860_x` behind it."""
    page_id = int(number) if len(number) < 12 else 0
    found = rows(call, "Page", [page_id], ["entity_type", "project"], False) if storable_id(page_id) else []
    if not found:
        raise MissingError(f"This site has no page {number[:20]}.", ("All pages", addresses.table("Page")))
    kind, project = found[0].get("entity_type"), found[0].get("project")
    if not kind or call.schema.type(kind) is None:
        return addresses.detail("Page", page_id)
    return addresses.table(kind, project=project["id"] if project else None)


def _nowhere(call: Call, request: Request) -> _Page:
    raise MissingError(f"There is nothing at {request.url.path[:200]}.")


_PAGES: Mapping[str, Callable[[Call, Request], _Page]] = {
    "front": _front,
    "search": _search,
    "overview": _overview,
    "table": _table,
    "detail": _detail,
    "nowhere": _nowhere,
}


def _problem(
    status: int,
    title: str,
    words: str,
    headers: Mapping[str, str] | None = None,
    links: Sequence[tuple[str, str]] = (),
) -> Response:
    context = {"status": status, "title": title, "words": words, "links": links, "q": ""}
    return HTMLResponse(rendered("problem.html", context), status, {**_HEADERS, **(headers or {})})
