"""The preferences of the site, which may be read by name: `preferences_read` (wire.md 2.11)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..call import Call
from ..faults import SiteFault, ruby
from ..tasks.working_days import HOURS_PER_DAY

# Statuses as an artist's page groups them; a real site keeps such settings as JSON text.
_STATUS_GROUPS = json.dumps(
    {
        "status_groups": [
            {"name": "Upcoming", "code": "upc", "status_list": ["wtg", "rdy"]},
            {"name": "Active", "code": "act", "status_list": ["ip", "rev"]},
            {"name": "Done", "code": "done", "status_list": ["fin", "cmpt", "apr"]},
        ]
    }
)

# A fresh site's. No remote call changes them, as on real sites, where that is done in the browser.
_PREFERENCES: Mapping[str, Any] = {
    "creative_review_settings": _STATUS_GROUPS,
    "date_component_order": "month_day",
    "duration_units": "days",
    "enable_rv_integration": True,
    "enable_shotgun_review_for_rv": False,
    "format_currency_fields_decimal_options": "$1,000.99",
    "format_currency_fields_display_dollar_sign": False,
    "format_currency_fields_negative_options": "- $1,000",
    "format_date_fields": "08/04/22 OR 04/08/22 (depending on the Month order preference)",
    "format_float_fields": "9,999.99",
    "format_float_fields_rounding": "9.999999",
    "format_footage_fields": "10-05",
    "format_number_fields": "1,000",
    "format_time_hour_fields": "12 hour",
    "hours_per_day": HOURS_PER_DAY,
    "support_local_storage": True,
    "view_master_settings": _STATUS_GROUPS,
}


def preferences_read(call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
    """The preferences of these names, or all; names that no preference has are left out."""
    names = params.get("prefs") or list(_PREFERENCES)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SiteFault(f"API {call.method}() invalid/missing array 'prefs':\n{ruby(params)}")
    return {name: _PREFERENCES[name] for name in names if name in _PREFERENCES}
