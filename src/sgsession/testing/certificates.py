"""Certificates for servers of a test, made when they are asked for: good ones, and bad ones of each kind."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

__all__ = ["Certificate", "Certified", "certificate"]

Certified = Literal["good", "expired", "wrong_host", "untrusted"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server proves itself by, and the file of the authority (`ca_certs`) that a client trusts."""

    context: ssl.SSLContext
    ca_certs: Path


def certificate(folder: Path, kind: Certified = "good") -> Certificate:
    """A certificate for 127.0.0.1, ::1 and localhost; files go into `folder`.

    An "expired" one ended yesterday, one of "wrong_host" names elsewhere.example, and an "untrusted" one is
    signed by another authority than the one in `ca_certs`.

    Raises:
        ModuleNotFoundError: the package `trustme` is missing, which makes certificates; Python cannot.
    """
    try:
        import trustme
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "A server with TLS needs a certificate, and the package trustme makes it: pip install trustme.",
            name="trustme",
        ) from None
    authority = trustme.CA()
    ca_certs = folder / "ca.pem"
    trusted = trustme.CA() if kind == "untrusted" else authority
    trusted.cert_pem.write_to_path(str(ca_certs))
    names = ["elsewhere.example"] if kind == "wrong_host" else ["127.0.0.1", "::1", "localhost"]
    now = datetime.now(timezone.utc)
    begin, end = (now - timedelta(days=9), now - timedelta(days=1)) if kind == "expired" else (None, None)
    issued = authority.issue_cert(*names, not_before=begin, not_after=end)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    return Certificate(context, ca_certs)
