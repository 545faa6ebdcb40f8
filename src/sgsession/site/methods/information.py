"""What ``info`` tells a client before it signs in: the version and what the site can do (wire.md 1.7)."""

from __future__ import annotations

from typing import Any

__all__ = ["information"]


def information(*, direct_uploads: bool = False) -> dict[str, Any]:
    """The server information, new on every call so that no caller can change another's."""
    return {
        # The official client compares this with its gates, so it must be integers; 8.89 passes them all.
        "version": [8, 89, 0],
        "full_version": [8, 89, 0, 9724],
        "user_authentication_method": "default",
        "api_max_entities_per_page": 500,
        # False sends uploads to the classic forms on the site itself instead of to a storage service.
        "s3_uploads_enabled": direct_uploads,
        "s3_direct_uploads_enabled": direct_uploads,
        # Lists, though a bare "*" is allowed: the client looks for a missing field name in it, which only lists bear.
        "s3_enabled_upload_types": {"*": ["*"]} if direct_uploads else {},
        "unified_login_flow_enabled": False,
        "unified_login_flow2_enabled": False,
        "authentication_app_session_launcher_enabled": False,
    }
