"""The official client's own live-site tests, run against the embedded site."""
