"""Benchmarks of every loss against its peers and against the machine's memory limit.

``python -m benchmarks`` prints the table; ``pytest benchmarks --benchmark-only`` gives the same
measurements one by one through pytest-benchmark.
"""
