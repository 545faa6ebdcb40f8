"""What must not be told, where others tell it: a proxy's error page may print the request that it refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .exchange import Answer

__all__ = ["Hidden", "HiddenBytes", "without_secrets"]

_SETTINGS = ("api_key", "user_password", "session_token", "auth_token", "proxy_pass", "authorization")
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


def without_secrets(answer: Answer, config: Any) -> Answer:
    """The answer, with the credentials in `config` blotted out of its texts."""
    secrets = [str(getattr(config, name, None) or "") for name in _SETTINGS]
    body, reason = answer.body, answer.reason
    headers = dict(answer.headers)
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            body = body.replace(secret.encode("utf-8", "replace"), b"***")
            reason = reason.replace(secret, "***")
            headers = {name: value.replace(secret, "***") for name, value in headers.items()}
    return replace(answer, body=body, reason=reason, headers=headers)
