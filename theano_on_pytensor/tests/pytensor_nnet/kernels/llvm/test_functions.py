"""Elementary functions against NumPy's in more digits."""

import numpy as np
import pytest

from pytensor_nnet.kernels.llvm import functions
from pytensor_nnet.kernels.llvm.compiler import compile_function
from pytensor_nnet.kernels.llvm.ir import Function
from pytensor_nnet.kernels.llvm.memory import address

EXACT = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log1p": np.log1p,
    "logarithm": np.log,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-abs(x))),
    "tanh": np.tanh,
}
UNITS = {"tanh": 3, "sigmoid": 2.5}
MORE_DIGITS = {"float32": np.float64, "float64": np.longdouble}
more_than_double = pytest.mark.skipif(
    np.finfo(np.longdouble).eps == np.finfo(np.float64).eps,
    reason="this machine has no longer floats to compare with",
)
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0]


def compute(cpu, name, x):
    element = {"float32": "float", "float64": "double"}[x.dtype.name]
    function = Function(name, {"x": f"{element}*", "y": f"{element}*", "n": "i64"})
    source, target, n = function.arguments.values()
    apply, lanes = getattr(functions, name), cpu.lanes(element)
    whole = n - n % lanes
    with function.loop(0, whole, lanes) as i:
        target[i].store(apply(source[i].load(lanes)))
    with function.loop(whole, n) as i:
        target[i].store(apply(source[i].load()))
    result = np.empty_like(x)
    compile_function(function)(address(x), address(result), len(x))
    return result


def numbers(dtype):
    """Small and large, denormal ones too."""
    rng = np.random.default_rng(0)
    exponents = {"float32": (-44, 38), "float64": (-320, 308)}[dtype]
    limits = {"float32": 110, "float64": 760}[dtype]
    sign = rng.choice([-1.0, 1.0], 20_000)
    x = [
        rng.uniform(-1, 1, 20_000),
        rng.standard_normal(20_000) * 1e-3,
        rng.uniform(-limits, limits, 20_000),
        10.0 ** rng.uniform(*exponents, 20_000) * sign,
    ]
    return np.concatenate(x).astype(dtype)


def test_every_function_is_tested():
    assert EXACT.keys() == set(functions.__all__)


@pytest.mark.parametrize(
    "dtype", ["float32", pytest.param("float64", marks=more_than_double)]
)
@pytest.mark.parametrize("name", sorted(EXACT))
def test_the_last_places(cpu, name, dtype):
    x = numbers(dtype)
    if name == "sigmoid":  # further out, exp(-x) overflows, as it does in SciPy
        x = x[x > {"float32": -87, "float64": -709}[dtype]]
    if name == "logarithm":
        x = abs(x)
    with np.errstate(all="ignore"):
        expected = EXACT[name](x.astype(MORE_DIGITS[dtype]))
        rounded = expected.astype(dtype)
    result = compute(cpu, name, x)
    assert np.array_equal(np.isfinite(result), np.isfinite(rounded))
    finite = np.isfinite(rounded)
    error = abs(result[finite].astype(MORE_DIGITS[dtype]) - expected[finite])
    unit = np.spacing(abs(rounded[finite])).astype(MORE_DIGITS[dtype])
    assert (error / unit).max() <= UNITS.get(name, 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(EXACT))
def test_special_numbers(cpu, name, dtype):
    x = np.array(SPECIAL * 5, dtype)
    with np.errstate(all="ignore"):
        expected = EXACT[name](x)
    result = compute(cpu, name, x)
    assert np.allclose(result, expected, rtol=1e-6, equal_nan=True)
    kept = np.isnan(expected) | (np.signbit(result) == np.signbit(expected))
    assert kept.all()


@pytest.mark.parametrize("name", sorted(EXACT))
def test_a_number_alone_is_as_in_a_vector(cpu, name):
    x = numbers("float32")[:1001]
    together = compute(cpu, name, x)
    alone = np.concatenate(
        [compute(cpu, name, x[i : i + 1]) for i in range(0, 1001, 50)]
    )
    assert together[::50].tobytes() == alone.tobytes()
