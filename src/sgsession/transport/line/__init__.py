"""The line to a site: bytes of a request out, and a whole answer or how far it came."""
