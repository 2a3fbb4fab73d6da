"""Benchmarks of the tool against the sample workspace and a real PostgreSQL: `python -m bench`."""
