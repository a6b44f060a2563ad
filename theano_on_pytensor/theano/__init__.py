"""Theano's API, served by PyTensor, Theano's maintained descendant.

Code written for Theano (2010-2018), and the Lasagne and nolearn built on it,
imports this package under the name it always used. The modules mirror
Theano's tree and hold names and signatures; the arithmetic is PyTensor's and,
where PyTensor dropped what Theano had (convolution, pooling, the MRG random
streams), that of :mod:`pytensor_nnet`.

What importing it changes outside this package is listed in the distribution's
README: PyTensor's default mode, the number of BLAS threads, and the names of
:mod:`theano.restored_names`.
"""

from theano import restored_names  # isort: skip
from theano.configdefaults import change_flags, config  # isort: skip

import numpy as _np
from pytensor.graph.basic import Apply, Constant
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.type import Type
from threadpoolctl import threadpool_limits

from theano import (
    compat,
    compile,
    gof,
    gradient,
    ifelse,
    misc,
    printing,
    raise_op,
    scalar,
    tensor,
    updates,
)
from theano.compile import (
    FunctionMaker,
    In,
    Mode,
    OpFromGraph,
    Out,
    Param,
    ProfileMode,
    ProfileStats,
    SharedVariable,
    as_op,
    function,
    predefined_linkers,
    predefined_modes,
    predefined_optimizers,
    shared,
)
from theano.gof import (
    CLinker,
    Container,
    DualLinker,
    Generic,
    InconsistencyError,
    Linker,
    LocalLinker,
    OpWiseCLinker,
    PerformLinker,
    generic,
)
from theano.gof.graph import Variable
from theano.gof.op import Op
from theano.gradient import Lop, Rop, grad, subgraph_grad
from theano.printing import pp, pprint
from theano.scan_module import (
    clone,
    foldl,
    foldr,
    map,
    reduce,
    scan,
    scan_checkpoints,
)
from theano.tensor import dot, get_scalar_constant_value
from theano.updates import OrderedUpdates
from theano.version import version as __version__


def _asarray(a, dtype, order=None):
    """``a`` as an array of ``dtype``."""
    return _np.asarray(a, dtype=_np.dtype(dtype), order=order)


# The order of BLAS's sums, hence the last bits, would depend on its threads.
threadpool_limits(1, user_api="blas")

__all__ = [
    "Apply",
    "CLinker",
    "Constant",
    "Container",
    "DualLinker",
    "FunctionGraph",
    "FunctionMaker",
    "Generic",
    "In",
    "InconsistencyError",
    "Linker",
    "LocalLinker",
    "Lop",
    "Mode",
    "Op",
    "OpFromGraph",
    "OpWiseCLinker",
    "OrderedUpdates",
    "Out",
    "Param",
    "PerformLinker",
    "ProfileMode",
    "ProfileStats",
    "Rop",
    "SharedVariable",
    "Type",
    "Variable",
    "as_op",
    "change_flags",
    "clone",
    "compat",
    "compile",
    "config",
    "dot",
    "foldl",
    "foldr",
    "function",
    "generic",
    "get_scalar_constant_value",
    "gof",
    "grad",
    "gradient",
    "ifelse",
    "map",
    "misc",
    "pp",
    "pprint",
    "predefined_linkers",
    "predefined_modes",
    "predefined_optimizers",
    "printing",
    "raise_op",
    "reduce",
    "restored_names",
    "scalar",
    "scan",
    "scan_checkpoints",
    "shared",
    "subgraph_grad",
    "tensor",
    "updates",
]
