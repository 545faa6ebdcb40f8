"""The remote calls beside reads and writes, a module for each subject (wire.md 2)."""
