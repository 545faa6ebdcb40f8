"""The official client on a transport that sends nothing twice, bounds all waiting and keeps secrets to itself.

`SafeClient` is mixed in before the prototype's own class: what that class overrides stays overridden, but for
the transport. Its seams are the methods of the client in SEAMS; `self_check` sees that a client uses them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from shotgun_api3 import AuthenticationFault

from ..errors import SiteRefusal
from ..graph.wire import PageRows, WireRows
from .calling.calls import Call
from .calling.envelope import results_of
from .line.answers import Answer, ExchangeFailed, Happening
from .line.own_transports import answer_of
from .line.secrets import Hidden, HiddenBytes, unprinted, without_secrets
from .uploads import Uploads

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


class SafeClient(Uploads):
    """Overrides of the official client; see the module. One thread at a time uses an instance."""

    own_transport = False
    """The prototype's class sends requests in a way of its own, which is kept."""

    _call: Call | None = None
    _signing_in = False
    # Inside `_sgsession_find_rows`: rows pass undecoded.
    _hands_over = False
    # Inside `_sgsession_find_page`, in which a studio's own `find` may ask for more than this: the type and the page.
    _asked_page: tuple[str, int] | None = None
    # The site was asked whether more follow, and this is its answer.
    _has_next_page: bool | None = None
    _decode: Callable[[bytes], Any] | None = None

    def _call_rpc(
        self, method: str, params: Any, include_auth_params: bool = True, first: bool = False
    ) -> Any:
        # A one-time code is taken once: what is sent again with it is refused, whatever became of it before.
        call = Call(method, params, one_time=include_auth_params and bool(self.config.auth_token))
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
        if method == "read" and self._is_asked_page(params):
            # A studio's find may read another row of the type on its way, which is a page 1 as well.
            known = self._asked_page is not None and bool(self._has_next_page)
            self._has_next_page = known or _has_next_page(results)
        return results

    def _once_more(self, call: Call, params: Any, include_auth_params: bool, first: bool) -> Any:
        # Calls nest: the first one asks what the site can do.
        outer, self._call = self._call, call
        try:
            return super()._call_rpc(call.method, unprinted(params), include_auth_params, first)  # type: ignore[misc]
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
        if call.method == "read" and self._is_asked_page(params) and _WITHOUT_COUNTS in params:
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
            envelope = results_of(answer, call, self._decode if call.method == "read" else None)
            if (
                call.in_doubt
                and not call.is_read
                and isinstance(envelope, dict)
                and envelope.get("exception")
            ):
                # A no to a repetition says nothing of the attempt before it.
                raise ExchangeFailed(Happening.REFUSED, str(envelope.get("message")))
            return answer, ((answer.status, answer.reason), answer.headers, _Decoded(envelope))

        return self._carry_out(call, attempt, self._line, address)  # type: ignore[no-any-return]

    def _decode_response(self, headers: Any, body: Any) -> Any:
        return body.envelope if isinstance(body, _Decoded) else super()._decode_response(headers, body)  # type: ignore[misc]

    def _sgsession_find_rows(
        self, *args: Any, decode: Callable[[bytes], Any] | None = None, **kwargs: Any
    ) -> WireRows:
        """As the client's `find`, with the rows as the site sent them: whoever merges them reads their values too.

        Args:
            decode: reads the JSON of answers, as `calling.envelope.decoded` does.
        """
        self._hands_over, self._decode, self._has_next_page = True, decode, None
        try:
            rows = self.find(*args, **kwargs)  # type: ignore[attr-defined]
        finally:
            self._hands_over, self._decode = False, None
        local_path_field = self.client_caps.local_path_field  # type: ignore[attr-defined]
        values = self._attempts.wire_values(bool(self.config.convert_datetimes_to_utc), local_path_field)
        return WireRows(rows, values, bool(self._has_next_page))

    def _sgsession_find_page(
        self, entity_type: str, *args: Any, page: int, **kwargs: Any
    ) -> list[dict[str, Any]]:
        """As the `find` that a studio overrode, of one page.

        Returns:
            `PageRows`, where it has the client read that page: the site then says whether more follow, which a `find`
            that leaves rows out does not.
        """
        self._asked_page, self._has_next_page = (entity_type, page), None
        try:
            rows: list[dict[str, Any]] = self.find(entity_type, *args, page=page, **kwargs)  # type: ignore[attr-defined]
        finally:
            self._asked_page = None
        return rows if self._has_next_page is None else PageRows(rows, self._has_next_page)

    def _is_asked_page(self, params: Any) -> bool:
        if self._asked_page is None or not isinstance(params, dict):
            return self._hands_over
        return self._asked_page == (params.get("type"), (params.get("paging") or {}).get("current_page"))

    def _transform_inbound(self, data: Any) -> Any:
        if self._hands_over and self._call is not None and self._call.method == "read":
            return data
        return super()._transform_inbound(data)  # type: ignore[misc]

    def _parse_records(self, records: Any) -> Any:
        return records if self._hands_over else super()._parse_records(records)  # type: ignore[misc]


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


def _with_mark(write: dict[str, Any], field: str, mark: str) -> dict[str, Any]:
    if write.get("request_type") != "create":
        return write
    fields = list(write.get("fields") or ())
    if any(each.get("field_name") == field for each in fields):
        return write
    return {**write, "fields": [*fields, {"field_name": field, "value": mark}]}
