"""What reading costs: the parts of `python -m benchmarks`."""
