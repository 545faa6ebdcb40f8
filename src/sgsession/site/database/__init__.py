"""The rows: the tables behind a schema map, the store that opens them, and ids for new ones."""
