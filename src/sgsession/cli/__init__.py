"""The `sgsession` command: `main` runs it and returns its exit status."""

from __future__ import annotations

from .command import main

__all__ = ["main"]
