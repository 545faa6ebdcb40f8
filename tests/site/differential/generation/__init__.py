"""Random productions, and random questions about them."""
