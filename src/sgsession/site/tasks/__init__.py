"""What a site works out for tasks: dates, dependencies, templates, sums (wire.md 6.7)."""
