"""Who asks, what they may see and do, and what a site keeps for each of them (wire.md 1.2, 1.5)."""
