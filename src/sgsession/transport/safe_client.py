"""The official client on a transport that sends nothing twice, bounds all waiting and keeps secrets to itself.

`SafeClient` is mixed in before the prototype's own class: what that class overrides stays overridden, but for
the transport. Its seams are the methods of the client in SEAMS; `self_check` sees that a client uses them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from shotgun_api3 import AuthenticationFault

from ..errors import AmbiguousWrite, SiteRefusal
from ..graph.wire import WireRows
from .attempts import Attempts
from .calls import Call
from .collector import collector_paused
from .decisions import Happening
from .envelope import results_of
from .exchange import Address, Answer, ExchangeFailed, Line
from .forms import Form, pieces_of
from .own_transports import answer_of
from .proxies import proxy_of_environment
from .secrets import Hidden, HiddenBytes, without_secrets
from .steps import Steps

__all__ = ["SEAMS", "SafeClient"]

SEAMS = (
    "_auth_params",
    "_build_opener",
    "_build_payload",
    "_call_rpc",
    "_close_connection",
    "_decode_response",
    "_encode_payload",
    "_http_request",
    "_parse_records",
    "_send_form",
    "_transform_inbound",
    "_upload_data_to_storage",
    "authenticate_human_user",
    "create",
    "find",
    "update",
    "upload",
)


class SafeClient:
    """Overrides of the official client; see the module. One thread at a time uses an instance."""

    # The client's own loops, where a version has more of them than we know, do not repeat anything.
    MAX_ATTEMPTS = 1
    own_transport = False
    """The prototype's class sends requests in a way of its own, which is kept."""

    config: Any
    _attempts: Attempts
    _line: Line
    _storage_line: Line
    _call: Call | None = None
    _signing_in = False
    # The last write of the call under way, and what it was sent on.
    _written: tuple[Call, Line] | None = None
    _steps: Steps
    # Inside `find_rows`: rows pass undecoded, and the site is asked whether more follow.
    _hands_over = False
    _has_next_page = False

    def prepare(self, attempts: Attempts) -> None:
        """Start without a connection; done instead of a constructor, which may ask the site."""
        self._attempts = attempts
        self._line = Line()
        self._storage_line = Line()
        self._call = None
        self._steps = Steps()
        self._connection = None

    def lost_result(self, interrupt: BaseException) -> AmbiguousWrite | None:
        """What to raise for an interrupt of the call under way, where it may have done what nobody is told of."""
        if self._written is None or isinstance(interrupt, Exception):
            return None
        call, line = self._written
        return self._attempts.interrupted(call, interrupt) if line.sent or call.in_doubt else None

    # Remote calls

    def _call_rpc(
        self, method: str, params: Any, include_auth_params: bool = True, first: bool = False
    ) -> Any:
        call = Call(method, params)
        params = self._extended(call, params)
        credentials = self._attempts.credentials_age
        try:
            results = self._once_more(call, params, include_auth_params, first)
        except (AuthenticationFault, SiteRefusal) as refusal:
            if isinstance(refusal, SiteRefusal) and refusal.errcode not in (401, 403):
                raise
            # A definite no: nothing was done, so that even a write may be sent with new credentials.
            if self._signing_in or not self._attempts.renew_credentials(self.config, credentials):
                raise
            results = self._once_more(call, params, include_auth_params, first)
        self._steps.wrote(method, results)
        if self._hands_over and method == "read":
            self._has_next_page = _has_next_page(results)
        return results

    def _once_more(self, call: Call, params: Any, include_auth_params: bool, first: bool) -> Any:
        # Calls nest: the first one asks what the site can do.
        outer, self._call = self._call, call
        try:
            return super()._call_rpc(call.method, _unprinted(params), include_auth_params, first)  # type: ignore[misc]
        finally:
            self._call = outer

    def _build_payload(self, method: str, params: Any, *rest: Any, **more: Any) -> Any:
        # A studio's _call_rpc may ask for something else, or for more, than it was asked for.
        if self._call is None or self._call.method != method:
            self._call = Call(method, params)
        return super()._build_payload(method, params, *rest, **more)  # type: ignore[misc]

    def _auth_params(self) -> dict[str, Any]:
        found = super()._auth_params()  # type: ignore[misc]
        return {name: Hidden(value) if isinstance(value, str) else value for name, value in found.items()}

    def _encode_payload(self, payload: Any) -> bytes:
        return HiddenBytes(super()._encode_payload(payload))  # type: ignore[misc]

    def authenticate_human_user(self, *arguments: Any, **named: Any) -> Any:
        """As the client's. It signs in by changing the settings, which here are those of all clients: on a copy."""
        shared, self.config = self.config, copy.copy(self.config)
        self._signing_in = True
        try:
            return super().authenticate_human_user(*arguments, **named)  # type: ignore[misc]
        finally:
            self.config, self._signing_in = shared, False

    def _extended(self, call: Call, params: Any) -> Any:
        """The parameters with what we ask beside them: whether more rows follow, a mark on created rows."""
        if self._hands_over and call.method == "read" and _WITHOUT_COUNTS in params:
            return {**params, _WITHOUT_COUNTS: True}
        field = self._attempts.options.dedupe_field
        if field is None or call.method not in ("create", "batch"):
            return params
        marked: Any
        if call.method == "batch":
            marked = [_with_mark(each, field, f"{call.request_id}-{n}") for n, each in enumerate(params)]
        else:
            marked = _with_mark({**params, "request_type": "create"}, field, call.request_id)
            del marked["request_type"]
        call.parameters = marked
        return marked

    def _http_request(
        self, verb: str, path: str, body: Any, headers: dict[str, Any]
    ) -> tuple[tuple[int, str], dict[str, str], Any]:
        call = self._call or Call("")
        data = body.encode("utf-8") if isinstance(body, str) else body or b""
        address = self._address()
        own_request = super()._http_request  # type: ignore[misc]

        def attempt(deadline: float) -> tuple[Answer, Any]:
            if self.own_transport:
                answer = answer_of(lambda: own_request(verb, path, body, headers), self._line)
            else:
                answer = self._exchange(
                    self._line, address, verb, path, headers, data, len(data), deadline, call
                )
            if answer.status >= 300:
                return without_secrets(answer, self.config), None
            with collector_paused():
                envelope = results_of(answer, call.method, paged=call.is_paged)
            if (
                call.in_doubt
                and not call.is_read
                and isinstance(envelope, dict)
                and envelope.get("exception")
            ):
                # A no to a repetition says nothing of the attempt before it.
                raise ExchangeFailed(Happening.REFUSED, str(envelope.get("message")))
            return answer, ((answer.status, answer.reason), answer.headers, _Decoded(envelope))

        return self._attempts.carry_out(call, attempt, self._line, where=address.shown)  # type: ignore[no-any-return]

    def _decode_response(self, headers: Any, body: Any) -> Any:
        return body.envelope if isinstance(body, _Decoded) else super()._decode_response(headers, body)  # type: ignore[misc]

    def find_rows(self, *args: Any, **kwargs: Any) -> WireRows:
        """As the client's `find`, with the rows as the site sent them: whoever merges them decodes them too."""
        self._hands_over = True
        try:
            rows = self.find(*args, **kwargs)  # type: ignore[attr-defined]
        finally:
            self._hands_over = False
        local_path_field = self.client_caps.local_path_field  # type: ignore[attr-defined]
        values = self._attempts.wire_values(bool(self.config.convert_datetimes_to_utc), local_path_field)
        return WireRows(rows, values, self._has_next_page)

    def _transform_inbound(self, data: Any) -> Any:
        if self._hands_over and self._call is not None and self._call.method == "read":
            return data
        return super()._transform_inbound(data)  # type: ignore[misc]

    def _parse_records(self, records: Any) -> Any:
        return records if self._hands_over else super()._parse_records(records)  # type: ignore[misc]

    def _close_connection(self) -> None:
        self._line.close()
        self._storage_line.close()

    # Uploads and downloads

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
        params.update(self._auth_params())
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
            return self._attempts.carry_out(  # type: ignore[no-any-return]
                call, attempt, self._line, where=address.shown, size=form.length
            )
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
            return answer, answer.headers.get("etag")

        return self._attempts.carry_out(call, attempt, self._storage_line, where=address.shown, size=size)

    def _build_opener(self, handler: Any) -> Any:
        """The client's opener for downloads, with a timeout: it has none by itself."""
        opener = super()._build_opener(handler)  # type: ignore[misc]
        stock_open: Callable[..., Any] = opener.open
        silence = self._silence()

        def open_in_time(request: Any, data: Any = None, timeout: Any = None) -> Any:
            # urlopen hands on an object that stands for no timeout.
            return stock_open(request, data, timeout if isinstance(timeout, (int, float)) else silence)

        opener.open = open_in_time
        return opener

    # How requests travel

    def _exchange(
        self,
        line: Line,
        address: Address,
        verb: str,
        path: str,
        headers: dict[str, Any],
        body: Any,
        length: int,
        deadline: float,
        call: Call,
    ) -> Answer:
        options = self._attempts.options
        if not call.is_read:
            self._written = call, line
        return line.exchange(
            address,
            verb,
            path,
            headers,
            body,
            length=length,
            deadline=deadline,
            timeouts=(options.connect_timeout, self._silence()),
            longest_idle=options.idle_reuse_reads if call.is_read else options.idle_reuse_writes,
            longest_life=options.longest_life,
            largest_answer=options.largest_answer,
        )

    def _silence(self) -> float:
        """Seconds that a silence may last; what the user set on the client wins."""
        return float(self.config.timeout_secs or self._attempts.options.inactivity_timeout)

    def _address(
        self, scheme: str | None = None, server: str | None = None, *, uploading: bool = False
    ) -> Address:
        config = self.config
        scheme = scheme or config.scheme
        server = server or config.server
        if server.count(":") > 1 and "[" not in server:
            # Of an IPv6 address the client drops the brackets, without which its port is part of it.
            server = urlsplit(self.base_url).netloc.rpartition("@")[2]  # type: ignore[attr-defined]
        host = urlsplit(f"//{server}")
        proxy = (config.proxy_server, config.proxy_port) if config.proxy_server else None
        authorization = Address.credentials(config.proxy_user, config.proxy_pass)
        if proxy is None and uploading:
            proxy, authorization = proxy_of_environment(scheme, server)
        return Address(
            scheme=scheme,
            host=host.hostname or "",
            port=host.port or (443 if scheme == "https" else 80),
            proxy=proxy,
            proxy_authorization=authorization,
            # A private name of the client's class; the constructor worked out which bundle to trust.
            certificates=getattr(self, "_Shotgun__ca_certs", None),
        )


# What the client calls the parameter that makes a site say whether more rows follow (wire.md 2.1).
_WITHOUT_COUNTS = "return_paging_info_without_counts"


def _has_next_page(results: Any) -> bool:
    told = (results.get("paging_info") or {}).get("has_next_page")
    # Sites before 8.3 do not tell: there is a next page until an empty one comes.
    return bool(results["entities"]) if told is None else bool(told)


class _Decoded:
    """An envelope on its way through the client's code, which hands bodies on unread."""

    __slots__ = ("envelope",)

    def __init__(self, envelope: Any) -> None:
        self.envelope = envelope


class _Pieces:
    """The bytes of a file, as often as they are asked for."""

    def __init__(self, file: Any, size: int) -> None:
        self._file, self._size = file, size

    def __iter__(self) -> Any:
        return pieces_of(self._file, self._size)


class _UnprintedDict(dict[str, Any]):
    """Parameters that the client may log: its debug log prints them, passwords of people included."""

    def __repr__(self) -> str:
        return "{…}"


class _UnprintedList(list[Any]):
    def __repr__(self) -> str:
        return "[…]"


def _unprinted(params: Any) -> Any:
    if isinstance(params, dict):
        return _UnprintedDict(params)
    return _UnprintedList(params) if isinstance(params, list) else params


def _with_mark(write: dict[str, Any], field: str, mark: str) -> dict[str, Any]:
    if write.get("request_type") != "create":
        return write
    fields = list(write.get("fields") or ())
    if any(each.get("field_name") == field for each in fields):
        return write
    return {**write, "fields": [*fields, {"field_name": field, "value": mark}]}


# The steps that hand out addresses, by the last part of their path (wire.md 2.13).
_STEP_OF_UPLOAD = {
    "api_get_upload_link_info": "upload address",
    "api_get_upload_link_for_part": "upload address",
    "api_complete_multipart_upload": "upload completion",
    "api_link_file": "upload link",
}


def _without_credentials(params: dict[str, Any]) -> dict[str, Any]:
    return {name: params[name] for name in ("entity_type", "entity_id", "display_name") if name in params}
