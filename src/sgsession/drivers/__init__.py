"""Where plans meet the pool: one driver runs a plan with threads, one awaits it."""
