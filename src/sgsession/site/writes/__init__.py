"""From a write request to changed rows, with all that a site does along with it (wire.md 5 to 7)."""
