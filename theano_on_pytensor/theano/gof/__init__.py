"""Graphs, Ops and their optimization."""

from pytensor.graph.basic import Apply, Constant
from pytensor.graph.destroyhandler import DestroyHandler
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.null_type import NullType
from pytensor.graph.type import Type
from pytensor.graph.utils import InconsistencyError, MethodNotDefined, MissingInputError
from pytensor.link.c.interface import HideC
from pytensor.link.c.params_type import Params, ParamsType
from pytensor.link.c.type import EnumList, EnumType, Generic, generic

from theano.gof import (
    cmodule,
    compiledir,
    compilelock,
    destroyhandler,
    fg,
    graph,
    link,
    null_type,
    op,
    opt,
    optdb,
    toolbox,
    type,
    utils,
)
from theano.gof.graph import Variable
from theano.gof.link import (
    CLinker,
    Container,
    DualLinker,
    Linker,
    LocalLinker,
    OpWiseCLinker,
    PerformLinker,
    WrapLinker,
    WrapLinkerMany,
)
from theano.gof.op import COp, Op, PureOp
from theano.gof.opt import (
    EquilibriumOptimizer,
    LocalOptimizer,
    MergeOptimizer,
    OpRemove,
    OpSub,
    Optimizer,
    PatternSub,
    SeqOptimizer,
    TopoOptimizer,
    local_optimizer,
    optimizer,
)
from theano.gof.optdb import (
    DB,
    EquilibriumDB,
    LocalGroupDB,
    ProxyDB,
    Query,
    SequenceDB,
)
from theano.gof.toolbox import (
    Bookkeeper,
    Feature,
    History,
    NoOutputFromInplace,
    ReplaceValidate,
    Validator,
)
from theano.gof.utils import hashtype

__all__ = [
    "Apply",
    "Bookkeeper",
    "CLinker",
    "COp",
    "Constant",
    "Container",
    "DB",
    "DestroyHandler",
    "DualLinker",
    "EnumList",
    "EnumType",
    "EquilibriumDB",
    "EquilibriumOptimizer",
    "Feature",
    "FunctionGraph",
    "Generic",
    "HideC",
    "History",
    "InconsistencyError",
    "Linker",
    "LocalGroupDB",
    "LocalLinker",
    "LocalOptimizer",
    "MergeOptimizer",
    "MethodNotDefined",
    "MissingInputError",
    "NoOutputFromInplace",
    "NullType",
    "Op",
    "OpRemove",
    "OpSub",
    "OpWiseCLinker",
    "Optimizer",
    "Params",
    "ParamsType",
    "PatternSub",
    "PerformLinker",
    "ProxyDB",
    "PureOp",
    "Query",
    "ReplaceValidate",
    "SeqOptimizer",
    "SequenceDB",
    "TopoOptimizer",
    "Type",
    "Validator",
    "Variable",
    "WrapLinker",
    "WrapLinkerMany",
    "cmodule",
    "compiledir",
    "compilelock",
    "destroyhandler",
    "fg",
    "generic",
    "graph",
    "hashtype",
    "link",
    "local_optimizer",
    "null_type",
    "op",
    "opt",
    "optdb",
    "optimizer",
    "toolbox",
    "type",
    "utils",
]
