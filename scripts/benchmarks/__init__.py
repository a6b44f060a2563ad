"""What scripts/benchmark is made of.

`networks` says what is trained and what it costs at least, `processes` measures
each of a list of peers in a process of its own, `machine` says where, `report`
writes the tables. The ``run_*.py`` are the programs that are measured; they know
each other's `job` alone, and each runs in its peer's own environment.
"""
