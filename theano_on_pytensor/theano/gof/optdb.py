"""The databases in which rewrites are registered."""

from pytensor.graph.rewriting.db import EquilibriumDB, LocalGroupDB, ProxyDB, SequenceDB
from pytensor.graph.rewriting.db import RewriteDatabase as DB
from pytensor.graph.rewriting.db import RewriteDatabaseQuery as Query

__all__ = ["DB", "EquilibriumDB", "LocalGroupDB", "ProxyDB", "Query", "SequenceDB"]
