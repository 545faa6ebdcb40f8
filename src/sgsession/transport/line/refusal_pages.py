"""The few words in a page that a proxy, a login or a site puts in place of an answer."""

from __future__ import annotations

import re

from .answers import Answer

__all__ = ["words_of"]

# Enough for a sentence; a page may be a megabyte of style sheets.
_LONGEST = 2048
_SHOWN = 200
# Not compiled here: every script would pay for that when it starts.
_SILENT_PARTS = r"(?is)<(script|style|head)\b.*?(</\1\s*>|$)"
_TAG = r"<[^>]*>?"


def words_of(answer: Answer | None) -> str:
    """What the page of an answer says, without its tags; a redirection's target instead."""
    if answer is None or answer.status < 300:
        return ""
    if answer.status < 400:
        # Never followed: the credentials are in the request (reliability.md A-14).
        return f"it points to {_without_query(answer.headers.get('location', 'nowhere'))}"
    page = answer.body[:_LONGEST].decode("utf-8", "replace")
    text = " ".join(re.sub(_TAG, " ", re.sub(_SILENT_PARTS, " ", page)).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _without_query(address: str) -> str:
    # A redirection to a login may carry a token.
    host = address.split("?", 1)[0].split("#", 1)[0]
    return re.sub(r"//[^/@]*@", "//", host)[:_SHOWN]
