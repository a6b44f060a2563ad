"""Variables, the nodes that compute them, and walks over both."""

from pytensor.graph.basic import (
    Apply,
    Constant,
    clone,
    clone_get_equiv,
    equal_computations,
)
from pytensor.graph.basic import Variable as _Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import (
    ancestors,
    general_toposort,
    io_toposort,
)
from pytensor.graph.traversal import orphans_between as orphans
from pytensor.graph.traversal import vars_between as variables

from theano.gof.type import StandIn

__all__ = [
    "Apply",
    "Constant",
    "Variable",
    "ancestors",
    "clone",
    "clone_get_equiv",
    "equal_computations",
    "general_toposort",
    "inputs",
    "io_toposort",
    "is_same_graph",
    "orphans",
    "variables",
]


class Variable(metaclass=StandIn):
    """What a graph computes or takes in: PyTensor's, with a node only if there is
    one: ``Variable(type, owner=None, index=None, name=None)``.
    """

    served = _Variable

    def __new__(cls, type, owner=None, index=None, name=None):
        return _Variable(type, owner, index, name)


def inputs(variable_list, blockers=None):
    """The variables that no node computes and that ``variable_list`` depends on.

    They come in Theano's order: the last variable's first, and those of each from
    left to right.
    """
    stack, seen, found = list(variable_list), set(), []
    while stack:
        variable = stack.pop()
        if variable in seen:
            continue
        seen.add(variable)
        if variable.owner is None:
            found.append(variable)
        elif not blockers or variable not in blockers:
            stack.extend(reversed(variable.owner.inputs))
    return found


def is_same_graph(var1, var2, givens=None):
    """Whether both variables are computed by equal graphs from the same inputs.

    ``givens`` maps variables of either graph to what replaces them first.
    """
    if givens:
        var1, var2 = clone_replace([var1, var2], replace=givens)
    return equal_computations([var1], [var2])
