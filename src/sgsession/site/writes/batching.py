"""Many writes as one: all of them happen, or none (wire.md 7.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..call import Call
from ..faults import SiteFault, ruby
from ..requests import missing_row
from . import retirement, writing

_REQUESTS: Mapping[str, Callable[[Call, Mapping[str, Any]], Any]] = {
    "create": writing.create,
    "update": writing.update,
    "delete": retirement.delete,
}


def batch(call: Call, params: list[Any]) -> list[Any]:
    """The results of the requests, in their order; the first that fails undoes them all."""
    results = []
    for index, request in enumerate(params):
        try:
            results.append(_perform(call, request))
        except SiteFault as fault:
            # The transaction of the call is rolled back by whoever opened it, because this is raised.
            message = (
                f"API batch() request with index {index} failed.  All requests rolled back.\n{fault.message}"
            )
            raise SiteFault(message, fault.error_code) from fault
    return results


def _perform(call: Call, request: Any) -> Any:
    kind = request.get("request_type") if isinstance(request, Mapping) else None
    if not isinstance(kind, str) or kind not in _REQUESTS:
        raise SiteFault(f"API batch() invalid/missing string 'request_type':\n{ruby(request)}")
    own = replace(call, method=kind)
    result = _REQUESTS[kind](own, request)
    if result is False:
        # Alone, deleting a retired row answers false; in a batch it is an error (wire.md 7.5).
        raise missing_row(own, request["type"], request["id"])
    return result
