"""Losses inside other libraries: one module per library, imported by its own name.

Nothing is imported here, so that using one library needs none of the others.
"""
