"""What becomes of a call: what follows from each attempt, and what its answer says."""
