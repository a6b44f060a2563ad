"""Generates elementary functions of floats, lane by lane.

To one or two units in the last place (``tanh``: three), denormal numbers,
infinities and NaN included. All are made of arithmetic, so that a number's result
does not depend on whether it is alone or in a vector.
"""

from collections.abc import Sequence
from math import factorial, log

from pytensor_nnet.kernels.llvm.ir import Value, lanes_of, vector

__all__ = ["exp", "expm1", "log1p", "logarithm", "sigmoid", "softplus", "tanh"]


class _Format:
    """Constants of a float type.

    Attributes
    ----------
    integer : str
        The integers of the same width.
    fraction, bias : int
        Bits of the fraction, and the bias of the exponent.
    round : float
        ``x + round - round`` is the integer that is nearest to ``x``.
    ln2 : (float, float)
        Two parts of the logarithm of 2, the first with few bits.
    overflow, underflow, minus_one : float
        Where ``exp`` is infinite, where it is 0, and ``expm1`` is -1.
    terms : int
        Of power series.
    """

    def __init__(self, double: bool):
        if double:
            self.integer, self.fraction, self.bias = "i64", 52, 1023
            self.ln2 = (0.6931471803691238, 1.9082149292705877e-10)
            self.overflow, self.underflow, self.minus_one = 710.0, -746.0, -40.0
            self.terms = 13
        else:
            self.integer, self.fraction, self.bias = "i32", 23, 127
            self.ln2 = (0.693359375, -2.12194440e-4)
            self.overflow, self.underflow, self.minus_one = 89.0, -105.0, -30.0
            self.terms = 7
        self.round = 1.5 * 2.0**self.fraction

    def integers(self, like: str) -> str:
        lanes = lanes_of(like)
        return vector(lanes, self.integer) if like.startswith("<") else self.integer


_FORMATS = {"float": _Format(False), "double": _Format(True)}


def _format(x: Value) -> _Format:
    return _FORMATS["double" if "double" in x.type else "float"]


def _number(x: Value, number: float) -> Value:
    """A constant of the type of ``x``."""
    return Value(x.function, x.type, x.function.constant(number, x.type))


def _series(x: Value, coefficients: Sequence[float]) -> Value:
    """``c[0] + c[1] * x + ...``, by Horner's rule."""
    total = _number(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = x.function.multiply_add(total, x, _number(x, coefficient))
    return total


def _limited(x: Value, low: float, high: float) -> Value:
    """A number between these; NaN becomes one, too."""
    x = x.compare("olt", high).select(x, high)
    return x.compare("ogt", low).select(x, low)


def _unless_nan(x: Value, result: Value) -> Value:
    return x.compare("uno", x).select(x, result)


def _power_of_two(n: Value, like: Value) -> Value:
    """``2**n`` for an exponent that a normal number has."""
    form = _format(like)
    bits = (n + form.bias) * (1 << form.fraction)
    return bits.convert("bitcast", like.type)


def _reduced(x: Value) -> tuple[Value, Value]:
    """``exp(r) - 1`` and ``n``, where ``x = r + n * log(2)`` with the least ``r``."""
    form, fma = _format(x), x.function.multiply_add
    shift = _number(x, form.round)
    shifted = fma(x, _number(x, 1 / log(2)), shift)
    whole = shifted - shift
    r = fma(whole, _number(x, -form.ln2[0]), x)
    r = fma(whole, _number(x, -form.ln2[1]), r)
    integers = form.integers(x.type)
    n = shifted.convert("bitcast", integers) - shift.convert("bitcast", integers)
    rest = _series(r, [1 / factorial(i) for i in range(2, form.terms + 1)])
    return fma(r * r, rest, r), n


def exp(x: Value) -> Value:
    form = _format(x)
    less_one, n = _reduced(_limited(x, form.underflow, form.overflow))
    # In two steps: 2**n need not be a normal number. A half, rounded down, of an
    # integer that is made positive.
    half = ((n + 2 * form.bias) >> 1) - form.bias
    result = (less_one + 1.0) * _power_of_two(half, x)
    return _unless_nan(x, result * _power_of_two(n - half, x))


def expm1(x: Value) -> Value:
    """``exp(x) - 1``, exact to the last places near 0, too."""
    form, fma = _format(x), x.function.multiply_add
    less_one, n = _reduced(_limited(x, form.minus_one, form.overflow))
    half = _power_of_two(n - 1, x)
    result = fma(half, less_one, half - 0.5) * 2.0
    # Zero keeps its sign.
    return _unless_nan(x, x.compare("oeq", 0).select(x, result))


def logarithm(x: Value) -> Value:
    """The natural logarithm; of negative numbers it is NaN, of 0 it is -infinity."""
    form, fma = _format(x), x.function.multiply_add
    integers = form.integers(x.type)
    fraction = form.fraction
    smallest = 2.0 ** (1 - form.bias)
    infinity = _number(x, float("inf"))
    is_finite = x.compare("olt", infinity)
    is_small = x.compare("olt", smallest)
    larger = is_small.select(x * 2.0 ** (fraction + 2), x)
    larger = is_finite.select(larger, 1.0)
    # Between sqrt(1/2) and sqrt(2), and the power of two that was taken out.
    root = _number(x, 0.5**0.5).convert("bitcast", integers)
    one = _number(x, 1.0).convert("bitcast", integers)
    bits = larger.convert("bitcast", integers) + (one - root)
    exponent = (bits >> fraction) - form.bias
    mantissa = (bits & (1 << fraction) - 1) + root
    f = mantissa.convert("bitcast", x.type) - 1.0
    k = exponent.convert("sitofp", x.type)
    k = is_small.select(k - float(fraction + 2), k)
    # log(1 + f) = 2 atanh(s), less what is known exactly.
    s = f / (f + 2.0)
    z = s * s
    odd = range(3, 2 * form.terms + (1 if fraction < 52 else -3), 2)
    series = _series(z, [2 / i for i in odd]) * z
    half_square = f * f * 0.5
    small = fma(s, half_square + series, k * form.ln2[1])
    result = fma(k, _number(x, form.ln2[0]), f - (half_square - small))
    result = is_finite.select(result, x)
    result = x.compare("olt", 0).select(_number(x, float("nan")), result)
    return x.compare("oeq", 0).select(_number(x, float("-inf")), result)


def log1p(x: Value) -> Value:
    """``log(1 + x)``, exact to the last places near 0, too."""
    one_more = x + 1.0
    lost = (x - (one_more - 1.0)) / one_more
    result = logarithm(one_more) + lost
    # Where there is nothing to add, or the loss is not a number.
    result = one_more.compare("oeq", 1).select(x, result)
    special = one_more.compare("oeq", 0).select(_number(x, float("-inf")), result)
    infinity = _number(x, float("inf"))
    return x.compare("oeq", infinity).select(infinity, special)


def tanh(x: Value) -> Value:
    size = x.function.apply("fabs", x)
    t = expm1(size * -2.0)
    return x.function.apply("copysign", t / (t + 2.0), x)


def sigmoid(x: Value) -> Value:
    """``1 / (1 + exp(-x))``"""
    return _number(x, 1.0) / (exp(x * -1.0) + 1.0)


def softplus(x: Value) -> Value:
    """``log(1 + exp(x))``"""
    size = x.function.apply("fabs", x)
    positive = x.compare("ogt", 0).select(x, 0)
    return positive + log1p(exp(size * -1.0))
