"""Looking at graphs and at the values that pass through them."""

import pytensor.tensor as pt
from pytensor.graph.op import Op
from pytensor.printing import (
    DefaultPrinter,
    FunctionPrinter,
    IgnorePrinter,
    LeafPrinter,
    OperatorPrinter,
    PatternPrinter,
    PPrinter,
    Print,
    PrinterState,
    default_printer,
    min_informative_str,
    pydotprint,
)
from pytensor.printing import debugprint as _debugprint
from pytensor.printing import pprint as _pytensors

__all__ = [
    "DefaultPrinter",
    "FunctionPrinter",
    "IgnorePrinter",
    "LeafPrinter",
    "OperatorPrinter",
    "PPrinter",
    "PatternPrinter",
    "Print",
    "PrinterState",
    "debugprint",
    "default_printer",
    "min_informative_str",
    "pp",
    "pprint",
    "pydotprint",
]


def debugprint(
    obj,
    depth=-1,
    print_type=False,
    file=None,
    ids="CHAR",
    stop_on_name=False,
    done=None,
    print_storage=False,
    print_clients=False,
    used_ids=None,
):
    """Write what variables are computed from, as a tree.

    Parameters
    ----------
    obj : variable, node, function, graph, or list of these
    depth : int
        How many levels; -1: all.
    print_type, print_storage : bool
        Whether types, and the values kept, are written as well.
    file : stream, 'str' or None
        ``None``: standard output; ``'str'``: nothing is written, the text is returned.
    ids : {'CHAR', 'int', 'id', ''}
        How what comes twice is told: by letters, numbers, its ``id``, or not.
    stop_on_name : bool
        Whether what a variable with a name is computed from is left out.
    print_clients
        Ignored.

    Returns
    -------
    str or stream
    """
    return _debugprint(
        obj,
        depth=depth,
        print_type=print_type,
        file=file,
        id_type=ids,
        stop_on_name=stop_on_name,
        done=done,
        print_storage=print_storage,
        used_ids=used_ids,
    )


def _make_pprint():
    """PyTensor's, but a function is called what programs call it: ``exp(x)``."""
    named = _pytensors.clone()
    theanos = ("sigmoid", "sgn", "lt", "gt", "le", "ge", "eq", "neq", "true_div")
    for name in (*theanos, *sorted(vars(pt))):
        op = getattr(pt, name)
        if isinstance(op, Op) and op not in named.printers_dict:
            named.assign(op, FunctionPrinter([name]))
    return named


pprint = _make_pprint()
pp = pprint
