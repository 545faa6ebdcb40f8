"""Three clients under the same faults, each in a process of its own: `python -m benchmarks.faults`."""
