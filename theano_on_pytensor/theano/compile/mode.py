"""How a function is compiled: the rewrites of its graph and who runs it.

A graph is rewritten as ``theano.config.optimizer`` says and then run, Op by
Op, by PyTensor's virtual machine (:class:`pytensor_nnet.linker.NumpyLinker`).
Theano's names of linkers that ran compiled C all mean that one here; ``numba``
and ``jax`` are PyTensor's own.
"""

from pytensor import config as pytensor_config
from pytensor.compile import mode as _mode
from pytensor.compile.mode import (
    OPT_FAST_COMPILE,
    OPT_FAST_RUN,
    OPT_FAST_RUN_STABLE,
    OPT_MERGE,
    OPT_NONE,
    OPT_O2,
    OPT_O3,
    OPT_STABILIZE,
    OPT_UNSAFE,
    AddDestroyHandler,
    AddFeatureOptimizer,
    PrintCurrentFunctionGraph,
    local_useless,
    optdb,
    predefined_linkers,
    predefined_optimizers,
    register_linker,
    register_optimizer,
)

from pytensor_nnet.linker import NumpyLinker
from theano.configdefaults import config

__all__ = [
    "AddDestroyHandler",
    "AddFeatureOptimizer",
    "FAST_COMPILE",
    "FAST_RUN",
    "Mode",
    "OPT_FAST_COMPILE",
    "OPT_FAST_RUN",
    "OPT_FAST_RUN_STABLE",
    "OPT_MERGE",
    "OPT_NONE",
    "OPT_O2",
    "OPT_O3",
    "OPT_STABILIZE",
    "OPT_UNSAFE",
    "PrintCurrentFunctionGraph",
    "get_default_mode",
    "get_mode",
    "local_useless",
    "optdb",
    "predefined_linkers",
    "predefined_modes",
    "predefined_optimizers",
    "register_linker",
    "register_mode",
    "register_optimizer",
]

_PYTENSORS_OWN_LINKERS = ("numba", "jax")


def _linker(linker):
    """The linker that a name of Theano's means; a linker object is left alone."""
    if not isinstance(linker, str):
        return linker
    if linker in _PYTENSORS_OWN_LINKERS:
        return predefined_linkers[linker]
    if linker.endswith("_nogc"):
        return NumpyLinker(allow_gc=False)
    return NumpyLinker()


class Mode(_mode.Mode):
    """A linker and an optimizer, by name or as objects.

    Parameters
    ----------
    linker
        One of ``theano.configdefaults.LINKERS`` or a linker; by default
        ``theano.config.linker``.
    optimizer
        One of ``theano.configdefaults.OPTIMIZERS`` or a query of the rewrite
        database; by default ``theano.config.optimizer``.
    """

    def __init__(self, linker=None, optimizer="default", db=None):
        if linker is None:
            linker = config.linker
        if optimizer == "default":
            optimizer = config.optimizer
        super().__init__(linker=_linker(linker), optimizer=optimizer, db=db)


FAST_COMPILE = Mode("vm", "fast_compile")
FAST_RUN = Mode("vm", "fast_run")
predefined_modes = {"FAST_COMPILE": FAST_COMPILE, "FAST_RUN": FAST_RUN}


def register_mode(name, mode):
    """Make ``mode`` known as ``name``; ValueError where the name is taken."""
    if name in predefined_modes:
        raise ValueError(f"Mode name already taken: {name}")
    predefined_modes[name] = mode


def _debug_mode():
    from pytensor.compile.debug.debugmode import DebugMode

    return DebugMode(optimizer=config.optimizer)


def _nan_guard_mode():
    from theano.compile.nanguardmode import NanGuardMode

    return NanGuardMode(True, True, True)


def get_mode(mode=None):
    """The mode that a name means; ``None`` means ``theano.config.mode``.

    ``optimizer_including`` and ``optimizer_excluding`` of ``theano.config`` act on
    the modes made here, as they did in Theano, not on a Mode object.

    Raises
    ------
    ValueError
        For a name that no mode has.
    """
    if mode is None:
        mode = config.mode
    if not isinstance(mode, str):
        return mode
    name = mode.upper().replace("_", "")
    if name == "MODE" or name == "PROFILEMODE":
        found = Mode()
    elif name == "DEBUGMODE":
        found = _debug_mode()
    elif name == "NANGUARDMODE":
        found = _nan_guard_mode()
    else:
        found = predefined_modes.get(mode) or predefined_modes.get(mode.upper())
        if found is None:
            raise ValueError(
                f"No mode is called {mode!r}; there are Mode, DebugMode, "
                f"NanGuardMode, {', '.join(predefined_modes)}"
            )
        return found
    if config.optimizer_excluding:
        found = found.excluding(*config.optimizer_excluding.split(":"))
    if config.optimizer_including:
        found = found.including(*config.optimizer_including.split(":"))
    return found


def get_default_mode():
    """The mode that ``theano.config`` describes."""
    return get_mode(None)


_users_own_pytensor_mode = (
    pytensor_config.mode != "Mode" or pytensor_config.linker != "auto"
)


def _set_pytensors_default() -> None:
    """Have ``variable.eval()`` and what else asks PyTensor for its default mode
    run in the mode that ``theano.config`` describes, unless the user chose
    PyTensor's mode or linker himself.
    """
    if not _users_own_pytensor_mode:
        pytensor_config.mode = get_default_mode()


_set_pytensors_default()
for _name in (
    *("mode", "linker", "optimizer"),
    *("optimizer_excluding", "optimizer_including"),
):
    config._settings[_name].on_change = _set_pytensors_default
