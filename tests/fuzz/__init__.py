"""Random calls of the public API, right and wrong ones, held against the reference and against each other.

``python -m tests.fuzz --seconds 60 --seed 1`` runs it; ``--replay FAMILY/SEED/CASE`` repeats one case and
writes each call as a line of Python. One input is one call with generated arguments.
"""
