"""What graphs need of Python."""

from pytensor.graph.utils import (
    MethodNotDefined,
    Scratchpad,
    get_variable_trace_string,
)
from pytensor.utils import difference, flatten, hash_from_code

__all__ = [
    "MethodNotDefined",
    "Scratchpad",
    "difference",
    "flatten",
    "get_variable_trace_string",
    "hash_from_code",
    "hashtype",
]


def hashtype(self):
    """A hash of the class of ``self`` that is the same in every process."""
    return hash(type(self).__name__) ^ hash(type(self).__module__)
