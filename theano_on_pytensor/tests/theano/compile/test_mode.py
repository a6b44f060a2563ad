"""Modes by name, and who runs the graph."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from pytensor_nnet.linker import NumpyLinker
from theano.compile.mode import get_default_mode, get_mode, register_mode

VALUE = np.array([-1.0, 0.5, 2.0])


def run(mode):
    x = T.dvector("x")
    cost = T.sum(T.nnet.sigmoid(x) ** 2)
    return theano.function([x], [cost, T.grad(cost, x)], mode=mode)


def expected():
    sigmoid = 1 / (1 + np.exp(-VALUE))
    return [(sigmoid**2).sum(), 2 * sigmoid * sigmoid * (1 - sigmoid)]


MODES = [
    None,
    "FAST_RUN",
    "FAST_COMPILE",
    "Mode",
    "NanGuardMode",
    "DebugMode",
    "DEBUG_MODE",
    theano.Mode("vm", "fast_run"),
    theano.Mode("cvm", "fast_compile"),
    theano.Mode(linker="c|py", optimizer="None"),
    theano.Mode(linker="py", optimizer=None),
    theano.Mode("vm_nogc"),
]


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_every_mode_computes_the_same(mode):
    for ours, theirs in zip(run(mode)(VALUE), expected(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("linker", ["vm", "cvm", "py", "c", "c|py", "cvm_nogc"])
def test_theanos_linkers_run_on_numpy(linker):
    assert isinstance(theano.Mode(linker).linker, NumpyLinker)
    assert theano.Mode(linker).linker.allow_gc is not linker.endswith("_nogc")


def test_an_unknown_mode_is_named():
    with pytest.raises(ValueError, match="'FASTER'.*FAST_RUN"):
        get_mode("FASTER")


def test_a_mode_of_ones_own():
    mode = theano.Mode("vm", "fast_compile")
    register_mode("OF_ONES_OWN", mode)
    try:
        assert get_mode("OF_ONES_OWN") is mode
        with pytest.raises(ValueError, match="already taken"):
            register_mode("OF_ONES_OWN", mode)
    finally:
        del theano.compile.predefined_modes["OF_ONES_OWN"]


def test_the_configuration_decides_by_default():
    with theano.config.change_flags(mode="FAST_COMPILE"):
        assert get_default_mode() is theano.compile.FAST_COMPILE
    with theano.config.change_flags(optimizer="fast_compile", linker="vm_nogc"):
        mode = get_default_mode()
        assert frozenset(mode.provided_optimizer.include) == frozenset(["fast_compile"])
        assert mode.linker.allow_gc is False


def test_rewrites_are_excluded_by_the_configuration():
    x = T.dvector("x")

    def count_nodes():
        return len(theano.function([x], T.exp(-x) + x).maker.fgraph.apply_nodes)

    with_fusion = count_nodes()
    with theano.config.change_flags(optimizer_excluding="fusion"):
        assert count_nodes() > with_fusion


def test_nan_guard_mode_finds_the_nan():
    x = T.dvector("x")
    f = theano.function([x], T.log(x), mode="NanGuardMode")
    assert f([1.0]).tolist() == [0]
    with pytest.raises(AssertionError, match="NaN"), np.errstate(invalid="ignore"):
        f([-1.0])


def test_monitor_mode_sees_every_node():
    seen = []
    mode = theano.compile.MonitorMode(
        post_func=lambda i, node, fn: seen.append(str(node.op))
    )
    x = T.dvector("x")
    theano.function([x], T.exp(x).sum(), mode=mode)(VALUE)
    assert seen


@pytest.mark.parametrize("method", ["including", "excluding"])
def test_modes_are_refined(method):
    mode = getattr(theano.compile.get_mode("FAST_RUN"), method)("fusion")
    assert theano.function([], T.constant(1.0) + 1, mode=mode)() == 2


def test_monitor_mode_gives_a_nodes_values_and_detect_nan_stops_at_the_first():
    x = T.dvector("x")
    values = []
    mode = theano.compile.MonitorMode(
        pre_func=lambda i, node, fn: values.append([v[0].copy() for v in fn.inputs]),
        optimizer="fast_compile",
    )
    theano.function([x], T.exp(x), mode=mode)([1.0, 2.0])
    assert values[0][0].tolist() == [1.0, 2.0]
    checked = theano.compile.MonitorMode(
        post_func=theano.compile.monitormode.detect_nan
    )
    with pytest.raises(ValueError, match="NaN at node 0"):
        theano.function([x], T.log(x), mode=checked)([-1.0])


def test_a_mode_of_a_linker_that_compiled_c_runs():
    mode = theano.ProfileMode(linker=theano.gof.OpWiseCLinker(), optimizer="fast_run")
    x = T.dscalar("x")
    assert theano.function([x], x + 1, mode=mode)(2) == 3
    with pytest.raises(NotImplementedError, match="profile=True"):
        mode.print_summary()
