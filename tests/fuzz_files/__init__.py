"""Broken files for the command's readers: ``python -m tests.fuzz_files --seconds N --seed S``."""
