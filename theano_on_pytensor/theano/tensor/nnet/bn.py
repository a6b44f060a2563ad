"""Batch normalization: Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167."""

import pytensor.tensor as pt
from pytensor.gradient import zero_grad

__all__ = [
    "batch_normalization",
    "batch_normalization_test",
    "batch_normalization_train",
]


def batch_normalization(inputs, gamma, beta, mean, std, mode="low_mem"):
    """``(inputs - mean) * gamma / std + beta``, all given.

    ``mode`` chose between two ways to compute it and is ignored.
    """
    return (inputs - mean) * (gamma / std) + beta


def batch_normalization_train(
    inputs,
    gamma,
    beta,
    axes="per-activation",
    epsilon=1e-4,
    running_average_factor=0.1,
    running_mean=None,
    running_var=None,
):
    """Normalize ``inputs`` by their own mean and variance.

    Parameters
    ----------
    inputs : tensor
    gamma, beta : tensor
        Scale and shift: of the dimensions of ``inputs`` without ``axes``, or of as
        many dimensions, those of ``axes`` 1.
    axes : {'per-activation', 'spatial'} or tuple of int
        What mean and variance are taken over: the batch; all but the second axis;
        or these.
    epsilon : float
        Added to the variance, at least 1e-5.
    running_average_factor : float
        The weight of this batch in the running averages.
    running_mean, running_var : tensor, optional
        What they were before; shapes as for ``gamma``.

    Returns
    -------
    tuple of tensors
        The normalized inputs, their mean, ``1 / sqrt(variance + epsilon)``, and with
        running averages these as they are now. The running variance takes the
        unbiased one. All but the first have the dimensions of ``gamma``. As in
        Theano a gradient flows through the first only.

    Raises
    ------
    ValueError
        For axes that ``inputs`` does not have, an ``epsilon`` too small, a parameter
        of another number of dimensions, or one running average without the other.
    """
    if (running_mean is None) != (running_var is None):
        raise ValueError("give running_mean and running_var, or neither")
    inputs = pt.as_tensor_variable(inputs)
    axes = _normalized(axes, inputs)
    as_given = pt.as_tensor_variable(gamma).type.ndim
    gamma, beta = (
        _with_axes(value, axes, inputs, name)
        for name, value in (("gamma", gamma), ("beta", beta))
    )
    _check_epsilon(epsilon)
    mean = pt.mean(inputs, axes, keepdims=True)
    variance = pt.var(inputs, axes, keepdims=True)
    inverse_std = pt.reciprocal(pt.sqrt(variance + _like(epsilon, inputs)))
    results = [(inputs - mean) * (gamma * inverse_std) + beta]
    mean, variance, inverse_std = map(zero_grad, (mean, variance, inverse_std))
    results += [mean, inverse_std]
    factor = _like(running_average_factor, inputs)
    if running_mean is not None:
        before = _with_axes(running_mean, axes, inputs, "running_mean")
        results.append(before * (1 - factor) + mean * factor)
    if running_var is not None:
        before = _with_axes(running_var, axes, inputs, "running_var")
        count = pt.prod([inputs.shape[axis] for axis in axes]).astype(inputs.dtype)
        unbiased = count / (count - 1) * variance
        results.append(before * (1 - factor) + unbiased * factor)
    if as_given != inputs.type.ndim:
        kept = [axis for axis in range(inputs.type.ndim) if axis not in axes]
        results[1:] = [result.dimshuffle(kept) for result in results[1:]]
    return tuple(results)


def batch_normalization_test(
    inputs, gamma, beta, mean, var, axes="per-activation", epsilon=1e-4
):
    """``(inputs - mean) * gamma / sqrt(var + epsilon) + beta``, all given.

    Parameters, and what is raised, are those of :func:`batch_normalization_train`.
    """
    inputs = pt.as_tensor_variable(inputs)
    axes = _normalized(axes, inputs)
    gamma, beta, mean, var = (
        _with_axes(value, axes, inputs, name)
        for name, value in (
            *(("gamma", gamma), ("beta", beta)),
            *(("mean", mean), ("var", var)),
        )
    )
    _check_epsilon(epsilon)
    std = pt.sqrt(var + _like(epsilon, inputs))
    return (inputs - mean) * (gamma / std) + beta


def _normalized(axes, inputs):
    """The axes as numbers."""
    ndim = inputs.type.ndim
    if axes == "per-activation":
        axes = (0,)
    elif axes == "spatial":
        axes = (0, *range(2, ndim))
    axes = tuple(int(axis) for axis in ([axes] if isinstance(axes, int) else axes))
    if not axes or not all(-ndim <= axis < ndim for axis in axes):
        raise ValueError(
            f"axes is {axes!r}; it must be 'per-activation', 'spatial', or some of the "
            f"{ndim} axes of {inputs}"
        )
    return tuple(sorted({axis % ndim for axis in axes}))


def _with_axes(parameter, axes, inputs, name):
    """A parameter that broadcasts over ``axes`` of ``inputs``."""
    parameter = pt.as_tensor_variable(parameter)
    ndim = inputs.type.ndim
    if parameter.type.ndim == ndim:
        unknown = [axis for axis in axes if not parameter.type.broadcastable[axis]]
        return pt.specify_broadcastable(parameter, *unknown)
    if parameter.type.ndim == ndim - len(axes):
        kept = iter(range(parameter.type.ndim))
        return parameter.dimshuffle(
            *("x" if axis in axes else next(kept) for axis in range(ndim))
        )
    raise ValueError(
        f"{name} has {parameter.type.ndim} dimensions; for inputs of {ndim} normalized "
        f"over the axes {axes} it needs {ndim - len(axes)}, or {ndim}"
    )


def _check_epsilon(epsilon):
    if isinstance(epsilon, int | float) and epsilon < 1e-5:
        raise ValueError(f"epsilon is {epsilon}; it must be at least 1e-5")


def _like(number, inputs):
    """A number in the dtype of ``inputs``."""
    return pt.as_tensor_variable(number).astype(inputs.type.dtype)
