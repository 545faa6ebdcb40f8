"""The public names as their users type them: checked by mypy, never run."""
