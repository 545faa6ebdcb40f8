"""What a site knows of its entity types: the schema map, where it comes from, and how it is edited."""
