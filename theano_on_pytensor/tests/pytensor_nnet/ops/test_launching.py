"""Calls are described once, and made again only where nobody has the outputs."""

import gc
import pickle
from itertools import groupby

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytensor.compile.mode import Mode

from pytensor_nnet.kernels.llvm import launch as launches
from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.threads import Program
from pytensor_nnet.linker import NumpyLinker
from pytensor_nnet.ops import launching
from pytensor_nnet.ops.compiled_elemwise import CompiledElemwise
from pytensor_nnet.ops.conv import Conv2d
from pytensor_nnet.ops.crossentropy import (
    SoftmaxLogLikelihood,
    SoftmaxLogLikelihoodGrad,
)
from pytensor_nnet.ops.fused_conv import FusedConv2d, FusedConv2dGrad
from pytensor_nnet.ops.fused_dense import FusedDense, FusedDenseGrad
from pytensor_nnet.ops.launching import Launching

MODE = Mode(NumpyLinker(), "fast_run")


@pytest.fixture(params=[0, 1 << 10], ids=["no copies", "copies"], autouse=True)
def small(request, monkeypatch):
    """Bytes up to which arrays are copied."""
    monkeypatch.setattr(launching, "_SMALL", request.param)
    return request.param


def runs_of(kind, monkeypatch):
    """The objects of this class whose ``run`` is called from now on."""
    seen = []

    def counted(self):
        seen.append(self)
        original(self)

    original = kind.run
    monkeypatch.setattr(kind, "run", counted)
    return seen


@pytest.fixture
def described(monkeypatch):
    """The launches that were described: each is run by itself that time."""
    return runs_of(Launch, monkeypatch)


@pytest.fixture
def programs(monkeypatch):
    """The programs that were run."""
    return runs_of(Program, monkeypatch)


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
    assert len(described) == 1
    assert (w.get_value() == 200).all()
    w.set_value(np.full((2, 3), 100.0))
    function()
    assert len(described) == 2
    assert w.get_value().tolist() == [[200.0] * 3] * 2
    assert (v.get_value() == 32).all()


def layer_of_images(**options):
    conv = Conv2d(imshp=(None, 3, 9, 9), kshp=(8, 3, 3, 3), **options)
    return FusedConv2d(conv, (2, 2), 0.0, True), FusedConv2dGrad(conv, (2, 2), 0.0)


NODES = {
    "a convolution": (layer_of_images()[0], [(4, 3, 9, 9), (8, 3, 3, 3), (8,)]),
    "a padded convolution": (
        layer_of_images(border_mode=((1, 2), (0, 1)))[0],
        [(4, 3, 9, 9), (8, 3, 3, 3), (8,)],
    ),
    "a convolution's gradient": (
        layer_of_images()[1],
        [(4, 3, 9, 9), (8, 3, 3, 3), (4, 8, 3, 3), (4, 8, 3, 3), (4, 8, 3, 3)],
    ),
    "a dense layer": (FusedDense(0.0, True), [(40, 30), (30, 20), (20,)]),
    "a dense layer's gradient": (
        FusedDenseGrad(0.0, 0.5),
        [(40, 30), (30, 20), (40, 20), (40, 20), (40, 20)],
    ),
    "a plain dense layer's gradient": (
        FusedDenseGrad(),
        [(40, 30), (30, 20), (40, 20)],
    ),
    "a likelihood": (SoftmaxLogLikelihood(sums=True), [(40, 7), (40,)]),
    "a likelihood's gradient": (SoftmaxLogLikelihoodGrad(), [(40, 7), (40,), (40,)]),
    "an argmax": (lambda x: pt.argmax(x, axis=1), [(40, 30)]),
    "a sum": (lambda x: x.sum(axis=0), [(4000, 8)]),
    "elements": (lambda x, y, z: pt.tanh(x * y + z), [(40, 30), (40, 30), (30,)]),
}


@pytest.mark.parametrize("name", NODES)
def test_inputs_may_lie_elsewhere(name, described):
    """Of the same shapes and strides, they are not described anew."""
    op, shapes = NODES[name]
    integers = {"a likelihood": (1,), "a likelihood's gradient": (1,)}.get(name, ())
    masks = {"a convolution's gradient": (3,), "a dense layer's gradient": (4,)}
    rng = np.random.default_rng(0)

    def numbers(position, shape):
        if position in integers:
            return rng.integers(0, 7, shape)
        if position in masks.get(name, ()):
            return rng.integers(0, 2, shape).astype(np.uint8)
        return rng.standard_normal(shape)

    values = [[numbers(i, shape) for i, shape in enumerate(shapes)] for _ in range(4)]
    variables = [
        pt.TensorType(value.dtype, shape=(None,) * value.ndim)() for value in values[0]
    ]
    outputs = op(*variables)
    functions = [pytensor.function(variables, outputs, mode=MODE) for _ in range(5)]
    expected = [
        function(*value) for function, value in zip(functions[1:], values, strict=True)
    ]
    described.clear()
    for numbers_given, right in zip(values, expected, strict=True):
        # Each of them somewhere else, relative to the others as well.
        arrays = []
        for value in numbers_given:
            place = np.empty(value.size + rng.integers(64), value.dtype)
            arrays.append(place[place.size - value.size :].reshape(value.shape))
            arrays[-1][...] = value
        results = functions[0](*arrays)
        if isinstance(results, list):
            assert all(map(np.array_equal, results, right))
        else:
            assert np.array_equal(results, right)
        del results
    launched = sum(isinstance(n.op, Launching) for n in functions[0].vm.nodes)
    assert len(described) == launched > 0


def test_inputs_that_overlap():
    x, y = pt.dmatrices("x", "y")
    function = pytensor.function([x, y], pt.tanh(x + 2 * y), mode=MODE)
    data = np.random.default_rng(0).standard_normal((90, 50))
    for i, j in ((0, 0), (0, 3), (0, 3), (5, 5), (40, 0), (0, 40), (3, 4)):
        one, other = data[i : i + 50], data[j : j + 50]
        right = np.tanh(one + 2 * other)
        np.testing.assert_allclose(function(one, other), right, rtol=1e-13)


def test_a_batch_of_the_data_after_another(described):
    """Where an input lies may change, how it lies may not."""
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


def test_a_row_is_run_at_once(function, described, programs):
    compiled, w = function
    x = np.arange(9.0).reshape(3, 3)
    compiled(x)
    described.clear()
    programs.clear()
    assert np.array_equal(compiled(x), expected(x, w.get_value()))
    assert (len(described), len(programs)) == (0, 1)


def test_what_only_a_row_needs_is_not_stored(function):
    compiled, w = function
    x = np.ones((3, 3))
    for _ in range(3):
        compiled(x)
        cells = [cell for thunk in compiled.vm.thunks for cell in thunk.outputs]
        assert all(cell[0] is None for cell in cells)


def test_a_batch_of_another_size_takes_no_row_apart(programs):
    x, w = pt.dmatrix(), pytensor.shared(np.eye(3))
    function = pytensor.function([x], pt.dot(pt.dot(x, w) + 1, w), mode=MODE)
    large, small = np.ones((4, 3)), np.ones((2, 3))
    for batch in [*3 * (*5 * (large,), small), large]:
        assert np.array_equal(function(batch), batch + 1)
    programs.clear()
    function(large)
    assert len(programs) == 1


def test_what_never_fits_is_described_alone(described):
    """The nodes before it are run as they are."""
    x, w = pt.dmatrix(), pytensor.shared(np.eye(3))
    first = pt.dot(pt.dot(w + 1, w) * 2, w)
    function = pytensor.function([x], pt.dot(x, first), mode=MODE)
    nodes = sum(isinstance(n.op, Launching) for n in function.maker.fgraph.apply_nodes)
    assert nodes > 3
    given = [np.ones((1000 + 100 * (n % 2), 3)) for n in range(12)]
    for x in given:
        described.clear()
        assert np.array_equal(function(x), 8 * x)
    assert 0 < len(described) < nodes


def test_an_error_within_a_row_stops_it():
    """Before anything that comes after it is overwritten."""
    scores, classes = pt.dmatrix("scores"), pt.lvector("classes")
    w = pytensor.shared(np.ones((4, 5)), "w")
    likelihood, softmax, total = SoftmaxLogLikelihood(sums=True)(
        pt.dot(scores, w), classes
    )
    function = pytensor.function(
        [scores, classes], total, updates=[(w, w + total)], mode=MODE
    )
    x, right = np.ones((3, 4)), np.array([0, 1, 4])
    for _ in range(3):
        function(x, right)
    kept = w.get_value()
    for _ in range(2):
        with (
            pytensor.config.change_flags(exception_verbosity="high"),
            pytest.raises(IndexError, match="(?s)one of the 5.*that caused.*Softmax"),
        ):
            function(x, np.array([0, 5, 1]))
        assert np.array_equal(w.get_value(), kept)
    function(x, right)
    assert not np.array_equal(w.get_value(), kept)


def test_launched_nodes_stand_in_rows():
    """Whatever is in between is computed before or after, where it can be."""
    x, w = pt.dmatrix(), pytensor.shared(np.eye(3))
    inner = pt.dot(x * w + 1, w)
    outer = pt.dot(inner * x.shape[0], w)
    function = pytensor.function([x], [outer.prod(axis=0), inner[::-1]], mode=MODE)
    launched = [isinstance(node.op, Launching) for node in function.vm.nodes]
    assert [is_launched for is_launched, _ in groupby(launched)].count(True) == 1
    assert sum(launched) > 3
    for x in (np.ones((3, 3)), np.arange(9.0).reshape(3, 3)):
        right = x * w.get_value() + 1
        products, turned = function(x)
        assert np.allclose(products, (right * 3).prod(axis=0), rtol=1e-13)
        assert np.array_equal(turned, right[::-1])


# What a step of a random program computes of two matrices of one shape and a square
# one, for PyTensor and for NumPy.
STEPS = {
    "sum": lambda xp, a, b, w: a + 0.5 * b,
    "product": lambda xp, a, b, w: a * b - 1,
    "tanh": lambda xp, a, b, w: xp.tanh(a),
    "dot": lambda xp, a, b, w: xp.dot(a, w) / 4,
    "turned": lambda xp, a, b, w: a[::-1],
    "columns": lambda xp, a, b, w: b - a.sum(axis=0),
    "squares": lambda xp, a, b, w: xp.dot(xp.dot(a, w.T), w) / 16,
    "halves": lambda xp, a, b, w: (a.reshape((-1, 2)) * 2).reshape((-1, 4)),
}


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_random_programs(data):
    """Called again and again, with the same numbers, others, more of them, while
    results are kept or not.
    """
    steps = data.draw(
        st.lists(
            st.tuples(st.sampled_from(sorted(STEPS)), *[st.integers(0, 20)] * 2),
            min_size=2,
            max_size=5,
        )
    )
    returned = data.draw(st.lists(st.integers(0, 20), min_size=1, max_size=3))

    def results(xp, x, w):
        known = [x, x * 2]
        for name, i, j in steps:
            a, b = known[i % len(known)], known[j % len(known)]
            known.append(STEPS[name](xp, a, b, w))
        update = w * 0.5 + xp.tanh(known[-1].sum())
        return [known[i % len(known)] for i in returned], update

    x, shared = pt.dmatrix(), pytensor.shared(np.eye(4))
    outputs, update = results(pt, x, shared)
    function = pytensor.function([x], outputs, updates=[(shared, update)], mode=MODE)
    rng = np.random.default_rng(0)
    numbers, w = rng.standard_normal((6, 4)), np.eye(4)
    kept = []
    for action in data.draw(
        st.lists(
            st.sampled_from(["same", "others", "larger", "keep", "set", "large"]),
            min_size=2,
            max_size=12,
        )
    ):
        if action == "others":
            numbers = rng.standard_normal(numbers.shape)
        elif action in ("larger", "large"):
            numbers = rng.standard_normal((8 if action == "larger" else 1000, 4))
        elif action == "set":
            w = rng.standard_normal((4, 4))
            shared.set_value(w)
        got, (right, w) = function(numbers), results(np, numbers, w)
        for one, other in zip(got, right, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(shared.get_value(), w, rtol=1e-9, atol=1e-9)
        w = shared.get_value()
        if action == "keep":
            kept.append((got, [one.copy() for one in got]))
    for arrays, copies in kept:
        for one, other in zip(arrays, copies, strict=True):
            assert np.array_equal(one, other)
