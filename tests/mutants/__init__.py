"""Deliberate small breaks of the C library, each of which some test must see: ``python -m tests.mutants``."""
