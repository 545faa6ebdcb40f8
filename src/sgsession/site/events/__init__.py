"""What writes leave behind in the event log and in activity streams (wire.md 8)."""
