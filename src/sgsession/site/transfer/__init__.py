"""Whole sites in and out, as JSON lines."""
