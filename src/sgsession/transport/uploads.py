"""Files on their way to a site and back: forms, the storage, thumbnails, downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from .calling.attempts import Attempts
from .calling.calls import Call
from .line.answers import Answer, ExchangeFailed, Happening
from .line.forms import Form, pieces_of
from .line.secrets import forget_frames, without_secrets
from .sending import Sender
from .steps import Steps

__all__ = ["Uploads"]

# Any other success, 202 say, promises something and has not done it.
_STORED = frozenset({200, 201, 204})


class Uploads(Sender):
    """Overrides of what the official client does with files."""

    _steps: Steps

    def prepare(self, attempts: Attempts) -> None:
        """Start without a connection; done instead of a constructor, which may ask the site."""
        super().prepare(attempts)
        self._steps = Steps()

    def create(self, entity_type: str, data: Any, *rest: Any, **more: Any) -> Any:
        """As the client's; a thumbnail that could not follow its row is told by `PartialWrite`."""
        with self._steps.of_row(entity_type, data):
            return super().create(entity_type, data, *rest, **more)  # type: ignore[misc]

    def update(self, entity_type: str, entity_id: int, data: Any, *rest: Any, **more: Any) -> Any:
        """As the client's; a thumbnail that could not follow its row is told by `PartialWrite`."""
        with self._steps.of_row(entity_type, data):
            return super().update(entity_type, entity_id, data, *rest, **more)  # type: ignore[misc]

    def upload(
        self, entity_type: str, entity_id: int, path: str, field_name: Any = None, *rest: Any, **more: Any
    ) -> Any:
        """As the client's; a file that was sent but not linked is told by `PartialWrite`."""
        with self._steps.of_upload(entity_type, entity_id, field_name):
            return super().upload(entity_type, entity_id, path, field_name, *rest, **more)  # type: ignore[misc]

    def _send_form(self, url: str, params: dict[str, Any]) -> str:
        params.update(self._auth_params())  # type: ignore[attr-defined]
        form = Form(params)
        path = urlsplit(url).path
        call = Call(_STEP_OF_UPLOAD.get(path.rsplit("/", 1)[-1], "upload"), _without_credentials(params))
        self._steps.begins(call.method, path, params)
        address = self._address(uploading=True)
        headers = {"content-type": form.content_type, "user-agent": "; ".join(self._user_agents)}  # type: ignore[attr-defined]
        if self.config.authorization:
            headers["authorization"] = self.config.authorization

        def attempt(deadline: float) -> tuple[Answer, Any]:
            answer = self._exchange(
                self._line, address, "POST", path, headers, form, form.length, deadline, call
            )
            if answer.status >= 300:
                return without_secrets(answer, self.config), None
            text = answer.body.decode("utf-8", "replace")
            if text[:1] not in ("0", "1"):
                raise ExchangeFailed(Happening.BROKEN, "it is not what a site answers to an upload")
            return answer, text

        try:
            return self._carry_out(call, attempt, self._line, address, form.length)  # type: ignore[no-any-return]
        finally:
            # The client opens them and leaves them to the collector.
            form.close()

    def _upload_data_to_storage(self, data: Any, content_type: str, size: int, storage_url: str) -> Any:
        """Put the bytes where the site said; the same bytes in the same place may be sent again."""
        parts = urlsplit(storage_url)
        address = self._address(parts.scheme, parts.netloc, uploading=True)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        call = Call("upload bytes")
        self._steps.begins(call.method, "", {})

        def attempt(deadline: float) -> tuple[Answer, Any]:
            answer = self._exchange(
                self._storage_line,
                address,
                "PUT",
                path,
                {"content-type": content_type},
                _Pieces(data, size),
                size,
                deadline,
                call,
            )
            if answer.status < 300 and answer.status not in _STORED:
                raise ExchangeFailed(
                    Happening.BROKEN, f"HTTP {answer.status} does not say that it was stored"
                )
            # Only the parts of a larger file need it, and then the site is told of all of them, as texts.
            return answer, answer.headers.get("etag", "")

        return self._carry_out(call, attempt, self._storage_line, address, size)

    def _build_opener(self, handler: Any) -> Any:
        """The client's opener for downloads, with a timeout: it has none by itself."""
        opener = super()._build_opener(handler)  # type: ignore[misc]
        stock_open: Callable[..., Any] = opener.open
        silence = self._silence()

        def open_in_time(request: Any, data: Any = None, timeout: Any = None) -> Any:
            # urlopen hands on an object that stands for no timeout.
            seconds = timeout if isinstance(timeout, (int, float)) else silence
            try:
                return stock_open(request, data, seconds)
            except Exception as problem:
                # In those of urllib a proxy's password is among the headers.
                forget_frames(problem)
                raise problem

        opener.open = open_in_time
        return opener


class _Pieces:
    """The bytes of a file, as often as they are asked for."""

    def __init__(self, file: Any, size: int) -> None:
        self._file, self._size = file, size

    def __iter__(self) -> Any:
        return pieces_of(self._file, self._size)


# The steps that hand out addresses, by the last part of their path (wire.md 2.13).
_STEP_OF_UPLOAD = {
    "api_get_upload_link_info": "upload address",
    "api_get_upload_link_for_part": "upload address",
    "api_complete_multipart_upload": "upload completion",
    "api_link_file": "upload link",
}


def _without_credentials(params: dict[str, Any]) -> dict[str, Any]:
    return {name: params[name] for name in ("entity_type", "entity_id", "display_name") if name in params}
