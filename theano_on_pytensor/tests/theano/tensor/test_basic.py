"""Functions whose signature or rules differ from PyTensor's; values by NumPy."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theano
import theano.tensor as T

RNG = np.random.default_rng(0)


def types_of(variable):
    """The dtype and which dimensions are known to be 1."""
    return variable.type.dtype, tuple(variable.type.broadcastable)


@pytest.mark.parametrize(
    ("make", "dtype", "broadcastable"),
    [
        (T.scalar, None, ()),
        (T.vector, None, (False,)),
        (T.matrix, None, (False, False)),
        (T.row, None, (True, False)),
        (T.col, None, (False, True)),
        (T.tensor3, None, (False,) * 3),
        (T.tensor4, None, (False,) * 4),
        (T.tensor5, None, (False,) * 5),
        (T.bscalar, "int8", ()),
        (T.wvector, "int16", (False,)),
        (T.wmatrix, "int16", (False, False)),
        (T.imatrix, "int32", (False, False)),
        (T.lvector, "int64", (False,)),
        (T.fmatrix, "float32", (False, False)),
        (T.dtensor4, "float64", (False,) * 4),
        (T.icol, "int32", (False, True)),
        (T.frow, "float32", (True, False)),
        (T.ztensor3, "complex128", (False,) * 3),
    ],
)
def test_constructors_of_variables(make, dtype, broadcastable):
    for floatx in ("float32", "float64"):
        with theano.config.change_flags(floatX=floatx):
            variable = make("x")
        assert variable.name == "x"
        assert types_of(variable) == (dtype or floatx, broadcastable)


def test_several_variables_at_once():
    x, y = T.matrices("x", "y")
    assert (x.name, y.name) == ("x", "y")
    assert [v.ndim for v in T.vectors(3)] == [1, 1, 1]


def test_types_are_made_of_a_dtype_and_a_pattern():
    x = T.TensorType("float32", (False, True))("x")
    y = T.tensor(dtype="float32", broadcastable=(False, True), name="y")
    assert types_of(x) == types_of(y) == ("float32", (False, True))
    assert y.name == "y"
    assert T.TensorType("int32", [False] * 2) == T.imatrix().type


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, "int8"),
        (200, "int16"),
        (1.5, "float32"),
        (np.float64(1.5), "float64"),
        (np.int64(1), "int64"),
        (True, "int8"),
        (np.bool_(True), "bool"),
    ],
)
def test_constants_take_the_smallest_dtype_that_keeps_the_value(value, dtype):
    # Asked of the genuine Theano 1.0.5, floatX=float64.
    constant = T.constant(value)
    assert constant.dtype == dtype
    assert constant.data == value


@pytest.mark.parametrize(
    ("function", "in_dtype", "out_dtype"),
    [
        # Asked of the genuine Theano 1.0.5.
        (T.mean, "int8", "float64"),
        (T.mean, "float32", "float32"),
        (T.var, "float32", "float32"),
        (T.std, "int64", "float64"),
        (T.sum, "int8", "int64"),
        (T.sum, "uint8", "uint64"),
        (T.sum, "float32", "float32"),
        (T.prod, "int32", "int64"),
        (T.argmax, "float32", "int64"),
        (T.argmin, "float32", "int64"),
        (T.max, "int16", "int16"),
        (T.sqrt, "int8", "float32"),
        (T.exp, "int64", "float64"),
        (T.sgn, "int32", "int32"),
        (T.abs_, "int8", "int8"),
        (T.inv, "int8", "float32"),
        (T.isnan, "float64", "bool"),
        (T.round, "float32", "float32"),
    ],
)
def test_dtypes_of_results(function, in_dtype, out_dtype):
    value = np.arange(1, 7, dtype=in_dtype).reshape(2, 3)
    out = function(T.constant(value))
    assert out.dtype == out_dtype
    assert out.eval().dtype == out_dtype


@pytest.mark.parametrize(
    ("left", "right", "sum_dtype", "quotient_dtype"),
    [
        ("float32", "float32", "float32", "float32"),
        ("float32", "int32", "float64", "float64"),
        ("float32", "int16", "float32", "float32"),
        ("int8", "int8", "int8", "float64"),
        ("int32", "uint8", "int32", "float64"),
    ],
)
def test_dtypes_of_arithmetic(left, right, sum_dtype, quotient_dtype):
    x, y = T.vector(dtype=left), T.vector(dtype=right)
    assert (x + y).dtype == sum_dtype
    assert (x / y).dtype == quotient_dtype
    assert (x * 2).dtype == left
    assert T.eq(x, y).dtype == "bool"


def test_a_python_float_does_not_raise_float32():
    x = T.fvector()
    with theano.config.change_flags(floatX="float32"):
        for out in (x * 0.1, x + 1.5, x / 3, 1 - x, x**2, T.maximum(x, 0.5)):
            assert out.dtype == "float32"
    # What float32 cannot hold exactly is float64 where floatX is, as in Theano.
    with theano.config.change_flags(floatX="float64"):
        assert (x * 0.1).dtype == "float64"
        assert (x * 0.5).dtype == "float32"


@pytest.mark.parametrize("floatx", ["float32", "float64"])
def test_dtypes_of_what_is_made_from_nothing(floatx):
    with theano.config.change_flags(floatX=floatx):
        for out in (T.zeros((2, 3)), T.ones(2), T.eye(2)):
            assert out.dtype == floatx
        assert T.zeros(2, dtype="int32").dtype == "int32"
        assert T.arange(3).dtype == "int64"
        assert T.alloc(np.float32(0), 2, 3).dtype == "float32"


def test_zeros_and_ones_take_symbolic_sizes():
    n = T.lscalar()
    f = theano.function([n], [T.zeros((n, 2)), T.ones((n,)), T.alloc(7, n, n)])
    zeros, ones, sevens = f(3)
    assert zeros.tolist() == np.zeros((3, 2)).tolist()
    assert ones.tolist() == [1, 1, 1]
    assert sevens.tolist() == [[7] * 3] * 3


def test_stack_takes_a_list_or_the_tensors():
    x, y = T.dvector("x"), T.dvector("y")
    a, b = np.array([1.0, 2]), np.array([3.0, 4])
    f = theano.function([x, y], [T.stack(x, y), T.stack([x, y]), T.stack([x, y], 1)])
    by_rows, listed, by_columns = f(a, b)
    assert by_rows.tolist() == listed.tolist() == np.stack([a, b]).tolist()
    assert by_columns.tolist() == np.stack([a, b], 1).tolist()
    assert T.stack(T.scalar(), T.scalar()).ndim == 1


def test_stacking_scalars_gives_a_vector():
    assert T.stack(T.constant(1.0), T.constant(2.0)).eval().tolist() == [1, 2]


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (24,)),
        ({"ndim": 2}, (2, 12)),
        ({"outdim": 2}, (2, 12)),
        ({"ndim": 3}, (2, 3, 4)),
    ],
)
def test_flatten_joins_the_last_dimensions(options, shape):
    value = RNG.standard_normal((2, 3, 4))
    out = T.flatten(T.constant(value), **options)
    assert np.array_equal(out.eval(), value.reshape(shape))


def test_flatten_takes_one_name_of_its_argument():
    with pytest.raises(ValueError, match="outdim, not both"):
        T.flatten(T.matrix(), ndim=1, outdim=1)


def test_the_method_flatten_has_the_same_arguments():
    value = RNG.standard_normal((2, 3, 4))
    x = T.constant(value)
    assert np.array_equal(x.flatten(2).eval(), value.reshape(2, 12))
    assert np.array_equal(x.flatten(ndim=2).eval(), value.reshape(2, 12))


def test_argmax_and_its_maximum():
    value = np.array([[1, 5, 5], [7, 0, 7]])
    x = T.constant(value)
    assert T.argmax(x, axis=1).eval().tolist() == [1, 0]
    assert T.argmax(x).eval() == 3
    assert T.argmax(x, axis=1, keepdims=True).eval().tolist() == [[1], [0]]
    maximum, place = T.max_and_argmax(x, axis=0)
    assert maximum.eval().tolist() == [7, 5, 7]
    assert place.eval().tolist() == [1, 0, 1]


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), [1, 2]])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions_along_axes(axis, keepdims):
    value = RNG.standard_normal((2, 3, 4))
    x = T.constant(value)
    np_axis = tuple(axis) if isinstance(axis, list) else axis
    for ours, theirs in [
        (T.mean, np.mean),
        (T.sum, np.sum),
        (T.prod, np.prod),
        (T.max, np.max),
        (T.min, np.min),
        (T.var, np.var),
        (T.std, np.std),
    ]:
        out = ours(x, axis=axis, keepdims=keepdims).eval()
        np.testing.assert_allclose(
            out, theirs(value, axis=np_axis, keepdims=keepdims), rtol=1e-12
        )


def test_patterns_are_declared_and_checked():
    x = T.dmatrix("x")
    row = T.addbroadcast(x, 0)
    assert types_of(row)[1] == (True, False)
    assert types_of(T.patternbroadcast(x, (False, True)))[1] == (False, True)
    f = theano.function([x], row)
    assert f([[1.0, 2.0]]).tolist() == [[1, 2]]
    with pytest.raises(Exception, match=r"(?i)shape|broadcast|dimension"):
        f([[1.0], [2.0]])


def test_patterns_are_forgotten():
    row = T.drow("row")
    assert types_of(T.unbroadcast(row, 0))[1] == (False, False)
    assert types_of(T.patternbroadcast(row, (False, False)))[1] == (False, False)
    assert types_of(T.unbroadcast(row))[1] == (True, False)
    out = theano.function([row], T.unbroadcast(row, 0))([[1.0, 2.0]])
    assert out.tolist() == [[1, 2]]
    with pytest.raises(ValueError, match=r"3 dimensions, .* has 2"):
        T.patternbroadcast(row, (True, False, False))


def test_an_update_keeps_its_type_after_unbroadcast():
    s = theano.shared(np.zeros((1, 3)))
    row = T.drow("row")
    step = theano.function([row], updates=[(s, T.unbroadcast(row, 0))])
    step([[1.0, 2, 3]])
    assert s.get_value().tolist() == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("a_shape", "b_shape"),
    [
        ((5, 2, 3), (5, 3, 4)),
        ((5, 3), (5, 3, 4)),
        ((5, 2, 3), (5, 3)),
        ((5, 3), (5, 3)),
        ((5,), (5, 3)),
        ((5, 2, 3), (5,)),
    ],
)
def test_batched_dot_is_a_dot_a_row(a_shape, b_shape):
    a, b = RNG.standard_normal(a_shape), RNG.standard_normal(b_shape)
    expected = np.array([np.dot(left, right) for left, right in zip(a, b, strict=True)])
    out = T.batched_dot(T.constant(a), T.constant(b)).eval()
    np.testing.assert_allclose(out, expected, rtol=1e-12)


def test_batched_dot_of_other_ranks_is_refused():
    with pytest.raises(TypeError, match="argument 0 has 4"):
        T.batched_dot(T.tensor4(), T.tensor3())
    with pytest.raises(TypeError, match="argument 1 has 0"):
        T.batched_dot(T.tensor3(), T.scalar())


@pytest.mark.parametrize(
    ("a_shape", "b_shape", "axes", "np_axes"),
    [
        ((5, 2, 3, 4), (5, 3, 4, 6), 2, 2),
        ((5, 2, 3), (5, 3, 4), 1, 1),
        ((5, 4, 3), (5, 3, 4, 2), [[1, 2], [2, 1]], [[0, 1], [1, 0]]),
        ((5, 3), (5, 3), [[1], [1]], [[0], [0]]),
    ],
)
def test_batched_tensordot_is_a_tensordot_a_row(a_shape, b_shape, axes, np_axes):
    a, b = RNG.standard_normal(a_shape), RNG.standard_normal(b_shape)
    expected = np.array(
        [np.tensordot(left, right, np_axes) for left, right in zip(a, b, strict=True)]
    )
    out = T.batched_tensordot(T.constant(a), T.constant(b), axes)
    assert out.ndim == expected.ndim
    np.testing.assert_allclose(out.eval(), expected, rtol=1e-12)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_tile_repeats_as_numpy_does(reps):
    value = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(T.tile(T.constant(value), reps).eval(), np.tile(value, reps))


def test_tile_with_a_number_of_dimensions():
    value = np.arange(6.0).reshape(2, 3)
    x, reps = T.constant(value), T.lvector("reps")
    assert np.array_equal(T.tile(x, 2, ndim=3).eval(), np.tile(value, (1, 1, 2)))
    out = T.tile(x, reps, ndim=2)
    assert out.ndim == 2
    assert np.array_equal(out.eval({reps: [2, 3]}), np.tile(value, (2, 3)))


def test_split_takes_the_number_of_parts():
    x = T.dvector("x")
    parts = T.split(x, [2, 1], 2, axis=0)
    first, second = theano.function([x], parts)([1.0, 2, 3])
    assert (first.tolist(), second.tolist()) == ([1, 2], [3])


def test_scalar_constants_are_read_from_a_graph():
    assert T.get_scalar_constant_value(T.constant(2) * 3) == 6
    assert T.get_scalar_constant_value(T.dmatrix().shape.shape[0]) == 2
    with pytest.raises(T.NotScalarConstantError):
        T.get_scalar_constant_value(T.dscalar())
    with pytest.raises(T.NotScalarConstantError):
        T.get_scalar_constant_value(T.constant([1, 2]))


def test_round_goes_to_the_even_number_as_theano_1_did():
    value = np.array([0.5, 1.5, -0.5, -1.5, 2.5])
    assert T.round(value).eval().tolist() == [0, 2, 0, -2, 2]
    away = T.round(value, mode="half_away_from_zero")
    assert away.eval().tolist() == [1, 2, -1, -2, 3]


def test_methods_of_variables():
    value = RNG.standard_normal((2, 3))
    x = T.dmatrix("x")
    outputs = {
        "T": (x.T, value.T),
        "dimshuffle": (x.dimshuffle(1, "x", 0), value.T[:, None]),
        "reshape": (x.reshape((3, 2)), value.reshape(3, 2)),
        "sum": (x.sum(axis=0), value.sum(0)),
        "mean": (x.mean(axis=1, keepdims=True), value.mean(1, keepdims=True)),
        "norm": (x.norm(2), np.sqrt((value**2).sum())),
        "clip": (x.clip(-0.5, 0.5), value.clip(-0.5, 0.5)),
        "argmax": (x.argmax(axis=1), value.argmax(1)),
        "index": (x[1, ::-1], value[1, ::-1]),
        "fancy": (x[[0, 1], [2, 0]], value[[0, 1], [2, 0]]),
        "size": (x.size, value.size),
        "astype": (x.astype("int32"), value.astype("int32")),
        "repeat": (x.repeat(2, axis=1), value.repeat(2, 1)),
        "ravel": (x.ravel(), value.ravel()),
        "nonzero": (x.nonzero()[0], value.nonzero()[0]),
        "std": (x.std(), value.std()),
        "swapaxes": (x.swapaxes(0, 1), value.T),
    }
    results = theano.function([x], [out for out, _ in outputs.values()])(value)
    for name, result, (_, expected) in zip(
        outputs, results, outputs.values(), strict=True
    ):
        np.testing.assert_allclose(result, expected, rtol=1e-12, err_msg=name)


def test_a_pattern_of_numbers_is_one_of_truth_values():
    assert T.TensorType("float32", (0, 1))().broadcastable == (False, True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert T.TensorType("float32", broadcastable=(False,))().ndim == 1
    assert isinstance(T.dmatrix().type, T.TensorType)
    assert not isinstance(T.dmatrix(), T.TensorType)


def test_the_dtype_of_a_variable_is_given_by_name_or_position():
    for make in (T.scalar, T.vector, T.matrix, T.row, T.col, T.tensor3, T.tensor4):
        assert make("v", "int32").type == make(dtype="int32").type
        assert make("v", "int32").name == "v"
        assert make().dtype == theano.config.floatX


def test_a_variance_of_samples_takes_ddof_from_each_axis():
    value = np.arange(12.0).reshape(3, 4) ** 2
    squares = ((value - value.mean()) ** 2).sum()
    for corrected in (False, True):
        variance = T.var(T.constant(value), ddof=1, corrected=corrected)
        np.testing.assert_allclose(variance.eval(), squares / ((3 - 1) * (4 - 1)))
    np.testing.assert_allclose(
        T.std(T.constant(value), axis=0, ddof=1, keepdims=True).eval(),
        value.std(axis=0, ddof=1, keepdims=True),
    )


def test_angles_are_float64():
    assert T.angle(T.constant(np.complex64(1j))).dtype == "float64"
    assert T.angle(T.fvector("x")).dtype == "float64"
