"""Probes of the embedded site: one for every method, operator, entity type and trap of its contract."""
