"""What wire.md says a site answers, as plain Python over lists of dicts; nothing of the site is imported."""
