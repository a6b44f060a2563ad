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
    debugprint,
    default_printer,
    min_informative_str,
    pydotprint,
)
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


def _make_pprint():
    """PyTensor's, but a function is called what programs call it: ``exp(x)``."""
    named = _pytensors.clone()
    for name in sorted(vars(pt)):
        op = getattr(pt, name)
        if isinstance(op, Op) and op not in named.printers_dict:
            named.assign(op, FunctionPrinter([name]))
    return named


pprint = _make_pprint()
pp = pprint
