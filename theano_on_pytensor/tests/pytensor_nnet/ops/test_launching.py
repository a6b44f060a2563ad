"""Calls are described once, and made again only where nobody has the outputs."""

import gc
import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from pytensor_nnet.kernels.llvm import launch as launches
from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.linker import NumpyLinker
from pytensor_nnet.ops import launching
from pytensor_nnet.ops.compiled_elemwise import CompiledElemwise
from pytensor_nnet.ops.conv import Conv2d
from pytensor_nnet.ops.fused_conv import FusedConv2d, FusedConv2dGrad
from pytensor_nnet.ops.launching import Launching

MODE = Mode(NumpyLinker(), "fast_run")


@pytest.fixture(params=[0, 1 << 10], ids=["no copies", "copies"], autouse=True)
def small(request, monkeypatch):
    """Bytes up to which arrays are copied."""
    monkeypatch.setattr(launching, "_SMALL", request.param)
    return request.param


@pytest.fixture
def described(monkeypatch):
    """The launches that were described."""
    seen = []

    def counted(self):
        seen.append(self)
        original(self)

    original = Launch.seal
    monkeypatch.setattr(Launch, "seal", counted)
    return seen


@pytest.fixture
def function():
    """Three nodes, of which the first two have an output that only the next needs."""
    x, w = pt.dmatrix(), pytensor.shared(np.eye(3))
    function = pytensor.function([x], pt.dot(x * w + 1, w) * 2, mode=MODE)
    nodes = function.maker.fgraph.apply_nodes
    assert sum(isinstance(node.op, Launching) for node in nodes) == 3
    return function, w


def expected(x, w):
    return ((x * w + 1) @ w) * 2


def test_the_same_input_is_described_once(function, described):
    compiled, w = function
    x = np.arange(9.0).reshape(3, 3)
    for step in range(5):
        x += step
        w.set_value(w.get_value(borrow=True) + step, borrow=step % 2 == 0)
        assert np.array_equal(compiled(x), expected(x, w.get_value()))
    described.clear()
    for step in range(5):
        x += step
        assert np.array_equal(compiled(x), expected(x, w.get_value()))
    assert not described


def test_an_output_that_somebody_has_is_left_alone(function, small, described):
    compiled, w = function
    x = np.ones((3, 3))
    results = [compiled(x * n) for n in range(6)]
    assert len(described) == 3 if small else len(described) > 3
    views = [compiled(x * n)[1:].T for n in range(6)]
    for n, (result, view) in enumerate(zip(results, views, strict=True)):
        right = expected(x * n, w.get_value())
        assert np.array_equal(result, right)
        assert np.array_equal(view, right[1:].T)


def test_other_shapes_and_places(function):
    compiled, w = function
    big = np.arange(90.0).reshape(10, 9)
    for x in (
        *(big[i : i + 3, :3] for i in range(5)),
        big[::2][:3, 3:6],
        big[:3, :3].T,
        big[:3, :3].copy(),
    ):
        for _ in range(2):
            assert np.array_equal(compiled(x), expected(x, w.get_value()))


def test_memory_that_is_used_again_for_something_else(function):
    """A new array may begin where an old one did."""
    compiled, w = function
    rng = np.random.default_rng(0)
    for _ in range(50):
        order = rng.choice(["C", "F"])
        x = np.array(rng.random((3, 3)), order=order)
        assert np.array_equal(compiled(x), expected(x, w.get_value()))
        del x
        gc.collect()


def test_a_changed_number_of_threads(function, described):
    compiled, w = function
    x = np.ones((3, 3))
    for count in (1, 3, 1):
        before = threads.set_threads(count)
        try:
            assert np.array_equal(compiled(x), expected(x, w.get_value()))
        finally:
            threads.set_threads(before)
    assert len(described) == 9


def test_without_reference_counts_nothing_is_kept(function, monkeypatch, described):
    monkeypatch.setattr(launches, "COUNTS_REFERENCES", False)
    compiled, w = function
    x = np.ones((3, 3))
    for _ in range(3):
        assert np.array_equal(compiled(x), expected(x, w.get_value()))
    assert len(described) == 9


def test_large_outputs_are_not_kept(described):
    x = pt.dmatrix()
    inner = pytensor.function([x], (2 * x + 1).sum(), mode=MODE)
    small, large = np.ones((10, 10)), np.ones((1000, 1000))
    for array, times in ((small, 1), (large, 3)):
        described.clear()
        for _ in range(3):
            assert inner(array) == 3 * array.size
        assert len(described) == times


def test_in_place_of_a_shared_variable(described):
    w, v = (pytensor.shared(np.ones((4, n))) for n in (3, 5))
    updates = [(w, 2 * w), (v, 2 * v)]
    function = pytensor.function([], [], updates=updates, mode=MODE)
    for _ in range(3):
        function()
    assert len(described) == 1
    w.set_value(np.full((4, 3), 100.0))
    function()
    assert len(described) == 2
    assert (w.get_value() == 200).all()
    assert (v.get_value() == 16).all()


def test_a_batch_of_the_data_after_another(described):
    """Where the moving input lies may change, how it lies may not."""
    x, w, b = pt.dtensor4(), pt.dtensor4(), pt.dvector()
    conv = Conv2d(imshp=(None, 1, 28, 28), kshp=(8, 1, 5, 5))
    layer = FusedConv2d(conv, (2, 2), 0.0, keeps_mask=True)
    out, mask = layer(x, w, b)
    gradients = FusedConv2dGrad(conv, (2, 2), 0.0, to_images=False)
    function = pytensor.function(
        [x, w, b], [out, *gradients(x, w, out, mask, out)], mode=MODE
    )
    rng = np.random.default_rng(0)
    data = rng.standard_normal((40, 1, 28, 28))
    filters, bias = rng.standard_normal((8, 1, 5, 5)), rng.standard_normal(8)
    alone = [function(data[i : i + 4].copy(), filters, bias) for i in range(0, 40, 4)]
    described.clear()
    for i, expected in zip(range(0, 40, 4), alone, strict=True):
        results = function(data[i : i + 4], filters, bias)
        for one, other in zip(results, expected, strict=True):
            assert np.array_equal(one, other)
        del results, one
    assert len(described) == 2
    results = function(data[::2][:4], filters, bias)
    expected = function(data[::2][:4].copy(), filters, bias)
    for one, other in zip(results, expected, strict=True):
        assert np.array_equal(one, other)


def test_an_error_does_not_stay(function):
    compiled, w = function
    x = np.ones((3, 3))
    compiled(x)
    with pytest.raises(ValueError, match="shape|broadcast"):
        compiled(np.ones((2, 3)))
    assert np.array_equal(compiled(x), expected(x, w.get_value()))


def test_numbers_that_are_no_arrays():
    """NumPy's scalars, where some Op gives them for an array without axes."""
    x = pt.dscalar()
    op = CompiledElemwise(pt.exp.scalar_op)
    node = op.make_node(x)
    storage = [[None]]
    op.perform(node, [np.float64(1)], storage)
    assert isinstance(storage[0][0], np.ndarray)
    assert np.isclose(storage[0][0], np.exp(1), rtol=1e-15)


def test_a_function_that_has_run_is_pickled(function):
    compiled, w = function
    x = np.ones((3, 3))
    compiled(x)
    again = pickle.loads(pickle.dumps(compiled))
    assert np.array_equal(again(x), expected(x, w.get_value()))
    assert np.array_equal(compiled.copy()(x), expected(x, w.get_value()))
