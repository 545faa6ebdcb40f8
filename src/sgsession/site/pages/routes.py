"""The addresses of a site that answer in a browser. They read, and never write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ..engine import Engine
from . import addresses

__all__ = ["Pages"]


class Pages:
    """The pages of a site that is bound to `host`."""

    def __init__(self, engine: Engine, workers: Executor, is_ours: Callable[[str], bool], host: str) -> None:
        self._engine = engine
        self._workers = workers
        self._is_ours = is_ours
        self._host = host

    def routes(self) -> list[Route]:
        """Where the pages are, those of a real site with and without a slash at their end."""
        pages = {
            "/": "front",
            "/search": "search",
            "/page/project_overview": "overview",
            "/page/{what}": "table",
            "/page/{what}/": "table",
            "/detail/{type}/{id}": "detail",
            "/detail/{type}/{id}/": "detail",
            addresses.STYLE: "style",
            addresses.ICON: "icon",
        }
        return [Route(path, self._served(name), methods=["GET"]) for path, name in pages.items()]

    async def missing(self, request: Request, problem: Exception) -> Response:
        """What any other address is answered with: a page for browsers, a line for programs."""
        assert isinstance(problem, HTTPException)
        if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(problem.detail, problem.status_code, problem.headers)
        answer: Response = await self._served("nowhere")(request)
        return answer

    def _served(self, name: str) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            if not self._is_ours(request.headers.get("host", "")):
                return PlainTextResponse("This site does not answer under that host name.", 421)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._workers, self._answer, name, request)

        return serve

    def _answer(self, name: str, request: Request) -> Response:
        # Imported by the first page that is looked at: most sites never are, and none should start later for it.
        from .answers import answered

        return answered(self._engine, name, request, self._host)
