"""What a session knows: identity map, merge, links and back-references. No I/O, and no lock of its own."""
