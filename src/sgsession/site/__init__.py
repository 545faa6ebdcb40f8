"""The embedded site: a whole Flow Production Tracking site in this process, for demos and tests.

::

    with LocalSite(demo="small") as site:
        shotgun = site.connect()
"""

from __future__ import annotations

from .engine import Engine
from .faults import SiteFault
from .local_site import LocalSite, Request, serve
from .web.holding import Hold
from .web.server import PortInUseError

__all__ = ["Engine", "Hold", "LocalSite", "PortInUseError", "Request", "SiteFault", "serve"]
