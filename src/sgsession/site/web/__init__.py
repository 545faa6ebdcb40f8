"""How requests reach an engine: over HTTP or in process, and what a test may do to them on the way."""
