"""What must not be told, where others tell it: a proxy's error page may print the request that it refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .answers import Answer

__all__ = [
    "Hidden",
    "HiddenBytes",
    "forget_frames",
    "hide_address",
    "hide_arguments",
    "hide_settings",
    "unprinted",
    "without_secrets",
]

_SETTINGS = ("api_key", "user_password", "session_token", "auth_token", "proxy_pass", "authorization")
_ARGUMENTS = ("api_key", "password", "session_token", "auth_token", "http_proxy")
# A shorter one stands in words that tell nothing.
_SHORTEST = 4


class Hidden(str):
    """A text that says nothing where the variables of a function are printed, as error reports do."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class HiddenBytes(bytes):
    """As `Hidden`, for a request that credentials are part of."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'***'"


def hide_settings(config: Any) -> None:
    """Make the credentials of a client equal texts that are not printed with it, nor in frames that read them."""
    for name in (*_SETTINGS, "raw_http_proxy"):
        value = getattr(config, name, None)
        if type(value) is str:
            setattr(config, name, Hidden(value))


def hide_address(address: Any) -> Any:
    """An equal address that is not printed where it names a password."""
    return Hidden(address) if isinstance(address, str) and "@" in address else address


def hide_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a client, by name, in which neither keys nor passwords are printed."""
    return {
        name: Hidden(value) if name in _ARGUMENTS and isinstance(value, str) else value
        for name, value in arguments.items()
    }


def forget_frames(problem: BaseException) -> None:
    """Take the frames off an error, and off those that it came from: code of others had secrets among its variables."""
    each: BaseException | None = problem
    while each is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__


def unprinted(params: Any) -> Any:
    """Equal parameters that are not printed: the client logs them, passwords of people included."""
    if isinstance(params, dict):
        return _UnprintedDict(params)
    return _UnprintedList(params) if isinstance(params, list) else params


class _UnprintedDict(dict[str, Any]):
    def __repr__(self) -> str:
        return "{…}"


class _UnprintedList(list[Any]):
    def __repr__(self) -> str:
        return "[…]"


def without_secrets(answer: Answer, config: Any) -> Answer:
    """The answer, with the credentials in `config` blotted out of its texts."""
    secrets = [Hidden(str(getattr(config, name, None) or "").removeprefix("Basic ")) for name in _SETTINGS]
    body, reason = answer.body, answer.reason
    headers = dict(answer.headers)
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            body = body.replace(secret.encode("utf-8", "replace"), b"***")
            reason = reason.replace(secret, "***")
            headers = {name: value.replace(secret, "***") for name, value in headers.items()}
    return answer._replace(body=body, reason=reason, headers=headers)
