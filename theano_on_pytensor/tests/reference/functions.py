"""Functions of Theano on small random inputs, the same for every Theano.

Imported by ``scripts/record_functions`` under the genuine Theano 1.0.5, which runs
on Python 3.7, and by the tests; hence no syntax that is newer. A case is a function
of variables that gives a list of variables. What is recorded: their values, their
dtypes, and the gradient of their sum, weighted at random, for every float input.
"""

import collections
import warnings
import zlib

import numpy

import theano
import theano.sparse
import theano.tensor as T
import theano.tensor.fft
import theano.tensor.nnet.conv3d2d
import theano.tensor.nnet.neighbours
import theano.tensor.signal.conv
import theano.tensor.signal.pool
import theano.tensor.slinalg

FLOAT_TYPES = ("float32", "float64")

Case = collections.namedtuple("Case", ["build", "inputs", "has_gradient"])
CASES = collections.OrderedDict()


def enter(name, build, *inputs, **options):
    """Enter ``build(*variables)`` as the case ``name``.

    ``gradient=False`` where no gradient is to be recorded.
    """
    if name in CASES:
        raise KeyError("two cases are called " + name)
    CASES[name] = Case(build, inputs, options.pop("gradient", True))
    if options:
        raise TypeError(options)


def case(*inputs, **options):
    """Enter the decorated function under its name."""

    def decorated(build):
        enter(build.__name__, build, *inputs, **options)
        return build

    return decorated


# What an input is made of: a function of a random state and of floatX.


def floats(*shape):
    return lambda random, floatX: random.uniform(-2, 2, shape).astype(floatX)


def positive(*shape):
    return lambda random, floatX: random.uniform(0.2, 3, shape).astype(floatX)


def unit(*shape):
    return lambda random, floatX: random.uniform(-0.9, 0.9, shape).astype(floatX)


def probabilities(*shape):
    return lambda random, floatX: random.uniform(0.1, 0.9, shape).astype(floatX)


def distributions(*shape):
    def draw(random, floatX):
        drawn = random.uniform(0.1, 1, shape)
        return (drawn / drawn.sum(axis=-1, keepdims=True)).astype(floatX)

    return draw


def definite(size):
    def draw(random, floatX):
        drawn = random.uniform(-1, 1, (size, size))
        return (drawn.dot(drawn.T) + size * numpy.eye(size)).astype(floatX)

    return draw


def shuffled(*shape):
    """Numbers no two of which are equal."""

    def draw(random, floatX):
        drawn = random.permutation(int(numpy.prod(shape))).reshape(shape)
        return (drawn / 4.0 - 2).astype(floatX)

    return draw


def of_dtype(dtype, *shape, **bounds):
    """Numbers of a dtype that does not depend on floatX."""
    low, high = bounds.get("low", -5), bounds.get("high", 6)

    def draw(random, floatX):
        if dtype == "bool":
            return random.uniform(size=shape) < 0.5
        if dtype.startswith("complex"):
            return (random.randn(*shape) + 1j * random.randn(*shape)).astype(dtype)
        if dtype.startswith("float"):
            return random.uniform(low, high, shape).astype(dtype)
        least = 0 if dtype.startswith("uint") and low < 0 else low
        return random.randint(least, high, shape).astype(dtype)

    return draw


def integers(*shape, **bounds):
    return of_dtype("int32", *shape, **bounds)


def indices(count, *shape):
    return of_dtype("int64", *shape, low=0, high=count)


def bools(*shape):
    return of_dtype("bool", *shape)


def exactly(value, dtype=None):
    """A given value; an array of floats where ``dtype`` does not say otherwise."""
    return lambda random, floatX: numpy.asarray(value, dtype or floatX)


def draw_inputs(name, floatX):
    """The arrays that the named case takes."""
    random = numpy.random.RandomState(zlib.crc32(name.encode("ascii")) % 2**31)
    return [numpy.asarray(draw(random, floatX)) for draw in CASES[name].inputs]


def make_variable(array, position):
    """An input; a dimension of one element is declared as such."""
    pattern = [size == 1 for size in array.shape]
    return T.TensorType(str(array.dtype), pattern)("x%d" % position)


def compute(name, floatX):
    """The values of the named case and, where it has one, its gradient's.

    Returns ``(outputs, gradients)``, lists of arrays.
    """
    case = CASES[name]
    arrays = draw_inputs(name, floatX)
    variables = [make_variable(a, i) for i, a in enumerate(arrays)]
    updates = {}
    outputs = case.build(*variables)
    if isinstance(outputs, tuple):
        outputs, updates = outputs
    outputs = [T.as_tensor_variable(output) for output in outputs]
    options = {"on_unused_input": "ignore", "updates": updates}
    values = theano.function(variables, outputs, **options)(*arrays)
    for variable, value in zip(outputs, values):
        assert variable.dtype == value.dtype, (variable.dtype, value.dtype)
        assert variable.ndim == value.ndim, (variable.ndim, value.ndim)
    wrt = [x for x in variables if x.dtype == floatX]
    costs = [(o, v) for o, v in zip(outputs, values) if o.dtype == floatX]
    if not (case.has_gradient and wrt and costs):
        return values, []
    random = numpy.random.RandomState(1)
    weights = [random.uniform(0.5, 1.5, v.shape).astype(floatX) for _, v in costs]
    symbols = [T.TensorType(floatX, (False,) * w.ndim)() for w in weights]
    cost = sum((o * w).sum() for (o, _), w in zip(costs, symbols))
    gradients = T.grad(cost, wrt, disconnected_inputs="ignore")
    compiled = theano.function(variables + symbols, gradients, **options)
    return values, compiled(*(arrays + weights))


def record(name, floatX):
    """What is kept of the named case: ``{"outputs": ..., "gradients": ...}``."""
    before, theano.config.floatX = theano.config.floatX, floatX
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outputs, gradients = compute(name, floatX)
    finally:
        theano.config.floatX = before
    return collections.OrderedDict(
        [
            ("outputs", [describe(array) for array in outputs]),
            ("gradients", [describe(array) for array in gradients]),
        ]
    )


def describe(array):
    """``[dtype, shape, numbers]``; a complex number is two."""
    array = numpy.asarray(array)
    flat = array.ravel()
    if array.dtype.kind == "c":
        flat = flat.view(flat.real.dtype)
    if array.dtype.kind == "f":
        # As few digits as tell the number.
        numbers = [float(str(number)) for number in flat]
    else:
        numbers = flat.tolist()
    return [str(array.dtype), list(array.shape), numbers]


# --- Element by element ---------------------------------------------------------

for _name in (
    "exp exp2 expm1 sin cos tan tanh sinh cosh arctan arcsinh erf erfc erfcx "
    "neg sqr square abs_ sgn ceil floor round trunc iround deg2rad rad2deg "
    "round_half_to_even round_half_away_from_zero isnan isinf real conj angle "
    "ones_like zeros_like identity_like j0 j1"
).split():
    enter(
        "tensor." + _name,
        lambda x, _name=_name: [getattr(T, _name)(x)],
        floats(3, 3),
        gradient=not _name.startswith(("real", "conj", "angle", "i")),
    )
for _name in (
    "log log2 log10 log1p sqrt inv gamma gammaln psi i0 i1 arccosh tri_gamma"
).split():
    enter(
        "tensor." + _name,
        lambda x, _name=_name: [getattr(T, _name)(x + 1 if _name == "arccosh" else x)],
        positive(2, 3),
        gradient=_name != "tri_gamma",
    )
for _name in "arcsin arccos arctanh erfinv".split():
    enter(
        "tensor." + _name,
        lambda x, _name=_name: [getattr(T, _name)(x)],
        unit(2, 3),
    )
enter("tensor.erfcinv", lambda x: [T.erfcinv(x)], probabilities(2, 3))
enter(
    "tensor.chi2sf",
    lambda x, k: [T.chi2sf(x, k)],
    positive(4),
    exactly([1.0, 2, 3, 4]),
    gradient=False,
)
enter(
    "tensor.gammainc",
    lambda k, x: [T.gammainc(k, x)],
    positive(4),
    positive(4),
    gradient=False,
)
enter(
    "tensor.gammaincc",
    lambda k, x: [T.gammaincc(k, x)],
    positive(4),
    positive(4),
    gradient=False,
)
enter(
    "tensor.jv_iv",
    lambda x: [T.jv(numpy.float32(1.5), x), T.iv(numpy.float32(1.5), x)],
    positive(4),
)
for _name in "add sub mul maximum minimum arctan2 true_div int_div mod".split():
    enter(
        "tensor." + _name,
        lambda x, y, _name=_name: [getattr(T, _name)(x, y)],
        floats(2, 3),
        positive(2, 3),
        gradient=_name not in ("int_div",),
    )
for _name in "eq neq lt le gt ge largest smallest".split():
    enter(
        "tensor." + _name,
        lambda x, y, _name=_name: [getattr(T, _name)(x, y)],
        exactly([[1.0, 2, 3], [4, 5, 6]]),
        exactly([[1.0, 3, 2], [4, 6, 5]]),
        gradient=False,
    )
for _name in "and_ or_ xor bitwise_and bitwise_or bitwise_xor".split():
    enter(
        "tensor." + _name,
        lambda x, y, p, q, _name=_name: [
            getattr(T, _name)(x, y),
            getattr(T, _name)(p, q),
        ],
        integers(2, 3),
        of_dtype("int8", 2, 3),
        bools(2, 3),
        bools(2, 3),
    )
enter(
    "tensor.invert",
    lambda x, p: [T.invert(x), T.bitwise_not(x), ~x, T.invert(p), ~p],
    integers(2, 3),
    bools(2, 3),
)


@case(floats(2, 3), floats(2, 3), positive(2, 3))
def elementwise_operators(x, y, z):
    return [x + y, x - y, x * y, x / z, x // z, x % z, z**x, -x, abs(x), z**2, 2**x]


@case(floats(2, 3))
def elementwise_operators_with_numbers(x):
    return [x + 1, 1 - x, x * 2.5, x / 2, 2 / x, x // 2, x % 2, x**2, x**0.5, 5 // x]


@case(floats(2, 3), floats(3), floats(1, 3), floats(2, 1), floats())
def broadcasting(x, v, row, col, scalar):
    return [x + v, x * row, x - col, row * col, x / scalar, v * scalar, scalar - col]


@case(floats(2, 1, 3), floats(4, 1))
def broadcasting_of_ranks(x, y):
    return [x * y, T.maximum(x, y)]


@case(bools(2, 3), floats(2, 3), floats(3), integers(2, 3))
def tensor_switch(condition, x, v, i):
    return [
        T.switch(condition, x, v),
        T.where(condition, x, 0),
        T.switch(x > 0, x, i),
        T.switch(condition, 1, 0),
    ]


@case(floats(3, 4), floats())
def tensor_clip(x, low):
    return [T.clip(x, -1, 1), x.clip(-0.5, 2), T.clip(x, low, low + 1)]


@case(exactly([-1.0, 0, 1, 2]))
def tensor_clip_at_bounds(x):
    return [T.clip(x, 0, 1)]


@case(exactly([-1.0, 0, 1]), exactly([0.0, 0, 1]))
def elementwise_gradients_at_ties(x, y):
    return [abs(x), T.maximum(x, y), T.minimum(x, y), T.sgn(x)]


@case(floats(3))
def elementwise_gradient_of_floor_and_ceil(x):
    return [T.floor(x) * x, T.ceil(x) * x, T.round(x) * x, T.trunc(x) * x, T.sgn(x) * x]


@case(exactly([0.0, 0.5, 1.0]))
def tensor_xlogx(x):
    from theano.tensor.xlogx import xlogx, xlogy0

    return [xlogx(x), xlogy0(x, x + 0.5)]


@case(of_dtype("complex64", 3), of_dtype("complex128", 3))
def complex_numbers(c, z):
    return [abs(c), T.real(z), T.imag(z), T.conj(z), T.angle(z), c * z, c + 1, -z]


@case(floats(3), floats(3), gradient=False)
def complex_of_parts(x, y):
    return [T.complex(x, y), T.complex_from_polar(abs(x), y)]


@case(integers(2, 3), integers(2, 3, low=1))
def integer_division(a, b):
    return [a // b, a % b, a / b, T.true_div(a, b), T.int_div(a, b), T.mod(a, b)]


@case(integers(4), integers(4, low=1))
def integer_ceil_intdiv(a, b):
    return [T.ceil_intdiv(a, b), T.floor_div(a, b)] + list(T.divmod(a, b))


@case(of_dtype("int8", 4), of_dtype("uint8", 4), bools(4))
def integer_sums(a, b, p):
    return [
        a.sum(),
        b.sum(),
        p.sum(),
        a.prod(),
        a.mean(),
        a.max(),
        T.sum(p, dtype="int8"),
        T.mean(p),
        a.var(),
        b.std(),
    ]


@case(of_dtype("int8", 3), of_dtype("uint8", 3), bools(3))
def integer_elementwise(a, b, p):
    return [
        T.exp(a),
        T.sqrt(b),
        T.tanh(p),
        -a,
        abs(a),
        T.sqr(a),
        T.sgn(a),
        a**2,
        a + b,
        a * p,
        a / b,
        T.ceil(a),
        T.floor(b),
    ]


@case(exactly([1.4, 1.5, 2.5, -1.5, -2.5, -0.5]), gradient=False)
def rounding_of_halves(x):
    return [
        T.round(x),
        T.round(x, "half_to_even"),
        T.round(x, "half_away_from_zero"),
        T.iround(x),
        x.round(),
    ]


@case(floats(3), integers(3), bools(3))
def tensor_cast(x, i, p):
    return [
        T.cast(x, "int32"),
        T.cast(x, "float64"),
        T.cast(i, "float32"),
        T.cast(i, theano.config.floatX),
        T.cast(p, "int8"),
        T.cast(x, "bool"),
        x.astype("float32"),
        i.astype("uint8"),
    ]


@case(exactly([1.0, 2, numpy.nan]), exactly([1.0, 2.1, numpy.nan]), gradient=False)
def tensor_isclose(x, y):
    return [
        T.isclose(x, y),
        T.isclose(x, y, atol=1, equal_nan=True),
        T.allclose(x, x),
        T.allclose(x, x, equal_nan=True),
    ]


@case(exactly([1.0, numpy.nan, numpy.inf, -numpy.inf]), gradient=False)
def numbers_that_are_none(x):
    return [
        T.isnan(x),
        T.isinf(x),
        T.maximum(x, 0),
        T.max(x),
        T.argmax(x),
        T.switch(T.isnan(x), 0, x),
        T.min(x),
        T.sgn(x),
    ]


# --- Reductions -----------------------------------------------------------------

for _name in "sum prod max min mean var std argmax argmin ptp all any".split():
    enter(
        "reduction." + _name,
        lambda x, _name=_name: [
            getattr(T, _name)(x > 0 if _name in ("all", "any") else x, axis=axis)
            for axis in (None, 0, 1, 2, -1, -2)
        ],
        shuffled(2, 3, 4),
    )
for _name in "sum prod max min mean var std argmax argmin all any".split():
    enter(
        "reduction_keepdims." + _name,
        lambda x, _name=_name: [
            getattr(T, _name)(
                x > 0 if _name in ("all", "any") else x, axis=axis, keepdims=True
            )
            for axis in (None, 0, -1)
        ],
        shuffled(2, 3, 4),
    )
for _name in "sum prod max min mean var std any".split():
    enter(
        "reduction_of_axes." + _name,
        lambda x, _name=_name: [
            getattr(T, _name)(x > 0 if _name == "any" else x, axis=axis)
            for axis in ((0, 2), [1, 2], (-1, 0), (0, 1, 2), [1])
        ],
        shuffled(2, 3, 2),
    )
for _name in "sum prod max min mean var std argmax argmin all any ptp".split():
    enter(
        "reduction_method." + _name,
        lambda x, i, _name=_name: [
            getattr(x if _name not in ("all", "any") else x > 0, _name)(axis=0),
            getattr(i, _name)(),
        ],
        shuffled(3, 2),
        integers(3, 2),
    )


@case(exactly([[1.0, 3, 3], [2, 2, 0]]))
def reduction_of_ties(x):
    return [T.max(x, axis=1), T.min(x, axis=1), T.max(x)]


@case(exactly([[1.0, 0, 3], [0, 2, 0]]))
def reduction_prod_with_zeros(x):
    return [T.prod(x, axis=0), T.prod(x, axis=1), T.prod(x)]


@case(shuffled(3, 4))
def reduction_max_and_argmax(x):
    return (
        list(T.max_and_argmax(x, axis=1))
        + list(T.max_and_argmax(x))
        + list(T.max_and_argmax(x, axis=-2, keepdims=True))
    )


@case(shuffled(2, 3, 4), gradient=False)
def reduction_argmax_of_axes(x):
    return [T.argmax(x, axis=[1, 2]), T.argmax(x, axis=(0, 1, 2)), T.argmin(x, axis=2)]


@case(floats(3, 2), integers(4))
def reduction_dtypes(x, i):
    return [
        T.sum(x, dtype="float64"),
        T.sum(i, dtype="float32"),
        T.sum(i, acc_dtype="int64"),
        T.mean(i, dtype="float32"),
        T.mean(x, dtype="float64"),
        T.prod(i, dtype="int64"),
        T.sum(i),
        T.mean(i),
        T.sum(i, dtype="int8"),
    ]


@case(floats(3, 4))
def reduction_norms(x):
    return [
        x.norm(2),
        x.norm(1),
        x.norm(2, axis=0),
        x.norm(1, axis=1),
        x.norm(3, axis=1),
        x.norm(2, axis=1, keepdims=True),
    ]


@case(floats(2, 0), gradient=False)
def reduction_of_nothing(x):
    return [x.sum(), x.sum(axis=1), x.prod(axis=1), T.any(x > 0), T.all(x > 0)]


@case(floats(3, 4))
def reduction_var_of_samples(x):
    return [T.var(x, ddof=1), T.std(x, axis=0, ddof=1), T.var(x, corrected=True)]


# --- Products -------------------------------------------------------------------

for _name, _shapes in [
    ("vector_vector", [(3,), (3,)]),
    ("matrix_vector", [(2, 3), (3,)]),
    ("vector_matrix", [(2,), (2, 3)]),
    ("matrix_matrix", [(2, 3), (3, 4)]),
    ("tensor3_matrix", [(2, 3, 4), (4, 2)]),
    ("tensor3_vector", [(2, 3, 4), (4,)]),
    ("matrix_tensor3", [(2, 3), (4, 3, 2)]),
    ("tensor3_tensor3", [(2, 3, 4), (2, 4, 3)]),
    ("scalar_matrix", [(), (2, 3)]),
    ("row_col", [(1, 3), (3, 1)]),
]:
    enter("dot." + _name, lambda x, y: [T.dot(x, y)], *[floats(*s) for s in _shapes])
enter("dot.method", lambda x, y: [x.dot(y), y.T.dot(x.T)], floats(2, 3), floats(3, 2))
enter(
    "dot.of_integers",
    lambda x, y, z: [T.dot(x, y), T.dot(x, z), T.dot(y, z)],
    integers(2, 2),
    of_dtype("int8", 2, 2),
    floats(2, 2),
    gradient=False,
)
for _name, _axes, _shapes in [
    ("default", 2, [(2, 3, 4), (3, 4, 2)]),
    ("one", 1, [(2, 3), (3, 4)]),
    ("outer", 0, [(2,), (3,)]),
    ("lists", [[1, 2], [1, 0]], [(2, 3, 4), (4, 3, 2)]),
    ("one_list", [[1], [0]], [(2, 3), (3, 4, 2)]),
    ("numbers", [0, 1], [(3, 2), (2, 3)]),
]:
    enter(
        "tensordot." + _name,
        lambda x, y, _axes=_axes: [T.tensordot(x, y, axes=_axes)],
        *[floats(*s) for s in _shapes],
    )
for _name, _shapes in [
    ("matrices", [(2, 3, 4), (2, 4, 2)]),
    ("vectors", [(2, 3), (2, 3)]),
    ("matrix_vector", [(2, 3, 4), (2, 4)]),
    ("vector_matrix", [(2, 3), (2, 3, 2)]),
    ("scalar_vector", [(2,), (2, 3)]),
]:
    enter(
        "batched_dot." + _name,
        lambda x, y: [T.batched_dot(x, y)],
        *[floats(*s) for s in _shapes],
    )
for _name, _axes, _shapes in [
    ("one", 1, [(2, 3, 4), (2, 4, 3)]),
    ("lists", [[1, 2], [2, 1]], [(2, 3, 4), (2, 4, 3)]),
    ("part", [[1], [2]], [(2, 3, 4), (2, 5, 3)]),
]:
    enter(
        "batched_tensordot." + _name,
        lambda x, y, _axes=_axes: [T.batched_tensordot(x, y, axes=_axes)],
        *[floats(*s) for s in _shapes],
    )
enter("tensor.outer", lambda x, y: [T.outer(x, y)], floats(3), floats(2))


@case(floats(2, 3), floats(3, 2), floats(2, 2), floats(2), floats(3), floats())
def products_that_blas_fuses(a, b, c, x, y, scale):
    return [
        c + T.dot(a, b),
        scale * T.dot(a, b) + 0.5 * c,
        T.dot(a, y) + x,
        c - 0.1 * T.outer(x, x),
        T.dot(a.T, x) - y,
        T.dot(b.T, b),
    ]


# --- Shapes ---------------------------------------------------------------------


@case(floats(2, 3, 4))
def shape_reshape(x):
    return [
        x.reshape((6, 4)),
        x.reshape((-1, 2)),
        T.reshape(x, (4, -1)),
        x.reshape((x.shape[0], -1)),
        x.reshape([24]),
        T.reshape(x, T.stack([x.shape[1], 8]), ndim=2),
        x.reshape((1, 2, 12)),
    ]


@case(floats(2, 3, 4))
def shape_flatten(x):
    return [
        x.flatten(),
        T.flatten(x, 2),
        x.flatten(2),
        x.flatten(3),
        T.flatten(x, ndim=1),
        T.flatten(x, outdim=2),
        x.ravel(),
    ]


@case(floats(2, 3, 4))
def shape_dimshuffle(x):
    return [
        x.dimshuffle(2, 0, 1),
        x.dimshuffle(0, "x", 1, 2),
        x.dimshuffle((1, 0, 2)),
        x.dimshuffle(["x", 2, 1, 0]),
        x.T,
        x.transpose(),
        x.transpose(0, 2, 1),
        T.transpose(x, (1, 2, 0)),
        x.swapaxes(0, 2),
        T.swapaxes(x, 1, 2),
        T.swapaxes(x, -1, 0),
    ]


@case(floats(2, 3))
def shape_pads(x):
    return [
        T.shape_padleft(x),
        T.shape_padleft(x, 2),
        T.shape_padright(x),
        T.shape_padright(x, 2),
        T.shape_padaxis(x, 1),
        T.shape_padaxis(x, -1),
        T.addbroadcast(T.shape_padleft(x), 0),
    ]


@case(floats(2, 1, 3), floats(1, 1))
def shape_dropped(x, y):
    return [
        x.dimshuffle(0, 2),
        x.squeeze(),
        T.addbroadcast(x, 1),
        T.unbroadcast(x, 1),
        T.patternbroadcast(x, (False, False, False)),
        y.sum(),
        y.dimshuffle(),
    ]


@case(floats(2, 3), gradient=False)
def shape_of(x):
    return [
        x.shape,
        x.shape[0],
        T.shape(x),
        x.size,
        T.prod(x.shape),
        x.T.shape,
        T.stack([x, x]).shape,
        x.shape[1] * 2.5,
        x.shape / 2,
        x.nonzero()[0].shape[0] >= 0,
        T.as_tensor_variable(x.ndim),
    ]


@case(floats(2, 3), floats(2, 3), floats(3))
def join_stack(x, y, v):
    return [
        T.stack([x, y]),
        T.stack([x, y], axis=1),
        T.stack([x, y], axis=-1),
        T.stack(x, y),
        T.stack(x.sum(), 1.0, y.sum()),
        T.stack([v, v * 2], axis=1),
        T.stacklists([[x, y], [y, x]]),
        T.stacklists([v.sum(), v.max()]),
    ]


@case(floats(2, 3), floats(1, 3), floats(2, 2), integers(2, 1))
def join_concatenate(x, row, y, i):
    return [
        T.concatenate([x, row]),
        T.concatenate([x, row, x], axis=0),
        T.concatenate([x, y], axis=1),
        T.concatenate([x, y, i], axis=-1),
        T.join(0, x, row),
        T.join(1, x, y),
        T.vertical_stack(x, row),
        T.horizontal_stack(x, y),
    ]


@case(floats(5, 2), integers(3))
def join_and_split(x, i):
    return (
        T.split(x, [2, 3], 2)
        + T.split(x.T, [1, 0, 4], 3, axis=1)
        + T.split(T.join(0, x, x), splits_size=[4, 6], n_splits=2, axis=0)
    )


@case(floats(2, 3), floats(3))
def shape_repeat(x, v):
    return [
        T.repeat(x, 2),
        T.repeat(x, 2, axis=0),
        T.repeat(x, 3, axis=1),
        x.repeat(2, axis=-1),
        T.repeat(v, 3),
    ]


@case(floats(2, 3), floats(3), gradient=False)
def shape_repeat_unevenly(x, v):
    return [
        T.extra_ops.repeat(v, [1, 0, 2], axis=0),
        T.repeat(x, [1, 2, 0], axis=1),
        T.repeat(x, numpy.array([2, 1]), axis=0),
    ]


@case(floats(2, 3), floats(3))
def shape_tile(x, v):
    return [
        T.tile(x, (2, 2)),
        T.tile(v, (3,)),
        T.tile(v, 2, ndim=1),
        T.tile(v, (2, 2), ndim=2),
        T.tile(x, (2, 1, 2), ndim=3),
        T.tile(x, (1, x.shape[0])),
    ]


@case(floats(3, 4))
def shape_roll(x):
    return [
        T.roll(x, 1, axis=0),
        T.roll(x, -1, axis=1),
        T.roll(x, 2, axis=-1),
        T.roll(x.flatten(), 3),
        T.roll(x, 5, axis=0),
    ]


@case(floats(), floats(3), floats(1, 3))
def shape_alloc(s, v, row):
    return [
        T.alloc(s, 2, 3),
        T.alloc(v, 2, 3),
        T.alloc(numpy.float32(1.5), 2),
        T.fill(v, s),
        T.second(v, 2),
        T.alloc(row, 4, 3),
        T.alloc(0, 2, 2),
        T.alloc(0.0, 2),
    ]


@case(floats(2, 3), integers(2))
def shape_zeros_and_ones(x, i):
    return [
        T.zeros((2, 3)),
        T.ones((2,)),
        T.zeros(3),
        T.zeros(x.shape, dtype="int32"),
        T.ones(x.shape, dtype=x.dtype),
        T.zeros_like(x),
        T.ones_like(i),
        x.zeros_like(),
        T.ones_like(x, dtype="int8"),
        T.zeros((x.shape[0], 2)),
        T.ones(()),
        T.zeros_like(i, dtype=theano.config.floatX),
    ]


@case(floats(2, 3), integers(4), gradient=False)
def shape_arange(x, i):
    return [
        T.arange(5),
        T.arange(1, 5),
        T.arange(0, 10, 3),
        T.arange(5.0),
        T.arange(x.shape[0]),
        T.arange(0, 1, 0.25),
        T.arange(5, dtype="int32"),
        T.arange(10, 0, -3),
        T.arange(i.shape[0], dtype=theano.config.floatX),
        T.arange(numpy.int8(3)),
        T.arange(2, 6.5),
        T.arange(0),
    ]


@case(floats(2, 3), gradient=False)
def shape_eye(x):
    return [
        T.eye(3),
        T.eye(2, 3),
        T.eye(3, k=1),
        T.eye(3, 4, -1, dtype="int32"),
        T.identity_like(x),
        T.tri(3),
        T.tri(2, 4, 1),
        T.tri(3, dtype="int8"),
        T.eye(x.shape[0]),
    ]


@case(floats(3, 4))
def shape_triangles(x):
    return [T.tril(x), T.triu(x), T.tril(x, -1), T.triu(x, 1), T.tril(x, k=1)]


@case(floats(2, 3, 4), floats(3, 4), gradient=False)
def shape_diagonals_of_three(z, y):
    return [
        T.diagonal(y, 1),
        T.diagonal(z, 0, 1, 2),
        z.diagonal(offset=-1, axis1=0, axis2=2),
    ]


@case(floats(3, 3), floats(3))
def shape_diag(x, v):
    return [
        T.diag(x),
        T.diag(v),
        T.nlinalg.extract_diag(x),
        T.nlinalg.alloc_diag(v),
        x.diagonal(),
        T.nlinalg.trace(x),
        x.trace(),
    ]


@case(gradient=False)
def shape_grids():
    return (
        list(T.mgrid[0:2, 1:4])
        + list(T.ogrid[0:2, 0:3])
        + list(T.mgrid[0:1:0.5, 0:3:2])
        + list(T.ogrid[0:1:0.25, 5:2:-1])
    )


@case(floats(3, 4), exactly([[1, 0, 3, 2], [0, 1, 2, 3], [3, 2, 1, 0]], "int32"))
def shape_permutations(x, p):
    return [
        T.permute_row_elements(x, p),
        T.inverse_permutation(p[0]),
        T.permute_row_elements(x, p[0]),
        T.permute_row_elements(x, p, inverse=True),
    ]


@case(floats(2, 3))
def shape_specify(x):
    return [
        T.specify_shape(x, (2, 3)),
        T.specify_shape(x, [2, 3]) * 2,
        T.tensor_copy(x),
        x.copy(),
    ]


# --- Indexing -------------------------------------------------------------------


@case(floats(4, 5))
def index_basic(x):
    return [
        x[0],
        x[-1],
        x[1:3],
        x[:, 2],
        x[::2, ::-1],
        x[1, 2],
        x[..., 0],
        x[:, None, 1],
        x[-3:-1, 1:],
        x[x.shape[0] - 1],
        x[3:0:-1],
        x[5:],
        x[numpy.int64(1)],
    ]


@case(floats(4, 5), indices(4, 3), indices(5, 3), bools(4, 5), bools(4))
def index_advanced(x, i, j, mask, rows):
    return [
        x[i],
        x[i, j],
        x[:, j],
        x[i][:, j],
        x[mask.nonzero()],
        x[rows.nonzero()],
        x[[0, 2]],
        x[[0, 1], [1, 2]],
        x[i.dimshuffle(0, "x"), j],
        x[1:, j],
        x[i, 1],
        x[T.arange(3), j],
    ]


@case(floats(4, 5), bools(4, 5), gradient=False)
def index_without_gradient(x, mask):
    return [
        x[None, :, :],
        T.set_subtensor(x[mask], 0),
        x.take([0, 7]),
    ]


@case(floats(4, 5), bools(4, 5), bools(4))
def index_by_masks(x, mask, rows):
    return [
        x[mask],
        x[rows],
        x[x > 0],
        x[rows, 1:3],
        T.inc_subtensor(x[rows], 1),
    ]


@case(floats(2, 3, 4), indices(3, 2), indices(4, 2))
def index_advanced_of_three(x, i, j):
    return [
        x[:, i, j],
        x[:, i],
        x[i - 1, :, j],
        x[0, i, j],
        x[..., j],
        x[:, :, j],
        x[None, :, i],
        x[:, i, 1:3],
    ]


@case(floats(4, 5), indices(4, 2, 3))
def index_take(x, i):
    return [
        T.take(x, i, axis=0),
        x.take([0, 1], axis=1),
        T.take(x, 2),
        x.take(i),
        T.take(x, [0, 9], axis=0, mode="clip"),
    ]


@case(floats(4, 5), floats(5), floats(), floats(2, 5))
def index_set_subtensor(x, v, s, y):
    return [
        T.set_subtensor(x[0], v),
        T.set_subtensor(x[1:3], y),
        T.set_subtensor(x[:, 0], s),
        T.set_subtensor(x[0, 0], 3),
        T.set_subtensor(x[::2, 1], 0),
        T.set_subtensor(x[-1], v * 2),
        T.set_subtensor(x[1:3], v),
        T.set_subtensor(x[:], 1),
    ]


@case(floats(4, 5), floats(5), floats(), floats(2, 5))
def index_inc_subtensor(x, v, s, y):
    return [
        T.inc_subtensor(x[0], v),
        T.inc_subtensor(x[1:3], y),
        T.inc_subtensor(x[:, 0], s),
        T.inc_subtensor(x[1:3][:, 1], 1),
        T.inc_subtensor(x[::-1], x),
    ]


@case(floats(4, 5), floats(3, 5), floats(3), indices(4, 3), indices(5, 3))
def index_advanced_set_and_inc(x, y, v, i, j):
    return [
        T.inc_subtensor(x[i], y),
        T.inc_subtensor(x[i, j], v),
        T.set_subtensor(x[[0, 2, 3]], y),
        T.inc_subtensor(x[i, j], 1),
        T.set_subtensor(x[[0, 1], [1, 2]], 5),
        T.inc_subtensor(x[:, j], 1),
        T.inc_subtensor(x[i], 0.5),
        T.inc_subtensor(x[i], y[0]),
        T.set_subtensor(x[(x > 0).nonzero()], 0),
    ]


@case(exactly([[1.0, 0, 2], [0, 3, 0]]), gradient=False)
def index_nonzero(x):
    return (
        list(x.nonzero())
        + list(T.nonzero(x))
        + [T.nonzero_values(x), T.flatnonzero(x), T.nonzero(x, return_matrix=True)]
    )


@case(indices(3, 4), floats(4), floats(4), floats(4), gradient=False)
def index_choose(i, a, b, c):
    return [
        T.choose(i, [a, b, c]),
        i.choose([a, b, c]),
        T.choose(i, T.stack([a, b, c])),
    ]


@case(floats(5), exactly([1, 0, 1, 0, 1], "int64"), floats(2, 5))
def index_compress(x, mask, y):
    return [
        T.extra_ops.compress(mask, x),
        mask.compress(x),
        T.extra_ops.compress(mask, y, axis=1),
        T.extra_ops.compress(T.constant([0, 1]), y, axis=0),
    ]


@case(floats(4, 3), indices(4), indices(4), gradient=False)
def index_by_scalars(x, i, j):
    return [x[i], x[i, 2], x[i:], x[:i], x[i:j], x[j : i + 1, 1], x[::-1][i]]


# --- Sorting and counting -------------------------------------------------------


@case(shuffled(3, 4))
def sort_sort(x):
    return [
        T.sort(x),
        T.sort(x, axis=0),
        T.sort(x, axis=None),
        x.sort(1),
        T.sort(x, -1, "mergesort"),
    ]


@case(shuffled(3, 4), gradient=False)
def sort_argsort(x):
    return [
        T.argsort(x),
        T.argsort(x, axis=0),
        T.argsort(x, axis=None),
        x.argsort(),
        T.argsort(x, -1, "mergesort"),
    ]


@case(shuffled(3, 5))
def sort_topk(x):
    from theano.tensor.sort import argtopk, topk, topk_and_argtopk

    best, where = topk_and_argtopk(x, 2, axis=1, sorted=False)
    return [
        T.sort(topk(x, 2, sorted=False)),
        T.sort(topk(x, -2, axis=0, sorted=False), axis=0),
        T.sort(argtopk(x, 3, sorted=False), axis=-1),
        T.sort(best, axis=1),
        T.sort(where, axis=1),
    ]


@case(floats(3, 4), integers(4))
def extra_cumulative(x, i):
    return [
        T.cumsum(x),
        T.cumsum(x, axis=0),
        T.cumsum(x, axis=-1),
        x.cumsum(axis=1),
        T.cumprod(x),
        T.cumprod(x, axis=0),
        x.cumprod(axis=1),
        T.cumsum(i),
        T.extra_ops.cumsum(x, axis=1),
    ]


@case(floats(3, 4))
def extra_diff(x):
    return [T.extra_ops.diff(x[0]), T.extra_ops.diff(x[:, 1], n=2)]


@case(floats(3, 4), gradient=False)
def extra_diff_of_matrices(x):
    return [
        T.extra_ops.diff(x),
        T.extra_ops.diff(x, axis=0),
        T.extra_ops.diff(x, n=2),
        T.extra_ops.diff(x, n=2, axis=0),
    ]


@case(indices(5, 8), floats(8), gradient=False)
def extra_bincount(i, weights):
    return [
        T.extra_ops.bincount(i),
        T.extra_ops.bincount(i, weights),
        T.extra_ops.bincount(i, minlength=9),
        T.bincount(T.cast(i, "uint8")),
    ]


@case(exactly([3.0, 1, 2, 1, 3]), exactly([5, 5, 2], "int32"), gradient=False)
def extra_unique(x, i):
    Unique = T.extra_ops.Unique
    return (
        [Unique()(x), Unique()(i)]
        + list(Unique(return_index=True)(x))
        + list(Unique(True, True, True)(x))
        + list(Unique(return_counts=True)(i))
    )


@case(exactly([1.0, 2, 4, 8]), exactly([0.5, 2, 3, 9]), gradient=False)
def extra_searchsorted(x, v):
    return [
        T.extra_ops.searchsorted(x, v),
        T.extra_ops.searchsorted(x, v, side="right"),
        T.extra_ops.searchsorted(x, v[::-1], sorter=T.constant([0, 1, 2, 3])),
    ]


@case(floats(3, 4), floats(3, 3), floats())
def extra_fill_diagonal(x, y, s):
    return [
        T.extra_ops.fill_diagonal(x, 3),
        T.extra_ops.fill_diagonal(y, s),
        T.extra_ops.fill_diagonal_offset(x, s, 1),
        T.extra_ops.fill_diagonal_offset(x, s, -2),
    ]


@case(indices(4, 5), gradient=False)
def extra_to_one_hot(i):
    return [
        T.extra_ops.to_one_hot(i, 4),
        T.extra_ops.to_one_hot(i, 5, dtype="int32"),
        T.extra_ops.to_one_hot(T.cast(i, "int8"), 4),
    ]


@case(indices(12, 5), gradient=False)
def extra_unravel_index(i):
    from theano.tensor.extra_ops import ravel_multi_index, unravel_index

    row, column = unravel_index(i, (3, 4))
    return [
        row,
        column,
        ravel_multi_index((row, column), (3, 4)),
        ravel_multi_index((row, column), (3, 4), order="F"),
        ravel_multi_index((row + 1, column), (3, 4), mode="clip"),
    ]


@case(floats(2, 1, 3), floats(1))
def extra_squeeze(x, y):
    return [T.extra_ops.squeeze(x), T.squeeze(y), x.squeeze()]


@case(gradient=False)
def extra_bartlett():
    return [T.extra_ops.bartlett(5), T.bartlett(1)]


# --- Linear algebra -------------------------------------------------------------

enter("nlinalg.matrix_inverse", lambda x: [T.nlinalg.matrix_inverse(x)], definite(3))
enter("nlinalg.pinv", lambda x: [T.nlinalg.pinv(x)], floats(3, 2), gradient=False)
enter("nlinalg.pinv_gradient", lambda x: [T.nlinalg.pinv(x)], definite(3))
enter("nlinalg.det", lambda x: [T.nlinalg.det(x)], definite(3))
enter("nlinalg.trace", lambda x: [T.nlinalg.trace(x)], floats(3, 3))
enter("nlinalg.matrix_power", lambda x: [T.nlinalg.matrix_power(x, 3)], floats(3, 3))
enter("nlinalg.eigvals", lambda x: [T.nlinalg.eigh(x)[0]], definite(3))
enter(
    "nlinalg.eig",
    lambda x: [T.sort(abs(T.nlinalg.eig(x)[0]))],
    definite(3),
    gradient=False,
)
enter(
    "nlinalg.eigh",
    lambda x: [T.nlinalg.eigh(x)[0], abs(T.nlinalg.eigh(x, "U")[1])],
    definite(3),
)
enter(
    "nlinalg.qr",
    lambda x: [abs(r) for r in T.nlinalg.qr(x)],
    floats(3, 3),
    gradient=False,
)
enter(
    "nlinalg.qr_modes",
    lambda x: [abs(T.nlinalg.qr(x, mode="r")), abs(T.nlinalg.qr(x, mode="reduced")[1])],
    floats(4, 2),
    gradient=False,
)
enter(
    "nlinalg.svd",
    lambda x: [abs(r) for r in T.nlinalg.svd(x)],
    floats(3, 3),
    gradient=False,
)
enter(
    "nlinalg.svd_modes",
    lambda x: [
        abs(T.nlinalg.svd(x, full_matrices=False)[0]),
        T.nlinalg.svd(x, compute_uv=False),
    ],
    floats(4, 2),
    gradient=False,
)
enter(
    "nlinalg.lstsq",
    lambda x, y: [T.nlinalg.lstsq()(x, y, -1)[0]],
    floats(4, 2),
    floats(4, 3),
    gradient=False,
)
enter(
    "nlinalg.matrix_dot",
    lambda x, y, z: [T.nlinalg.matrix_dot(x, y, z)],
    floats(2, 3),
    floats(3, 2),
    floats(2, 2),
)
enter(
    "nlinalg.norm",
    lambda x, v: [
        T.nlinalg.norm(x, "fro"),
        T.nlinalg.norm(x, 1),
        T.nlinalg.norm(x, "inf"),
        T.nlinalg.norm(v, 2),
        T.nlinalg.norm(v, 1),
        T.nlinalg.norm(v, None),
    ],
    floats(3, 3),
    floats(4),
)
enter(
    "nlinalg.tensorsolve",
    lambda x, y: [T.nlinalg.tensorsolve(x, y), T.nlinalg.tensorinv(x)],
    lambda random, floatX: (
        random.uniform(-1, 1, (2, 3, 2, 3)) + numpy.eye(6).reshape(2, 3, 2, 3) * 4
    ).astype(floatX),
    floats(2, 3),
    gradient=False,
)
enter("slinalg.cholesky", lambda x: [T.slinalg.cholesky(x)], definite(3))
enter(
    "slinalg.cholesky_upper",
    lambda x: [T.slinalg.Cholesky(lower=False)(x)],
    definite(3),
)
enter("slinalg.solve", lambda a, b: [T.slinalg.solve(a, b)], definite(3), floats(3, 2))
enter(
    "slinalg.solve_vector", lambda a, b: [T.slinalg.solve(a, b)], definite(3), floats(3)
)
enter(
    "slinalg.solve_triangular",
    lambda a, b: [
        T.slinalg.solve_lower_triangular(T.tril(a), b),
        T.slinalg.solve_upper_triangular(T.triu(a), b),
    ],
    definite(3),
    floats(3),
)
enter("slinalg.expm", lambda x: [T.slinalg.expm(x)], unit(3, 3))
enter("slinalg.kron", lambda x, y: [T.slinalg.kron(x, y)], floats(2, 2), floats(1, 3))
enter(
    "slinalg.eigvalsh",
    lambda x, y: [T.slinalg.eigvalsh(x, y)],
    definite(3),
    definite(3),
)


@case(floats(3, 8))
def fft_of_reals(x):
    fft = T.fft
    spectrum = fft.rfft(x)
    return [
        spectrum,
        fft.irfft(spectrum),
        fft.rfft(x, norm="ortho"),
        fft.rfft(x, norm="no_norm"),
        fft.irfft(spectrum, norm="ortho"),
        fft.irfft(fft.rfft(x[:, :7]), is_odd=True),
    ]


# --- Neural networks ------------------------------------------------------------

for _name in ("sigmoid softplus hard_sigmoid ultra_fast_sigmoid relu elu selu").split():
    enter(
        "nnet." + _name,
        lambda x, _name=_name: [getattr(T.nnet, _name)(x * 3)],
        floats(3, 4),
        gradient=_name not in ("hard_sigmoid", "ultra_fast_sigmoid"),
    )
enter("nnet.softsign", lambda x: [T.nnet.nnet.softsign(x)], floats(3, 4))
enter(
    "nnet.sigmoid_of_integers",
    lambda i, p, b: [T.nnet.sigmoid(i), T.nnet.softplus(p), T.nnet.sigmoid(b)],
    integers(3),
    of_dtype("int8", 3),
    bools(3),
)
enter(
    "nnet.sigmoid_far_out",
    lambda x: [T.nnet.sigmoid(x), T.nnet.softplus(x), T.log(T.nnet.sigmoid(x))],
    exactly([-1000.0, -50, -20, 0, 20, 50, 1000]),
)
enter(
    "nnet.relu_leaky",
    lambda x, a: [
        T.nnet.relu(x, 0.1),
        T.nnet.relu(x, a),
        T.nnet.elu(x, 0.5),
        T.nnet.relu(x, 0),
        T.nnet.relu(x, numpy.float32(0.25)),
    ],
    floats(2, 4),
    positive(4),
)
enter("nnet.relu_at_zero", lambda x: [T.nnet.relu(x)], exactly([-1.0, 0, 1]))
enter("nnet.softmax", lambda x: [T.nnet.softmax(x)], floats(3, 4))
enter("nnet.softmax_of_vector", lambda x: [T.nnet.softmax(x)], floats(4))
enter("nnet.logsoftmax", lambda x: [T.nnet.logsoftmax(x)], floats(3, 4))
enter(
    "nnet.log_of_softmax",
    lambda x: [T.log(T.nnet.softmax(x))],
    exactly([[0.0, 500, -500], [1, 2, 3]]),
)
enter(
    "nnet.softmax_with_bias",
    lambda x, b: [T.nnet.softmax_with_bias(x, b)],
    floats(3, 4),
    floats(4),
)
enter(
    "nnet.softmax_of_sum", lambda x, b: [T.nnet.softmax(x + b)], floats(3, 4), floats(4)
)
enter(
    "nnet.categorical_crossentropy",
    lambda p, i, q: [
        T.nnet.categorical_crossentropy(p, i),
        T.nnet.categorical_crossentropy(p, q),
    ],
    distributions(3, 4),
    indices(4, 3),
    distributions(3, 4),
)
enter(
    "nnet.crossentropy_of_softmax",
    lambda x, i, q: [
        T.nnet.categorical_crossentropy(T.nnet.softmax(x), i),
        T.nnet.categorical_crossentropy(T.nnet.softmax(x), q),
        -T.log(T.nnet.softmax(x))[T.arange(3), i],
        -T.mean(T.log(T.nnet.softmax(x))[T.arange(i.shape[0]), i]),
    ],
    floats(3, 4),
    indices(4, 3),
    distributions(3, 4),
)
enter(
    "nnet.crossentropy_categorical_1hot",
    lambda p, i: [T.nnet.crossentropy_categorical_1hot(p, i)],
    distributions(3, 4),
    indices(4, 3),
)
enter(
    "nnet.crossentropy_softmax_1hot",
    lambda x, b, i: (
        list(T.nnet.crossentropy_softmax_1hot(x, i))
        + list(T.nnet.crossentropy_softmax_1hot_with_bias(x, b, i))
    ),
    floats(3, 4),
    floats(4),
    indices(4, 3),
)
enter(
    "nnet.crossentropy_softmax_argmax_1hot_with_bias",
    lambda x, b, i: list(T.nnet.crossentropy_softmax_argmax_1hot_with_bias(x, b, i)),
    floats(3, 4),
    floats(4),
    indices(4, 3),
)
enter(
    "nnet.crossentropy_softmax_max_and_argmax_1hot",
    lambda x, b, i: (
        list(T.nnet.crossentropy_softmax_max_and_argmax_1hot(x, i))
        + list(T.nnet.crossentropy_softmax_max_and_argmax_1hot_with_bias(x, b, i))
    ),
    floats(3, 4),
    floats(4),
    indices(4, 3),
    gradient=False,
)
enter(
    "nnet.prepend_to_each_row",
    lambda x, s: [
        T.nnet.prepend_0_to_each_row(x),
        T.nnet.prepend_scalar_to_each_row(s, x),
    ],
    floats(2, 3),
    floats(),
    gradient=False,
)
enter(
    "nnet.binary_crossentropy",
    lambda p, t: [T.nnet.binary_crossentropy(p, t)],
    probabilities(2, 3),
    probabilities(2, 3),
)
enter(
    "nnet.binary_crossentropy_of_labels",
    lambda p, i, b: [
        T.nnet.binary_crossentropy(p, i),
        T.nnet.binary_crossentropy(p, T.cast(b, "int8")),
    ],
    probabilities(4),
    indices(2, 4),
    bools(4),
)
enter(
    "nnet.binary_crossentropy_of_sigmoid",
    lambda x, t: [T.nnet.binary_crossentropy(T.nnet.sigmoid(x), t)],
    exactly([-100.0, -1, 1, 100]),
    probabilities(4),
)
enter(
    "nnet.sigmoid_binary_crossentropy",
    lambda x, t: [T.nnet.sigmoid_binary_crossentropy(x, t)],
    floats(2, 3),
    probabilities(2, 3),
)
enter(
    "nnet.h_softmax",
    lambda x, w1, b1, w2, b2, i: [
        T.nnet.h_softmax(x, 3, 7, 3, 3, w1, b1, w2, b2),
        T.nnet.h_softmax(x, 3, 7, 3, 3, w1, b1, w2, b2, i),
    ],
    floats(3, 4),
    floats(4, 3),
    floats(3),
    floats(3, 4, 3),
    floats(3, 3),
    of_dtype("int32", 3, low=0, high=7),
)
enter(
    "nnet.confusion_matrix",
    lambda a, b: list(T.nnet.confusion_matrix(a, b)),
    exactly([0, 1, 2, 1, 4], "int64"),
    exactly([0, 2, 2, 1, 1], "int64"),
)

for _name, _options, _shapes in [
    ("valid", {}, [(2, 2, 5, 6), (3, 2, 3, 2)]),
    ("full", {"border_mode": "full"}, [(2, 2, 4, 4), (2, 2, 3, 2)]),
    ("half", {"border_mode": "half"}, [(1, 2, 5, 5), (2, 2, 3, 3)]),
    ("padded", {"border_mode": (1, 2)}, [(1, 2, 4, 4), (2, 2, 3, 3)]),
    ("padded_by_a_number", {"border_mode": 1}, [(1, 2, 4, 4), (2, 2, 3, 3)]),
    ("strided", {"subsample": (2, 3)}, [(2, 2, 7, 8), (2, 2, 3, 3)]),
    ("correlation", {"filter_flip": False}, [(1, 2, 5, 5), (2, 2, 3, 3)]),
    ("dilated", {"filter_dilation": (2, 2)}, [(1, 2, 7, 7), (2, 2, 3, 3)]),
    ("grouped", {"num_groups": 2}, [(1, 4, 5, 5), (4, 2, 3, 3)]),
    (
        "of_known_shape",
        {"input_shape": (2, 2, 5, 5), "filter_shape": (3, 2, 3, 3)},
        [(2, 2, 5, 5), (3, 2, 3, 3)],
    ),
    (
        "padded_unevenly",
        {"border_mode": ((1, 0), (2, 1))},
        [(1, 2, 4, 4), (2, 2, 3, 3)],
    ),
]:
    enter(
        "conv2d." + _name,
        lambda x, w, _options=_options: [T.nnet.conv2d(x, w, **_options)],
        *[floats(*s) for s in _shapes],
    )
enter(
    "conv2d.gradients",
    lambda x, w, y: [
        T.nnet.abstract_conv.conv2d_grad_wrt_inputs(
            y, w, (None, None, 5, 5), border_mode="valid"
        ),
        T.nnet.abstract_conv.conv2d_grad_wrt_weights(
            x, y, (None, None, 3, 3), border_mode="valid"
        ),
    ],
    floats(2, 2, 5, 5),
    floats(3, 2, 3, 3),
    floats(2, 3, 3, 3),
)
enter(
    "conv2d.transposed",
    lambda x, w: [
        T.nnet.conv2d_transpose(x, w, output_shape=(1, 3, 7, 7), input_dilation=(2, 2))
        if hasattr(T.nnet, "conv2d_transpose")
        else None
    ],
    floats(1, 2, 3, 3),
    floats(2, 3, 3, 3),
)
enter(
    "conv2d.separable",
    lambda x, d, p: [
        T.nnet.separable_conv2d(x, d, p, num_channels=2),
        T.nnet.separable_conv2d(x, d, p, num_channels=2, border_mode="half"),
    ],
    floats(1, 2, 5, 5),
    floats(4, 1, 3, 3),
    floats(3, 4, 1, 1),
)
enter(
    "conv2d.unshared",
    lambda x, w: [T.nnet.conv2d(x, w, unshared=True)],
    floats(1, 2, 4, 4),
    floats(2, 2, 2, 2, 3, 3),
)
enter(
    "conv2d.bilinear_upsampling",
    lambda x: [
        T.nnet.abstract_conv.bilinear_upsampling(x, 2, num_input_channels=2),
        T.nnet.abstract_conv.bilinear_upsampling(
            x, 3, num_input_channels=2, use_1D_kernel=False
        ),
        T.nnet.abstract_conv.bilinear_upsampling(
            x, frac_ratio=(3, 2), use_1D_kernel=False
        ),
    ],
    floats(1, 2, 3, 3),
)
enter(
    "conv2d.causal_conv1d",
    lambda x, w: [
        T.nnet.abstract_conv.causal_conv1d(x, w, (3, 2, 2)),
        T.nnet.abstract_conv.causal_conv1d(x, w, (3, 2, 2), filter_dilation=2),
    ],
    floats(2, 2, 6),
    floats(3, 2, 2),
)
enter(
    "conv2d.of_nnet_conv",
    lambda x, w: [
        T.nnet.conv.conv2d(x, w),
        T.nnet.conv.conv2d(x, w, border_mode="full"),
    ],
    floats(2, 2, 5, 5),
    floats(3, 2, 3, 3),
)
enter(
    "conv2d.of_nnet_conv_and_signal_strided",
    lambda x, w, y, v: [
        T.nnet.conv.conv2d(x, w, subsample=(2, 2)),
        T.signal.conv.conv2d(y, v, subsample=(2, 1)),
    ],
    floats(2, 2, 5, 5),
    floats(3, 2, 3, 3),
    floats(5, 5),
    floats(3, 2, 2),
    gradient=False,
)
enter(
    "conv3d.valid",
    lambda x, w: [T.nnet.conv3d(x, w)],
    floats(1, 2, 4, 4, 4),
    floats(2, 2, 2, 3, 2),
)
enter(
    "conv3d.strided_and_padded",
    lambda x, w: [
        T.nnet.conv3d(x, w, border_mode=(1, 0, 1), subsample=(2, 1, 1)),
        T.nnet.conv3d(x, w, border_mode="half", filter_flip=False),
    ],
    floats(1, 1, 4, 4, 4),
    floats(2, 1, 3, 3, 3),
)
enter(
    "conv3d.conv3d2d",
    lambda x, w: [T.nnet.conv3d2d.conv3d(x, w)],
    floats(1, 4, 2, 4, 4),
    floats(2, 2, 2, 3, 3),
)
enter(
    "signal.conv2d",
    lambda x, w, y, v: [
        T.signal.conv.conv2d(x, w),
        T.signal.conv.conv2d(y, w, border_mode="full"),
        T.signal.conv.conv2d(y, v),
    ],
    floats(5, 5),
    floats(2, 3),
    floats(2, 4, 4),
    floats(3, 2, 2),
)

for _mode in "max sum average_inc_pad average_exc_pad".split():
    enter(
        "pool_2d." + _mode,
        lambda x, _mode=_mode: [
            T.signal.pool.pool_2d(x, (2, 2), ignore_border=True, mode=_mode),
            T.signal.pool.pool_2d(x, (2, 3), ignore_border=False, mode=_mode),
            T.signal.pool.pool_2d(
                x, (3, 2), ignore_border=True, stride=(1, 2), mode=_mode
            ),
            T.signal.pool.pool_2d(
                x, (3, 3), ignore_border=True, stride=(2, 2), pad=(1, 1), mode=_mode
            ),
            T.signal.pool.pool_2d(
                x, (3, 3), ignore_border=False, stride=(2, 2), mode=_mode
            ),
        ],
        shuffled(1, 2, 5, 6),
        gradient=_mode != "average_exc_pad",
    )
    enter(
        "pool_3d." + _mode,
        lambda x, _mode=_mode: [
            T.signal.pool.pool_3d(x, (2, 2, 2), ignore_border=True, mode=_mode),
            T.signal.pool.pool_3d(
                x, (2, 1, 2), ignore_border=True, stride=(1, 1, 2), mode=_mode
            ),
        ],
        shuffled(1, 1, 4, 2, 4),
    )
enter(
    "pool_2d.of_ties",
    lambda x: [T.signal.pool.pool_2d(x, (2, 2), ignore_border=True)],
    exactly([[1.0, 1, 0, 0], [1, 0, 0, 0], [2, 3, 4, 4], [3, 2, 1, 4]]),
)
enter(
    "pool_2d.of_matrices",
    lambda x, y: [
        T.signal.pool.pool_2d(x, (2, 2), ignore_border=True),
        T.signal.pool.pool_2d(y, ds=(2, 2), st=(1, 1), ignore_border=True),
        T.signal.pool.max_pool_2d_same_size(y, (2, 2)),
    ],
    shuffled(4, 4),
    shuffled(2, 4, 4),
)

enter(
    "pool_2d.same_size_with_a_cut_edge",
    lambda x: [T.signal.pool.max_pool_2d_same_size(x, (2, 2))],
    shuffled(2, 5, 3),
    gradient=False,
)

_bn = [floats(4, 3), positive(1, 3), floats(1, 3), floats(1, 3), positive(1, 3)]
enter(
    "bn.train",
    lambda x, g, b, m, v: list(T.nnet.bn.batch_normalization_train(x, g, b)),
    *_bn,
)
enter(
    "bn.train_with_running_averages",
    lambda x, g, b, m, v: list(
        T.nnet.bn.batch_normalization_train(
            x, g, b, running_mean=m, running_var=v, running_average_factor=0.2
        )
    ),
    *_bn,
    gradient=False,
)
enter(
    "bn.train_of_vectors",
    lambda x, g, b: list(T.nnet.bn.batch_normalization_train(x, g, b, "spatial")),
    floats(2, 3, 2, 2),
    positive(3),
    floats(3),
)
enter(
    "bn.running_averages_of_vectors",
    lambda x, g, b, m, v: (
        list(
            T.nnet.bn.batch_normalization_train(
                x, g, b, "spatial", running_mean=m, running_var=v
            )
        )
        + [T.nnet.bn.batch_normalization_test(x, g, b, m, v, "spatial")]
    ),
    floats(2, 3, 2, 2),
    positive(3),
    floats(3),
    floats(3),
    positive(3),
    gradient=False,
)
enter(
    "bn.test",
    lambda x, g, b, m, v: [
        T.nnet.bn.batch_normalization_test(x, g, b, m, v),
        T.nnet.bn.batch_normalization_test(x, g, b, m, v, epsilon=0.1),
    ],
    *_bn,
)
enter(
    "bn.old",
    lambda x, g, b, m, s: [
        T.nnet.bn.batch_normalization(x, g, b, m, s),
        T.nnet.bn.batch_normalization(x, g, b, m, s, mode="high_mem"),
    ],
    *_bn,
)
enter(
    "bn.spatial",
    lambda x, g, b: list(T.nnet.bn.batch_normalization_train(x, g, b, axes="spatial")),
    floats(2, 3, 2, 2),
    positive(1, 3, 1, 1),
    floats(1, 3, 1, 1),
)

enter(
    "neighbours.images2neibs",
    lambda x: [
        T.nnet.neighbours.images2neibs(x, (2, 2)),
        T.nnet.neighbours.images2neibs(x, (3, 3), neib_step=(1, 1), mode="valid"),
        T.nnet.neighbours.images2neibs(x, (2, 3), neib_step=(2, 1), mode="valid"),
        T.nnet.neighbours.images2neibs(x, (2, 2), mode="ignore_borders"),
    ],
    floats(1, 2, 4, 4),
)
enter(
    "neighbours.images2neibs_around",
    lambda x: [
        T.nnet.neighbours.images2neibs(
            x, (3, 3), mode="wrap_centered", neib_step=(1, 1)
        ),
        T.nnet.neighbours.images2neibs(x, (3, 3), mode="half", neib_step=(1, 1)),
        T.nnet.neighbours.images2neibs(x, (3, 3), mode="full", neib_step=(1, 1)),
    ],
    floats(1, 1, 4, 4),
    gradient=False,
)
enter(
    "neighbours.neibs2images",
    lambda x: [
        T.nnet.neighbours.neibs2images(
            T.nnet.neighbours.images2neibs(x, (2, 2)), (2, 2), (1, 2, 4, 4)
        )
    ],
    floats(1, 2, 4, 4),
)

# --- Loops ----------------------------------------------------------------------


def scan_outputs(result):
    outputs, updates = result
    outputs = outputs if isinstance(outputs, list) else [outputs]
    return outputs, updates


@case(floats(4))
def scan_of_a_sequence(x):
    return scan_outputs(theano.scan(lambda a: a**2, sequences=x))


@case(floats(4, 3), floats(3), floats(3, 3))
def scan_recurrent(x, h0, w):
    return scan_outputs(
        theano.scan(
            lambda a, h, u: T.tanh(a + T.dot(h, u)),
            sequences=x,
            outputs_info=h0,
            non_sequences=w,
        )
    )


@case(floats(4, 2), floats(2))
def scan_backwards(x, h0):
    return scan_outputs(
        theano.scan(
            lambda a, h: a * 0.5 + h * 0.3,
            sequences=x,
            outputs_info=[h0],
            go_backwards=True,
        )
    )


@case(floats(6), floats(3))
def scan_taps(x, y0):
    return scan_outputs(
        theano.scan(
            lambda x_2, x_0, y_3, y_1: x_2 * y_3 + x_0 - 0.5 * y_1,
            sequences=dict(input=x, taps=[-2, 0]),
            outputs_info=dict(initial=y0, taps=[-3, -1]),
        )
    )


@case(floats(5), floats())
def scan_truncated_gradient(x, h0):
    return scan_outputs(
        theano.scan(
            lambda a, h: T.tanh(a + 0.9 * h),
            sequences=x,
            outputs_info=h0,
            truncate_gradient=2,
        )
    )


@case(positive())
def scan_until(x):
    return scan_outputs(
        theano.scan(
            lambda h: (h * 2, theano.scan_module.until(h > 20)),
            outputs_info=x,
            n_steps=100,
        )
    )


@case(floats(3, 2), floats(2), floats(2))
def scan_of_several_outputs(x, a0, b0):
    return scan_outputs(
        theano.scan(
            lambda x_t, a, b: [a + x_t, b * x_t + a, x_t.sum()],
            sequences=[x],
            outputs_info=[a0, b0, None],
        )
    )


@case(floats(3, 4), floats())
def scan_nested(x, s):
    def row(r, total):
        inner, _ = theano.scan(
            lambda e, acc: acc * 0.5 + e, sequences=r, outputs_info=T.zeros_like(s)
        )
        return total + inner[-1]

    return scan_outputs(theano.scan(row, sequences=x, outputs_info=s))


@case(floats(), gradient=False)
def scan_with_updates(x):
    count = theano.shared(numpy.asarray(1.0, theano.config.floatX))
    outputs, updates = theano.scan(
        lambda a: (a * count, {count: count * 2}), non_sequences=x, n_steps=4
    )
    return [outputs], updates


@case(floats(3), floats())
def scan_power(x, s):
    result, updates = theano.scan(
        lambda prior, a: prior * a,
        outputs_info=T.ones_like(x),
        non_sequences=x,
        n_steps=3,
    )
    return [result[-1], result], updates


@case(floats(4), indices(2))
def scan_of_symbolic_length(x, n):
    return scan_outputs(
        theano.scan(
            lambda i, acc: acc + x[i],
            sequences=T.arange(n + 2),
            outputs_info=T.zeros_like(x[0]),
        )
    )


@case(floats(4, 2), floats(2))
def scan_of_one_step(x, h0):
    return scan_outputs(
        theano.scan(lambda a, h: a + h, sequences=x, outputs_info=h0, n_steps=1)
    )


@case(floats(3, 4))
def scan_map(x):
    return scan_outputs(theano.map(lambda row: row.sum() * row, x))


@case(floats(4))
def scan_reduce(x):
    return scan_outputs(
        theano.reduce(lambda a, acc: acc * 0.5 + a, x, T.zeros_like(x[0]))
    )


@case(floats(4))
def scan_folds(x):
    left, _ = theano.foldl(lambda a, acc: acc * 0.5 + a, x, T.zeros_like(x[0]))
    right, _ = theano.foldr(lambda a, acc: acc * 0.5 + a, x, T.zeros_like(x[0]))
    return [left, right]


# --- Gradients ------------------------------------------------------------------


@case(floats(3), floats(3, 3))
def gradient_jacobian(x, w):
    y = T.tanh(T.dot(w, x))
    return [theano.gradient.jacobian(y, x), theano.gradient.jacobian(y.sum(), x)]


@case(floats(3), gradient=False)
def gradient_hessian(x):
    return [
        theano.gradient.hessian((x**3).sum(), x),
        theano.gradient.hessian((T.exp(x) * x.sum()).sum(), x),
    ]


@case(floats(3), floats(2, 3), floats(3), floats(2))
def gradient_rop_and_lop(x, w, direction, weights):
    y = T.tanh(T.dot(w, x))
    return [T.Rop(y, x, direction), T.Lop(y, x, weights)]


@case(floats(3), floats(3))
def gradient_rop_of_many(x, v):
    y = [T.exp(x), x * x.sum(), x[1:], T.nnet.sigmoid(x), T.sqr(x).mean()]
    return [T.Rop(one, x, v) for one in y]


@case(floats(4))
def gradient_stopped(x):
    g = theano.gradient
    return [
        g.disconnected_grad(x) * x,
        g.zero_grad(x) * x,
        g.consider_constant(x) * x,
    ]


@case(floats(4))
def gradient_clipped(x):
    g = theano.gradient
    return [g.grad_clip(x * 5, -0.5, 0.5) ** 2, g.grad_scale(x, 3.0) * x]


@case(floats(3), floats(3), gradient=False)
def gradient_with_known_grads(x, g):
    y = T.exp(x)
    return [T.grad(None, x, known_grads={y: g}), T.grad((y * 2).sum(), x)]


@case(floats(3), floats(3), gradient=False)
def gradient_with_constants(x, y):
    cost = (x * y).sum()
    return [
        T.grad(cost, x, consider_constant=[y]),
        T.grad((T.exp(x) * y).sum(), y, consider_constant=[x]),
    ] + T.grad(cost, [x, y])


@case(floats(3), integers(3), gradient=False)
def gradient_of_integers(x, i):
    cost = (x * i).sum()
    return [T.grad(cost, x), T.grad(cost, i)]


@case(floats(3), floats(2), gradient=False)
def gradient_of_the_disconnected(x, y):
    return T.grad(x.sum(), [x, y], disconnected_inputs="ignore")


@case(floats(3, 3), floats(3), gradient=False)
def gradient_of_second_order(x, v):
    first = T.grad(T.sum(T.tanh(T.dot(x, v))), v)
    return [T.grad(T.sum(first**2), v), T.grad(T.sum(first * v), x)]


@case(floats(3), gradient=False)
def gradient_of_subgraph(x):
    t = T.tanh(x)
    o = T.exp(t)
    weights, gradients = theano.subgraph_grad([x], [t], start=None, cost=o.sum())
    return list(weights) + list(gradients)


# --- Choices, functions of graphs -----------------------------------------------


@case(floats(), floats(3), floats(3))
def ifelse_basic(c, x, y):
    return [theano.ifelse.ifelse(c > 0, x, y), theano.ifelse.ifelse(c < 0, x * 2, y)]


@case(indices(2), floats(3), floats(3))
def ifelse_of_lists(c, x, y):
    return list(theano.ifelse.ifelse(c, [x, y], [y, x * 2]))


@case(floats(2, 2), floats(2, 2), floats(2, 2))
def op_from_graph(x, y, z):
    a, b, c = T.matrices("abc")
    op = theano.OpFromGraph([a, b, c], [a + b * c, T.exp(a)])
    return op(x, y, z)


@case(floats(3), floats(3))
def clone_with_replacement(x, y):
    z = T.exp(x) + x**2
    return [theano.clone(z, replace={x: y}), theano.clone(z, {x: y * 2})]


@case(floats(3))
def constants(x):
    c = T.constant([1.0, 2.0, 3.0])
    return [
        x + numpy.float32(1.5),
        x * numpy.arange(3, dtype="float32"),
        x + numpy.arange(3),
        c,
        T.constant(1.0),
        T.constant(1),
        T.constant(300),
        T.constant(100000),
        T.constant(True),
        T.as_tensor_variable(2.5),
        T.as_tensor_variable([1, 2]),
        T.as_tensor_variable(numpy.float64(2.5)),
        T.as_tensor_variable([x[0], x[1]]),
        x * 0.1,
    ]


@case(floats(3, 2))
def shared_variables(x):
    w = theano.shared(numpy.arange(6.0).reshape(2, 3).astype(theano.config.floatX))
    s, i = theano.shared(2.5), theano.shared(3)
    return [T.dot(x, w), w + 1, s * 1, i * 1, w.sum(), x * s]


# --- Sparse matrices ------------------------------------------------------------


def sparse_of(x, format="csr"):
    mask = T.constant(numpy.asarray([[1, 0, 1], [0, 1, 0]], "int8"))
    return getattr(theano.sparse, format + "_from_dense")(x * mask)


def dense(x):
    return theano.sparse.dense_from_sparse(x)


def enter_sparse(name, build, *inputs, **options):
    def built(*variables):
        return build(theano.sparse, *variables)

    enter("sparse." + name, built, *inputs, **options)


enter_sparse("from_dense", lambda s, x: [dense(sparse_of(x))], floats(2, 3))
enter_sparse("csc", lambda s, x: [dense(sparse_of(x, "csc"))], floats(2, 3))
enter_sparse("transpose", lambda s, x: [dense(s.transpose(sparse_of(x)))], floats(2, 3))
enter_sparse("neg", lambda s, x: [dense(s.neg(sparse_of(x)))], floats(2, 3))
enter_sparse(
    "add",
    lambda s, x, y: [
        dense(s.add(sparse_of(x), sparse_of(y))),
        dense(sparse_of(x) + sparse_of(y)),
        s.add(sparse_of(x), y),
    ],
    floats(2, 3),
    floats(2, 3),
)
enter_sparse(
    "sub",
    lambda s, x, y: [dense(s.sub(sparse_of(x), sparse_of(y))), s.sub(sparse_of(x), y)],
    floats(2, 3),
    floats(2, 3),
)
enter_sparse(
    "mul",
    lambda s, x, y: [
        dense(s.mul(sparse_of(x), sparse_of(y))),
        dense(sparse_of(x) * 2),
        dense(s.mul(sparse_of(x), y)),
    ],
    floats(2, 3),
    floats(2, 3),
    gradient=False,
)
enter_sparse(
    "dot",
    lambda s, x, y: [s.dot(sparse_of(x), y), s.dot(y.T, s.transpose(sparse_of(x)))],
    floats(2, 3),
    floats(3, 2),
    gradient=False,
)
enter_sparse(
    "structured_dot",
    lambda s, x, y: [
        s.structured_dot(sparse_of(x), y),
        s.structured_dot(sparse_of(x, "csc"), y),
    ],
    floats(2, 3),
    floats(3, 2),
)
enter_sparse(
    "true_dot",
    lambda s, x, y: [dense(s.true_dot(sparse_of(x), s.transpose(sparse_of(y))))],
    floats(2, 3),
    floats(2, 3),
    gradient=False,
)
enter_sparse(
    "sampling_dot",
    lambda s, x, y, z: [dense(s.sampling_dot(x, y, sparse_of(z)))],
    floats(2, 4),
    floats(3, 4),
    floats(2, 3),
    gradient=False,
)
enter_sparse(
    "sum",
    lambda s, x: [
        s.sp_sum(sparse_of(x)),
        s.sp_sum(sparse_of(x), axis=0),
        s.sp_sum(sparse_of(x), axis=1, sparse_grad=True),
    ],
    floats(2, 3),
)
enter_sparse(
    "structured",
    lambda s, x: [
        dense(s.structured_exp(sparse_of(x))),
        dense(s.structured_sigmoid(sparse_of(x))),
        dense(s.structured_pow(sparse_of(x), 2)),
        dense(s.structured_minimum(sparse_of(x), 0.5)),
        dense(s.structured_maximum(sparse_of(x), 0.5)),
        dense(s.structured_add(sparse_of(x), 1.5)),
    ],
    floats(2, 3),
    gradient=False,
)
enter_sparse(
    "functions_of_zero",
    lambda s, x: [
        dense(getattr(s, name)(sparse_of(x)))
        for name in (
            "sqr sqrt sin tan tanh sinh arcsin arctan arctanh arcsinh expm1 log1p "
            "ceil floor rint sgn trunc deg2rad rad2deg"
        ).split()
    ],
    probabilities(2, 3),
    gradient=False,
)
enter_sparse(
    "scales",
    lambda s, x, r, c: [
        dense(s.row_scale(sparse_of(x, "csc"), r)),
        dense(s.col_scale(sparse_of(x, "csc"), c)),
    ],
    floats(2, 3),
    floats(2),
    floats(3),
)
enter_sparse(
    "stack",
    lambda s, x, y: [
        dense(s.hstack([sparse_of(x), sparse_of(y)])),
        dense(s.vstack([sparse_of(x), sparse_of(y)])),
    ],
    floats(2, 3),
    floats(2, 3),
)
enter_sparse(
    "parts",
    lambda s, x: (
        list(s.csm_properties(sparse_of(x)))
        + [s.csm_data(sparse_of(x)), sparse_of(x).shape[0]]
    ),
    floats(2, 3),
    gradient=False,
)
enter_sparse(
    "diagonal",
    lambda s, x, v: [
        dense(s.square_diagonal(v)),
        s.diag(s.csc_from_dense(x)),
    ],
    floats(3, 3),
    floats(3),
)
enter_sparse(
    "rows",
    lambda s, x: [
        dense(sparse_of(x)[0:1]),
        sparse_of(x)[0, 2],
        dense(sparse_of(x)[:, 1:3]),
        dense(s.GetItemList()(sparse_of(x), T.constant([1, 0]))),
    ],
    floats(2, 3),
    gradient=False,
)
enter_sparse(
    "csm",
    lambda s, v: [
        dense(
            s.CSR(v, T.constant([0, 2, 1]), T.constant([0, 2, 3]), T.constant([2, 3]))
        ),
        dense(s.CSC(v, [0, 1, 0], [0, 1, 2, 3], [2, 3])),
    ],
    floats(3),
)
enter_sparse(
    "cast_and_clean",
    lambda s, x: [
        dense(s.cast(sparse_of(x), "float64")),
        dense(s.clean(sparse_of(x))),
        dense(s.sp_ones_like(sparse_of(x))),
        dense(s.sp_zeros_like(sparse_of(x))),
    ],
    floats(2, 3),
    gradient=False,
)


# --- Dtypes ---------------------------------------------------------------------

DTYPES = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 "
    "float64 complex64 complex128"
).split()
UNARY = (
    "abs_ neg sgn sqr sqrt exp exp2 expm1 log log2 log10 log1p sin cos tan "
    "arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh ceil floor "
    "trunc round iround inv erf erfc erfinv gamma gammaln psi invert isnan "
    "isinf real imag conj angle deg2rad rad2deg sum prod max min mean var std "
    "argmax all any cumsum cumprod ones_like zeros_like nnet.sigmoid "
    "nnet.softplus nnet.hard_sigmoid nnet.relu nnet.ultra_fast_sigmoid "
    "argsort sort"
).split()
BINARY = (
    "add sub mul true_div int_div mod pow maximum minimum eq lt and_ or_ xor "
    "dot arctan2 switch stack concatenate clip tensordot set_subtensor "
    "inc_subtensor outer"
).split()
NUMBERS = collections.OrderedDict(
    [
        ("1", 1),
        ("300", 300),
        ("2.5", 2.5),
        ("True", True),
        ("float32(2.5)", numpy.float32(2.5)),
        ("float64(2.5)", numpy.float64(2.5)),
        ("int8(1)", numpy.int8(1)),
        ("int64(1)", numpy.int64(1)),
    ]
)
WITH_NUMBER = collections.OrderedDict(
    [
        ("x + n", lambda x, n: x + n),
        ("n - x", lambda x, n: n - x),
        ("x * n", lambda x, n: x * n),
        ("x / n", lambda x, n: x / n),
        ("n / x", lambda x, n: n / x),
        ("x // n", lambda x, n: x // n),
        ("x % n", lambda x, n: x % n),
        ("x ** n", lambda x, n: x**n),
        ("n ** x", lambda x, n: n**x),
        ("maximum(x, n)", lambda x, n: T.maximum(x, n)),
        ("switch(x, x, n)", lambda x, n: T.switch(T.eq(x, 1), x, n)),
        ("clip(x, 0, n)", lambda x, n: T.clip(x, 0, n)),
        ("set_subtensor(x[0], n)", lambda x, n: T.set_subtensor(x[0], n)),
    ]
)


def find_function(name):
    found = T
    for part in name.split("."):
        found = getattr(found, part)
    return found


def apply_binary(name, x, y):
    function = find_function(name)
    if name == "switch":
        return function(T.constant(True), x, y)
    if name == "clip":
        return function(x, y, y)
    if name in ("stack", "concatenate"):
        return function([x, y])
    if name == "tensordot":
        return function(x, y, 1)
    if name.endswith("_subtensor"):
        return function(x[:2], y[:2])
    return function(x, y)


def dtype_of(build, *variables):
    """The dtype of what is built; ``"-"`` where that is refused."""
    try:
        return str(build(*variables).dtype)
    except Exception:
        return "-"


def record_dtypes(floatX):
    """Which dtypes give which: a mapping of expression to lines of dtypes.

    A line is for one dtype of the first argument; its entries are for the dtypes, or
    the numbers, of the second.
    """
    before, theano.config.floatX = theano.config.floatX, floatX
    table = collections.OrderedDict()
    vectors = [T.TensorType(dtype, (False,))() for dtype in DTYPES]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in UNARY:
                table[name] = [
                    " ".join(dtype_of(find_function(name), x) for x in vectors)
                ]
            for name in BINARY:
                table[name] = [
                    " ".join(
                        dtype_of(lambda a, b, name=name: apply_binary(name, a, b), x, y)
                        for y in vectors
                    )
                    for x in vectors
                ]
            for name, build in WITH_NUMBER.items():
                table[name] = [
                    " ".join(dtype_of(build, x, n) for n in NUMBERS.values())
                    for x in vectors
                ]
    finally:
        theano.config.floatX = before
    return table
