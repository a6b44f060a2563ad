"""The table of the question by hand: output sizes and learnable parameters.

Everything is computed from hyper-parameters alone, with the standard library alone:
an independent witness of what Lasagne builds and nolearn prints.

>>> from mnist_cnn import by_hand
>>> table = by_hand.table([
...     ("InputLayer", {"shape": (None, 1, 28, 28)}),
...     ("Conv2DLayer", {"num_filters": 32, "filter_size": (5, 5)}),
... ])
>>> row = table.rows[1]
>>> row.name, row.size, str(row.parameter_formula), row.parameters
('conv2d1', (32, 24, 24), '(5*5*1+1)*32', 832)
"""

from .closed_formula import find_closed_formula
from .columns import measure
from .description import LayerDescription, Network
from .errors import (
    DescriptionError,
    FormulaError,
    HandCalculationError,
    HyperParameterError,
    ImpossibleSizeError,
    OptionError,
    UnknownLayerError,
    UntoldError,
)
from .explanation import explain
from .forms import render
from .formula import Formula, SizeFormula
from .networks import NETWORKS
from .read import read_network
from .rows import Row, Table, Tensor
from .rules import Derivation, Incoming, known_types, rule
from .walk import calculate
from .windows import Unknown, Window

__all__ = [
    "NETWORKS",
    "Derivation",
    "DescriptionError",
    "Formula",
    "FormulaError",
    "HandCalculationError",
    "HyperParameterError",
    "ImpossibleSizeError",
    "Incoming",
    "LayerDescription",
    "Network",
    "OptionError",
    "Row",
    "SizeFormula",
    "Table",
    "Tensor",
    "Unknown",
    "UnknownLayerError",
    "UntoldError",
    "Window",
    "calculate",
    "explain",
    "find_closed_formula",
    "known_types",
    "measure",
    "read_network",
    "render",
    "rule",
    "table",
]


def table(
    network: object, /, *, lasagne: str | None = None, **keywords: object
) -> Table:
    """Calculate by hand the sizes and learnable parameters of a network.

    Parameters
    ----------
    network : object
        A nolearn ``NeuralNet``, initialised or not; a list in the form of its
        ``layers``, ``[("conv1", Conv2DLayer), ...]`` or
        ``[(Conv2DLayer, {"num_filters": 32, ...}), ...]``, classes or their names; a
        Lasagne layer, a list of them, or a dict of them by name.
    lasagne : str, optional
        "0.1" or "0.2", where the two differ; by default that of the classes or
        objects, or the oldest that knows all the layers.
    **keywords
        Beside a list of layers, hyper-parameters as in nolearn's call:
        ``conv1_num_filters=32``.

    Returns
    -------
    Table
        A row for each layer; ``str(table)`` is the table of answer 1.

    Raises
    ------
    HandCalculationError
        If the network cannot be read, a layer has no rule, or hyper-parameters cannot
        serve: the message names the layer and the values.
    """
    return calculate(read_network(network, lasagne, keywords))
