"""Awkward arguments, and every public callable that must take them as it takes plain ones.

`memory` puts numbers anywhere and guards what lies beside them, `numbers` says which dtypes there are,
`covering` picks combinations, `trial` makes one call with them and compares. The other modules are tables of
what is called, a module for each kind of callable. ``python -m tests.support --rounds 10`` tries more
combinations than the tests do.
"""
