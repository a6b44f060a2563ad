"""One rule for each layer type of Lasagne: output size and parameters.

A module for each family of layers; importing this package registers them all.
"""

from . import (
    conv,
    dense,
    elementwise,
    input,
    merge,
    normalization,
    pool,
    recurrent,
    shape,
    special,
)
from .registry import (
    Derivation,
    Incoming,
    Rule,
    UnknownInputError,
    find_rule,
    known_types,
    rule,
)

__all__ = [
    "Derivation",
    "Incoming",
    "Rule",
    "UnknownInputError",
    "conv",
    "dense",
    "elementwise",
    "find_rule",
    "input",
    "known_types",
    "merge",
    "normalization",
    "pool",
    "recurrent",
    "rule",
    "shape",
    "special",
]
