"""Random tensors from MRG31k3p, bit for bit those of Theano 1.0.5.

Every call that makes a random tensor takes the next of the generator's streams,
2^134 draws behind the one before, and splits it into substreams, 2^72 draws apart:
their states are one shared variable, which each call of a compiled function moves
on (``default_update``).
"""

import warnings
from math import prod

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Constant, Variable
from pytensor.scalar import upcast

from pytensor_nnet.kernels.mrg31k3p import M1, M2, jump, substreams
from pytensor_nnet.ops.c_math import CFunction, MultiplyAdd
from pytensor_nnet.ops.mrg31k3p import MRG31k3pUniform
from pytensor_nnet.ops.multinomial import ChoiceFromUniform, MultinomialFromUniform
from theano.compile.sharedvalue import shared
from theano.configdefaults import config
from theano.gradient import undefined_grad

__all__ = ["M1", "M2", "MRG_RandomStreams", "guess_n_streams"]

_LOG2_STREAM = 134
_MOST_STREAMS = 60 * 256


def guess_n_streams(size, warn=False):
    """Into how many substreams to split for a tensor of the shape ``size``.

    One for every six elements and at most 15,360; as many where ``size`` is not a
    sequence of Python integers (with ``warn``, a warning says so).
    """
    if isinstance(size, tuple | list) and all(isinstance(n, int) for n in size):
        elements = prod(size)
        return min(elements // 6 if elements > 6 else elements, _MOST_STREAMS)
    if warn:
        warnings.warn(
            f"cannot tell the number of streams from the size {size}: "
            f"taking {_MOST_STREAMS}",
            stacklevel=2,
        )
    return _MOST_STREAMS


class MRG_RandomStreams:
    """Makes random tensors.

    Parameters
    ----------
    seed : int or sequence of 6 int
        One integer stands for all six. The first three are below ``M1``, the last
        three below ``M2``; neither three are all 0.

    Attributes
    ----------
    rstate : int32 array of 6
        Where the next stream starts.
    state_updates : list of tuple
        ``(shared states, states thereafter, size, nstreams)`` of each tensor made.

    Raises
    ------
    ValueError
        For a seed that is out of these ranges.
    TypeError
        For a seed that is not one integer nor six.

    Notes
    -----
    Every method takes ``nstreams``, the number of substreams, which
    :func:`guess_n_streams` chooses by default. ``target`` named a device and is
    ignored. Nothing has a gradient with respect to the parameters of a
    distribution.
    """

    def __init__(self, seed=12345, use_cuda=None):
        self.state_updates = []
        self.default_instance_seed = seed
        self.set_rstate(seed)

    def updates(self):
        """The list of tuples, :attr:`state_updates`, as a copy."""
        return list(self.state_updates)

    def set_rstate(self, seed):
        """Start the next stream from ``seed``, as the constructor does."""
        self.rstate = _state_of_seed(seed)

    def seed(self, seed=None):
        """Start all streams anew, as if the tensors were made after the seed.

        ``None`` is the seed given to the constructor.
        """
        self.set_rstate(self.default_instance_seed if seed is None else seed)
        for states, _, size, nstreams in self.state_updates:
            if nstreams is None:
                nstreams = self.n_streams(size)
            states.set_value(
                self.get_substream_rstates(nstreams, states.dtype), borrow=True
            )

    def inc_rstate(self):
        """Move :attr:`rstate` to the next stream, 2^134 draws on."""
        self.rstate = jump(self.rstate, _LOG2_STREAM)

    def get_substream_rstates(self, n_streams, dtype, inc_rstate=True):
        """The states of ``n_streams`` substreams, int32 ``(n_streams, 6)``.

        With ``inc_rstate`` the next call gives the next stream's. ``dtype``, that
        of the tensor to draw, makes no difference.
        """
        if n_streams < 1:
            raise ValueError(f"got {n_streams} streams; there must be at least 1")
        states = substreams(self.rstate, n_streams)
        if inc_rstate:
            self.inc_rstate()
        return states

    def n_streams(self, size):
        """:func:`guess_n_streams`."""
        return guess_n_streams(size)

    def pretty_return(self, node_rstate, new_rstate, sample, size, nstreams):
        """``sample``, with its states' update noted on it and here."""
        sample.rstate = node_rstate
        sample.update = (node_rstate, new_rstate)
        self.state_updates.append((node_rstate, new_rstate, size, nstreams))
        node_rstate.default_update = new_rstate
        return sample

    def uniform(
        self, size, low=0.0, high=1.0, ndim=None, dtype=None, nstreams=None, target=None
    ):
        """Uniform numbers between ``low`` and ``high``, both excluded.

        Parameters
        ----------
        size : tuple of int and scalar variables, or vector variable
        low, high : float or variable
            Cast to the tensor's dtype; of no more dimensions than ``size`` says.
        ndim : int, optional
            The length of ``size``, where a variable does not tell it.
        dtype : str, optional
            By default, the widest of ``floatX`` and the dtypes of ``low`` and
            ``high``.

        Raises
        ------
        ValueError
            For a size that is not positive.
        TypeError
            For a ``size`` of another kind.
        NotImplementedError
            If ``low`` or ``high`` is larger than ``size``.
        """
        low, high, dtype = _parameters(low, high, dtype)
        _check_size(size)
        states = shared(
            self.get_substream_rstates(
                self.n_streams(size) if nstreams is None else nstreams, dtype
            )
        )
        states.tag.is_rng = True
        if ndim is None:
            ndim = pt.get_vector_length(pt.as_tensor_variable(size, ndim=1))
        sample = self.pretty_return(
            states, *MRG31k3pUniform(dtype, ndim)(states, size), size, nstreams
        )
        scaled = _multiply_add(sample, _difference(high, low), low)
        if scaled.type.broadcastable != sample.type.broadcastable:
            raise NotImplementedError(
                f"low and high make a tensor of type {scaled.type} out of one of "
                f"{sample.type}: give the shape they broadcast to as the size"
            )
        return scaled

    def binomial(
        self,
        size=None,
        n=1,
        p=0.5,
        ndim=None,
        dtype="int64",
        nstreams=None,
        target=None,
    ):
        """1 with probability ``p``, else 0.

        Raises ``NotImplementedError`` for another ``n`` than 1. Parameters and what
        else is raised are those of :meth:`uniform`.
        """
        if n != 1:
            raise NotImplementedError(
                f"binomial of {n} trials; MRG_RandomStreams makes those of 1 trial "
                "(theano.tensor.shared_randomstreams.RandomStreams of any number)"
            )
        p = _without_gradient(p)
        return pt.cast(self.uniform(size, nstreams=nstreams, ndim=ndim) < p, dtype)

    def multinomial(
        self,
        size=None,
        n=1,
        pvals=None,
        ndim=None,
        dtype="int64",
        nstreams=None,
        target=None,
    ):
        """How often each outcome came in ``n`` draws, for each row of ``pvals``.

        Parameters
        ----------
        pvals : matrix
            Probabilities, ``(distributions, outcomes)``; the tensor's shape is the
            same. They are not checked: where a row sums to less than 1, a draw may
            count for no outcome.
        size, ndim
            There to be ``None``.

        Raises
        ------
        TypeError
            Without ``pvals``.
        NotImplementedError
            If ``pvals`` is no matrix.
        ValueError
            For a ``size`` or ``ndim``.
        """
        pvals, uniforms = self._choose("multinomial", pvals, size, ndim, n, nstreams)
        return MultinomialFromUniform(dtype)(pvals, uniforms, n)

    def choice(
        self,
        size=1,
        a=None,
        replace=True,
        p=None,
        ndim=None,
        dtype="int64",
        nstreams=None,
        target=None,
    ):
        """``size`` different outcomes for each row of ``p``.

        Parameters
        ----------
        size : int or scalar variable
            At most the number of outcomes; the tensor is ``(distributions, size)``.
        replace : bool
            Must be ``False``: an outcome drawn is not drawn again.
        p : matrix
            Probabilities, ``(distributions, outcomes)``; they are not checked.
        a, ndim
            There to be ``None``.

        Raises
        ------
        NotImplementedError
            With ``replace``, or if ``p`` is no matrix.
        TypeError
            Without ``p``, or with ``a``.
        ValueError
            For an ``ndim``. At run time, if ``size`` is larger than it may be.
        """
        if replace:
            raise NotImplementedError("choice draws without replacement only")
        if a is not None:
            raise TypeError("choice takes probabilities p, not the outcomes a")
        p, uniforms = self._choose("choice", p, None, ndim, size, nstreams)
        return ChoiceFromUniform(dtype)(p, uniforms, size)

    def multinomial_wo_replacement(
        self,
        size=None,
        n=1,
        pvals=None,
        ndim=None,
        dtype="int64",
        nstreams=None,
        target=None,
    ):
        """:meth:`choice` of ``n`` outcomes, by its earlier name.

        Raises ``ValueError`` for a ``size``.
        """
        if size is not None:
            raise ValueError(f"multinomial_wo_replacement takes no size, got {size}")
        return self.choice(n, None, False, pvals, ndim, dtype, nstreams)

    def _choose(self, name, pvals, size, ndim, n, nstreams):
        """The probabilities as a matrix, and a uniform number for each draw."""
        if pvals is None:
            raise TypeError(f"{name} needs the probabilities")
        if size is not None or ndim is not None:
            raise ValueError(
                f"{name} takes neither size nor ndim: the probabilities tell them"
            )
        pvals = _without_gradient(pvals)
        if pvals.type.ndim != 2:
            raise NotImplementedError(
                f"{name} needs a matrix of probabilities, got {pvals.type}"
            )
        draws = pt.stack([pvals.shape[0] * n])
        if nstreams is None:
            nstreams = _MOST_STREAMS
        return pvals, self.uniform(draws, ndim=1, nstreams=nstreams)

    def normal(
        self,
        size,
        avg=0.0,
        std=1.0,
        ndim=None,
        dtype=None,
        nstreams=None,
        truncate=False,
        target=None,
    ):
        """Normal numbers of mean ``avg`` and standard deviation ``std``.

        G. E. P. Box and M. E. Muller, *A note on the generation of random normal
        deviates*, 1958: the first half of the uniform numbers gives the radii, the
        second the angles.

        Parameters
        ----------
        size : int, scalar variable, sequence of these, or vector variable
        truncate : bool
            Draw none that is farther than 2 ``std`` from ``avg``. Those drawn anew
            come last of their half.
        ndim, dtype
            Those of :meth:`uniform`.

        Raises
        ------
        ValueError
            For a size that is not positive, or of another kind.
        """
        avg, std, dtype = _parameters(avg, std, dtype)
        size = _size_vector(size)
        number = pt.prod(size, dtype="int64")
        if isinstance(size, Constant):
            number = pt.constant(size.data.prod(dtype="int64"))
        even = number + number % 2
        if nstreams is None:
            nstreams = _MOST_STREAMS

        uniforms = self.uniform((even,), ndim=1, dtype=dtype, nstreams=nstreams)
        radii = _radii(uniforms[: even // 2])
        angles = np.asarray(2 * np.pi, dtype) * uniforms[even // 2 :]
        cosines, sines = (_in_c(CFunction(name), angles) for name in ("cos", "sin"))
        halves = [radii * cosines, radii * sines]
        if truncate:
            halves = self._redraw_far_ones(halves, [cosines, sines], dtype, nstreams)
        samples = pt.concatenate(halves)[:number].reshape(size, ndim=ndim)
        return _multiply_add(pt.cast(samples, dtype), std, avg)

    def _redraw_far_ones(self, halves, directions, dtype, nstreams):
        """The halves of a normal sample, numbers beyond -2 and 2 drawn anew."""
        far = [(half < -2.0) | (half > 2.0) for half in halves]
        places = [pt.nonzero(those)[0] for those in far]
        first, second = (place.shape[0] for place in places)
        nearest = pt.constant(np.asarray(np.exp(-2.0), dtype))
        radii = _radii(
            self.uniform(
                (first + second,), nearest, 1.0, 1, dtype=dtype, nstreams=nstreams
            )
        )
        return [
            pt.concatenate([half[pt.nonzero(~those)], again * direction[place]])
            for half, those, again, direction, place in zip(
                halves, far, [radii[:first], radii[first:]], directions, places,
                strict=True,
            )
        ]  # fmt: skip

    def truncated_normal(
        self,
        size,
        avg=0.0,
        std=1.0,
        ndim=None,
        dtype=None,
        nstreams=None,
        target=None,
    ):
        """Normal numbers that lie within two standard deviations, of which the
        *truncated* distribution has mean ``avg`` and standard deviation ``std``.

        Parameters are those of :meth:`normal`.
        """
        return self.normal(
            size, avg, std / pt.constant(_STD_WITHIN_2), ndim, dtype, nstreams, True
        )


# The standard deviation of a standard normal number known to lie in [-2, 2].
_STD_WITHIN_2 = 0.87962566103423978


def _state_of_seed(seed):
    if isinstance(seed, int | np.integer):
        if not 0 < seed < M2:
            raise ValueError(f"seed is {seed}; it must be from 1 to {M2 - 1}")
        return np.full(6, seed, "int32")
    if np.shape(seed) != (6,):
        raise TypeError(f"seed is {seed!r}; it must be one integer or six")
    for part, modulus in ((seed[:3], M1), (seed[3:], M2)):
        if not any(part) or not all(0 <= n < modulus for n in part):
            raise ValueError(
                f"seed is {seed!r}; each three must be from 0 to {M1 - 1} (the first) "
                f"and to {M2 - 1} (the last), and not all 0"
            )
    return np.asarray(seed, "int32")


def _parameters(first, second, dtype):
    """The two parameters of a distribution in the dtype of its numbers."""
    first, second = pt.as_tensor_variable(first), pt.as_tensor_variable(second)
    if dtype is None:
        dtype = upcast(config.floatX, first.type.dtype, second.type.dtype)
    return *(
        _without_gradient(parameter, dtype) for parameter in (first, second)
    ), dtype


def _without_gradient(parameter, dtype=None):
    """A parameter, with respect to which to ask for a gradient is an error."""
    variable = pt.as_tensor_variable(parameter)
    if isinstance(variable, Constant):
        return pt.constant(np.asarray(variable.data, dtype))
    return undefined_grad(variable if dtype is None else pt.cast(variable, dtype))


def _check_size(size):
    if isinstance(size, Variable) and size.type.ndim == 1:
        return
    if not isinstance(size, tuple) or not all(
        isinstance(n, int | np.integer | Variable) for n in size
    ):
        raise TypeError(
            f"size is {size!r}; it must be a tuple of integers and scalar variables, "
            "or a vector variable"
        )
    _check_positive(size)


def _check_positive(size):
    if any(not isinstance(n, Variable) and n <= 0 for n in size):
        raise ValueError(f"size is {size}; its numbers must be positive")


def _size_vector(size):
    """A size in any of the forms :meth:`MRG_RandomStreams.normal` takes, as vector."""
    if isinstance(size, Variable) and size.type.ndim == 1:
        return size
    entries = size if isinstance(size, tuple | list) else [size]
    if not all(
        n.type.ndim == 0 if isinstance(n, Variable) else isinstance(n, int | np.integer)
        for n in entries
    ):
        raise ValueError(
            f"size is {size!r}; it must be an integer, a sequence of integers and "
            "scalar variables, or a vector variable"
        )
    _check_positive(entries)
    if not any(isinstance(n, Variable) for n in entries):
        return pt.constant(np.asarray(entries, "int64"))
    return pt.stack(entries)


def _multiply_add(numbers, factor, term):
    if _is_constant(factor, 1) and _is_constant(term, 0):
        return numbers
    return _in_c(MultiplyAdd(), numbers, factor, term)


def _difference(high, low):
    if isinstance(high, Constant) and isinstance(low, Constant):
        return pt.constant(high.data - low.data)
    return high - low


def _in_c(op, *numbers):
    """By an Op for float32 and float64; Theano computed float16 in float32."""
    if numbers[0].type.dtype != "float16":
        return op(*numbers)
    return pt.cast(op(*(pt.cast(n, "float32") for n in numbers)), "float16")


def _is_constant(variable, number):
    return isinstance(variable, Constant) and np.array_equal(variable.data, number)


def _radii(uniforms):
    return pt.sqrt(-2.0 * _in_c(CFunction("log"), uniforms))
