"""Random tensors as functions of a ``RandomState``.

Each function takes a variable that holds a ``numpy.random.RandomState`` and gives
two: the ``RandomState`` thereafter, and the tensor.

``size`` is the shape to draw: a sequence of integers and scalar variables (-1 is the
size of a parameter along that axis), a vector variable (whose length ``ndim`` tells,
where the graph does not), or ``None`` for that of the parameters broadcast together.
``dtype`` is by default int64 for integers, and for floats the widest of ``floatX``
and the parameters' dtypes.
"""

import warnings
from functools import reduce
from operator import add

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.scalar import upcast
from pytensor.tensor.type import TensorType, integer_dtypes

import pytensor_nnet.rewrites.random_state  # noqa: F401  (registers the rewrite)
from pytensor_nnet.ops.random_state import (
    RandomFunction,
    RandomStateType,
    random_state_type,
)
from theano.configdefaults import config

__all__ = [
    "RandomFunction",
    "RandomStateType",
    "RandomStreamsBase",
    "binomial",
    "choice",
    "multinomial",
    "normal",
    "permutation",
    "poisson",
    "random_integers",
    "random_state_type",
    "uniform",
]


def uniform(random_state, size=None, low=0.0, high=1.0, ndim=None, dtype=None):
    """Uniform numbers from ``low`` to below ``high``."""
    return _draw_floats("uniform", random_state, size, [low, high], ndim, dtype)


def normal(random_state, size=None, avg=0.0, std=1.0, ndim=None, dtype=None):
    """Normal numbers of mean ``avg`` and standard deviation ``std``."""
    return _draw_floats("normal", random_state, size, [avg, std], ndim, dtype)


def binomial(random_state, size=None, n=1, p=0.5, ndim=None, dtype="int64", prob=None):
    """Of ``n`` trials, how many succeed, each with probability ``p``.

    ``prob`` is an earlier name of ``p``.
    """
    if prob is not None:
        warnings.warn("prob is deprecated: call it p", DeprecationWarning, stacklevel=2)
        p = prob
    parameters = [pt.as_tensor_variable(n), pt.as_tensor_variable(p)]
    ndim, size, _ = _shape_to_draw(ndim, size, *parameters)
    outtype = TensorType(dtype, shape=(None,) * ndim)
    return RandomFunction("binomial", outtype)(random_state, size, *parameters)


def random_integers(random_state, size=None, low=0, high=1, ndim=None, dtype="int64"):
    """Integers from ``low`` to ``high``, both included."""
    parameters = [pt.as_tensor_variable(low), pt.as_tensor_variable(high)]
    ndim, size, shape = _shape_to_draw(ndim, size, *parameters)
    op = RandomFunction(_draw_integers, TensorType(dtype, shape=shape))
    return op(random_state, size, *parameters)


def choice(
    random_state, size=None, a=2, replace=True, p=None, ndim=None, dtype="int64"
):
    """Elements of the vector ``a``, or of ``0, ..., a - 1``.

    ``p`` are their probabilities, equal where not given; with ``replace`` an element
    may be drawn again. One element where ``size`` is ``None``: a scalar.
    """
    if p is None:
        p = np.zeros(0)
    if isinstance(replace, bool):
        replace = np.int8(replace)
    ndim, size, shape = _shape_to_draw(ndim, size)
    op = RandomFunction(_draw_choice, TensorType(dtype, shape=shape))
    return op(random_state, size, a, replace, p)


def poisson(random_state, size=None, lam=1.0, ndim=None, dtype="int64"):
    """Poisson numbers of mean ``lam``."""
    ndim, size, shape = _shape_to_draw(ndim, size)
    op = RandomFunction("poisson", TensorType(dtype, shape=shape))
    return op(random_state, size, lam)


def permutation(random_state, size=None, n=1, ndim=None, dtype="int64"):
    """Permutations of ``0, ..., n - 1``, along an axis that comes after ``size``'s.

    One permutation, a vector, where ``size`` is ``None``.
    """
    if size is None or (isinstance(size, tuple | list) and not size):
        if ndim not in (None, 1):
            raise TypeError(f"one permutation has 1 axis, got ndim={ndim}")
        size, shape = (), ()
    else:
        ndim, size, shape = _shape_to_draw(ndim, size)
    outtype = TensorType(dtype, shape=(*shape, None))
    return RandomFunction(_draw_permutations, outtype, ndim_added=1)(
        random_state, size, n
    )


def multinomial(
    random_state, size=None, n=1, pvals=(0.5, 0.5), ndim=None, dtype="int64"
):
    """How often each outcome came in ``n`` draws.

    The outcomes' probabilities lie along the last axis of ``pvals``; the tensor has
    that axis after those of ``size``. The other axes of ``pvals``, and those of
    ``n``, are broadcast to ``size``.
    """
    n, pvals = pt.as_tensor_variable(n), pt.as_tensor_variable(pvals)
    ndim, size, shape = _shape_to_draw(ndim, size, n, pvals[..., 0])
    outtype = TensorType(dtype, shape=(*shape, pvals.type.shape[-1]))
    op = RandomFunction(_draw_multinomial, outtype, ndim_added=1)
    return op(random_state, size, n, pvals)


class RandomStreamsBase:
    """The functions of this module as methods; ``gen`` gives the ``RandomState``."""

    def binomial(self, size=None, n=1, p=0.5, ndim=None, dtype="int64", prob=None):
        """:func:`binomial`."""
        return self.gen(binomial, size, n, p, ndim=ndim, dtype=dtype, prob=prob)

    def uniform(self, size=None, low=0.0, high=1.0, ndim=None, dtype=None):
        """:func:`uniform`."""
        return self.gen(uniform, size, low, high, ndim=ndim, dtype=dtype)

    def normal(self, size=None, avg=0.0, std=1.0, ndim=None, dtype=None):
        """:func:`normal`."""
        return self.gen(normal, size, avg, std, ndim=ndim, dtype=dtype)

    def random_integers(self, size=None, low=0, high=1, ndim=None, dtype="int64"):
        """:func:`random_integers`."""
        return self.gen(random_integers, size, low, high, ndim=ndim, dtype=dtype)

    def choice(self, size=None, a=2, replace=True, p=None, ndim=None, dtype="int64"):
        """:func:`choice`."""
        return self.gen(choice, size, a, replace, p, ndim=ndim, dtype=dtype)

    def poisson(self, size=None, lam=1.0, ndim=None, dtype="int64"):
        """:func:`poisson`."""
        return self.gen(poisson, size, lam, ndim=ndim, dtype=dtype)

    def permutation(self, size=None, n=1, ndim=None, dtype="int64"):
        """:func:`permutation`."""
        return self.gen(permutation, size, n, ndim=ndim, dtype=dtype)

    def multinomial(self, size=None, n=1, pvals=(0.5, 0.5), ndim=None, dtype="int64"):
        """:func:`multinomial`."""
        return self.gen(multinomial, size, n, pvals, ndim=ndim, dtype=dtype)

    def shuffle_row_elements(self, input):
        """``input`` with each row (along the last axis) shuffled on its own.

        The positions in ``input`` are the result's attribute ``permutation``.
        """
        positions = self.permutation(
            size=input.shape[:-1], n=input.shape[-1], ndim=input.ndim - 1
        )
        shuffled = pt.permute_row_elements(input, positions)
        shuffled.permutation = positions
        return shuffled


def _draw_floats(fn, random_state, size, parameters, ndim, dtype):
    parameters = [pt.as_tensor_variable(parameter) for parameter in parameters]
    if dtype is None:
        dtype = upcast(config.floatX, *(p.type.dtype for p in parameters))
    ndim, size, shape = _shape_to_draw(ndim, size, *parameters)
    op = RandomFunction(fn, TensorType(dtype, shape=shape))
    return op(random_state, size, *parameters)


def _shape_to_draw(ndim, size, *parameters):
    """The number of axes, the shape as an int64 vector, and what is known of it.

    Raises
    ------
    TypeError
        If nothing tells the shape, or ``size`` is no vector of integers.
    ValueError
        If ``ndim`` contradicts it, or a parameter has more axes than it.
    """
    if size is None:
        if not parameters:
            raise TypeError("needs a size: no parameter tells the shape")
        template = reduce(add, parameters)
        ndim, vector, shape = template.type.ndim, template.shape, template.type.shape
    elif isinstance(size, tuple | list):
        if ndim not in (None, len(size)):
            raise ValueError(
                f"ndim is {ndim}, but the size {size} has {len(size)} axes"
            )
        ndim = len(size)
        entries = [_size_of_axis(i, size, parameters) for i in range(ndim)]
        shape = tuple(None if isinstance(n, Variable) else n for n in entries)
        vector = pt.stack(entries) if entries else np.zeros(0, "int64")
    else:
        vector = pt.as_tensor_variable(size)
        if vector.type.ndim != 1:
            raise TypeError(
                f"size must be a vector or a sequence of scalars, got {vector.type}"
            )
        if ndim is None:
            ndim = pt.get_vector_length(vector)
        shape = (None,) * ndim
    vector = pt.as_tensor_variable(vector)
    if vector.type.dtype not in integer_dtypes:
        raise TypeError(f"the numbers of a size must be integers, got {vector.type}")
    if any(parameter.type.ndim > ndim for parameter in parameters):
        raise ValueError(
            f"size has {ndim} axes; a parameter has more: "
            f"{', '.join(str(parameter.type) for parameter in parameters)}"
        )
    return ndim, pt.cast(vector, "int64"), shape


def _size_of_axis(axis, size, parameters):
    """The size of an axis; of a parameter's, for -1."""
    if isinstance(size[axis], Variable) or size[axis] >= 0:
        return size[axis]
    if size[axis] != -1:
        raise ValueError(f"size is {size}; its numbers must be at least -1")
    places = [(p, axis + p.type.ndim - len(size)) for p in parameters]
    places = [(p, place) for p, place in places if place >= 0]
    if not places:
        raise ValueError(f"size is {size}, but no parameter has an axis for its -1")
    for parameter, place in places:
        if not parameter.type.broadcastable[place]:
            return parameter.shape[place]
    return 1


def _draw_integers(random_state, low, high, size):
    return random_state.randint(low, high.astype(np.int64) + 1, size, dtype=np.int64)


def _draw_choice(random_state, a, replace, p, size):
    if a.ndim > 1 or p.ndim != 1:
        raise ValueError(
            f"a has {a.ndim} axes and p {p.ndim}; a must have 0 or 1, and p 1"
        )
    return random_state.choice(
        a if a.ndim else int(a), size, bool(replace), p if p.size else None
    )


def _draw_permutations(random_state, n, size):
    size = size or ()
    permutations = np.empty((*size, int(n)), np.int64)
    for place in np.ndindex(*size):
        permutations[place] = random_state.permutation(int(n))
    return permutations


def _draw_multinomial(random_state, n, pvals, size):
    if pvals.size and pvals.min() < 0:
        raise ValueError(f"a probability is negative, {pvals.min()}")
    if size is None:
        size = np.broadcast_shapes(n.shape, pvals.shape[:-1])
    n = np.broadcast_to(n, size)
    pvals = np.broadcast_to(pvals, (*size, pvals.shape[-1]))
    counts = np.empty(pvals.shape, np.int64)
    for place in np.ndindex(*size):
        counts[place] = _count_outcomes(
            random_state, int(n[place]), _within_one(pvals[place]).astype(np.float64)
        )
    return counts


def _count_outcomes(random_state, n, pvals):
    """One draw of ``RandomState.multinomial``, by the same stream in every NumPy.

    That of NumPy 1.17 to 2.4 draws nothing for an outcome that cannot be; those
    before and after draw for it, too, as ``binomial`` does in each of them.
    """
    if n and pvals.all():
        return random_state.multinomial(n, pvals)
    counts = np.zeros(len(pvals), np.int64)
    left = 1.0
    for outcome, p in enumerate(pvals[:-1]):
        counts[outcome] = random_state.binomial(n, min(p / left, 1.0))
        n -= counts[outcome]
        if n <= 0:
            return counts
        left -= p
    counts[-1] = n
    return counts


def _within_one(pvals):
    """Probabilities whose sum does not exceed 1 by the rounding of their dtype.

    The factor is Theano's: the numbers drawn depend on it.
    """
    if 1.0 < float(pvals.sum()) < 1.0 + 1e-5 or float(pvals[-1]) < 5e-5:
        pvals = pvals * (1.0 - 5e-5)
    if pvals.sum() > 1.0:
        raise ValueError(f"the probabilities sum to {pvals.sum()}, more than 1")
    return pvals
