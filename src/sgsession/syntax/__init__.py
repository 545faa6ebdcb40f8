"""The site's small languages as pure text and values: paths, braces, filters, instants, references."""
