"""A site to look at: the addresses that people open in a browser, answered with pages."""
