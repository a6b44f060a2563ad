"""Softmax, cross-entropies and the nonlinearities that have no module of their own."""

import pytensor.tensor as pt
from pytensor.tensor.special import log_softmax as _log_softmax
from pytensor.tensor.special import softmax as _softmax

from theano.tensor.nnet.sigm import softplus

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "confusion_matrix",
    "crossentropy_categorical_1hot",
    "crossentropy_softmax_1hot",
    "crossentropy_softmax_1hot_with_bias",
    "crossentropy_softmax_argmax_1hot_with_bias",
    "crossentropy_softmax_max_and_argmax_1hot",
    "crossentropy_softmax_max_and_argmax_1hot_with_bias",
    "elu",
    "h_softmax",
    "logsoftmax",
    "prepend_0_to_each_row",
    "prepend_1_to_each_row",
    "prepend_scalar_to_each_row",
    "relu",
    "selu",
    "sigmoid_binary_crossentropy",
    "softmax",
    "softmax_graph",
    "softmax_with_bias",
    "softsign",
]


def _as_rows(x):
    """``x`` as a matrix: a vector is its only row.

    Raises
    ------
    ValueError
        If ``x`` has neither one dimension nor two.
    """
    x = pt.as_tensor_variable(x)
    if x.type.ndim not in (1, 2) or not x.type.dtype.startswith("float"):
        raise ValueError(
            f"x must be a vector or a matrix of floats, got {x.type}; reshape it to "
            "(rows, classes) first"
        )
    return x.dimshuffle("x", 0) if x.type.ndim == 1 else x


def softmax(c):
    """``exp(c)`` over its sum along each row, ``(rows, classes)``.

    A vector counts as one row, and the result is a matrix.
    """
    return _softmax(_as_rows(c), axis=-1)


def softmax_graph(c):
    """:func:`softmax`; Theano made it of elementary Ops under this name."""
    return softmax(c)


def softmax_with_bias(x, b):
    """``softmax(x + b)``, ``x`` of shape (rows, classes), ``b`` of (classes,)."""
    return softmax(pt.as_tensor_variable(x) + b)


def logsoftmax(c):
    """The logarithm of :func:`softmax`, without its underflow."""
    return _log_softmax(_as_rows(c), axis=-1)


def h_softmax(
    x,
    batch_size,
    n_outputs,
    n_classes,
    n_outputs_per_class,
    W1,
    b1,
    W2,
    b2,
    target=None,
):
    """Two-level hierarchical softmax (Goodman, 2001).

    Parameters
    ----------
    x : tensor of shape (batch_size, features)
    batch_size : int or scalar variable
    n_outputs, n_classes, n_outputs_per_class : int
        ``n_classes * n_outputs_per_class`` must be at least ``n_outputs``.
    W1 : tensor of shape (features, n_classes)
    b1 : tensor of shape (n_classes,)
    W2 : tensor of shape (n_classes, features, n_outputs_per_class)
    b2 : tensor of shape (n_classes, n_outputs_per_class)
    target : tensor of shape (batch_size,) or (batch_size, 1), optional
        The outputs whose probabilities are asked for.

    Returns
    -------
    tensor
        With ``target`` the probability of each, ``(batch_size,)``; without it
        those of all outputs, ``(batch_size, n_outputs)``.
    """
    class_probs = softmax(pt.dot(x, W1) + b1)
    if target is None:
        scores = pt.tensordot(x, W2, axes=[[1], [1]]) + b2
        within = softmax(scores.reshape((-1, n_outputs_per_class)))
        within = within.reshape((batch_size, n_classes, n_outputs_per_class))
        probs = class_probs.dimshuffle(0, 1, "x") * within
        return probs.reshape((batch_size, -1))[:, :n_outputs]
    target = pt.as_tensor_variable(target).flatten()
    target_class = target // n_outputs_per_class
    target_within = target % n_outputs_per_class
    scores = pt.sum(x.dimshuffle(0, 1, "x") * W2[target_class], axis=1)
    within = softmax(scores + b2[target_class])
    rows = pt.arange(batch_size)
    return class_probs[rows, target_class] * within[rows, target_within]


def crossentropy_categorical_1hot(coding_dist, true_one_of_n):
    """``-log(coding_dist[i, true_one_of_n[i]])`` for each row ``i``.

    Parameters
    ----------
    coding_dist : tensor of floats of shape (rows, classes)
    true_one_of_n : tensor of integers of shape (rows,)

    Raises
    ------
    TypeError
        If either has another rank or dtype.
    """
    coding_dist = pt.as_tensor_variable(coding_dist)
    true_one_of_n = pt.as_tensor_variable(true_one_of_n)
    if coding_dist.type.ndim != 2 or not coding_dist.type.dtype.startswith("float"):
        raise TypeError(
            f"coding_dist must be a matrix of floats (rows, classes), got "
            f"{coding_dist.type}"
        )
    if true_one_of_n.type.ndim != 1 or "int" not in true_one_of_n.type.dtype:
        raise TypeError(
            f"true_one_of_n must be a vector of integers, one class a row, got "
            f"{true_one_of_n.type}"
        )
    rows = pt.arange(true_one_of_n.shape[0])
    # The logarithm first: of a softmax it is then computed without underflow.
    return -pt.log(coding_dist)[rows, true_one_of_n]


def categorical_crossentropy(coding_dist, true_dist):
    """The cross-entropy of each row of ``coding_dist`` under ``true_dist``.

    Parameters
    ----------
    coding_dist : tensor of shape (rows, classes)
        Each row sums to 1.
    true_dist : tensor of shape (rows, classes), or of integers of shape (rows,)
        The true distribution, or the true class.

    Returns
    -------
    tensor of shape (rows,)

    Raises
    ------
    TypeError
        If ``true_dist`` has neither as many dimensions as ``coding_dist`` nor one
        less.
    """
    coding_dist = pt.as_tensor_variable(coding_dist)
    true_dist = pt.as_tensor_variable(true_dist)
    if true_dist.type.ndim == coding_dist.type.ndim:
        return -pt.sum(true_dist * pt.log(coding_dist), axis=coding_dist.type.ndim - 1)
    if true_dist.type.ndim == coding_dist.type.ndim - 1:
        return crossentropy_categorical_1hot(coding_dist, true_dist)
    raise TypeError(
        f"coding_dist has {coding_dist.type.ndim} dimensions, so true_dist must have "
        f"as many or one less; it has {true_dist.type.ndim}"
    )


def crossentropy_softmax_max_and_argmax_1hot_with_bias(x, b, y_idx, **kwargs):
    """``-log(softmax(x + b))`` at ``y_idx``, the softmax, its maxima, their places."""
    scores = pt.as_tensor_variable(x) + b
    probs = softmax(scores)
    losses = crossentropy_categorical_1hot(probs, y_idx)
    return losses, probs, pt.max(probs, axis=-1), pt.argmax(probs, axis=-1)


def crossentropy_softmax_max_and_argmax_1hot(x, y_idx, **kwargs):
    """The same without a bias."""
    return crossentropy_softmax_max_and_argmax_1hot_with_bias(x, 0, y_idx)


def crossentropy_softmax_argmax_1hot_with_bias(x, b, y_idx):
    """``-log(softmax(x + b))`` at ``y_idx``, the softmax, the places of its maxima."""
    losses, probs, _, best = crossentropy_softmax_max_and_argmax_1hot_with_bias(
        x, b, y_idx
    )
    return losses, probs, best


def crossentropy_softmax_1hot_with_bias(x, b, y_idx, **kwargs):
    """``-log(softmax(x + b))`` at ``y_idx``, and the softmax."""
    losses, probs, _, _ = crossentropy_softmax_max_and_argmax_1hot_with_bias(
        x, b, y_idx
    )
    return losses, probs


def crossentropy_softmax_1hot(x, y_idx, **kwargs):
    """The same without a bias."""
    return crossentropy_softmax_1hot_with_bias(x, 0, y_idx)


def binary_crossentropy(output, target):
    """``-(target*log(output) + (1 - target)*log(1 - output))``, element by element."""
    return -(target * pt.log(output) + (1.0 - target) * pt.log(1.0 - output))


def sigmoid_binary_crossentropy(output, target):
    """:func:`binary_crossentropy` of ``sigmoid(output)``, without its overflow."""
    return (1 - target) * softplus(output) + target * softplus(-output)


def relu(x, alpha=0):
    """``x`` where it is positive, ``alpha * x`` elsewhere.

    Written as ``(1 + alpha)/2 * x + (1 - alpha)/2 * |x|``, as Theano did: at zero
    the gradient is the mean of both slopes.
    """
    if isinstance(alpha, int | float) and alpha == 0:
        return 0.5 * (x + abs(x))
    # No cast: a Python float must not raise the dtype of x.
    alpha = pt.as_tensor_variable(alpha)
    return 0.5 * (1 + alpha) * x + 0.5 * (1 - alpha) * abs(x)


def elu(x, alpha=1):
    """``x`` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere.

    Clevert, Unterthiner and Hochreiter, 2015, https://arxiv.org/abs/1511.07289.
    """
    return pt.switch(x > 0, x, alpha * pt.expm1(x))


def selu(x):
    """``scale * elu(x, alpha)`` with the constants that keep mean 0 and variance 1.

    Klambauer et al., 2017, https://arxiv.org/abs/1706.02515.
    """
    alpha = 1.6732632423543772848170429916717
    scale = 1.0507009873554804934193349852946
    return scale * elu(x, alpha)


def softsign(x):
    """``x / (1 + |x|)``."""
    return x / (1.0 + abs(x))


def confusion_matrix(actual, pred):
    """How often class ``order[i]`` was taken for ``order[j]``.

    Parameters
    ----------
    actual, pred : tensors of integers of shape (rows,)

    Returns
    -------
    list of two tensors
        The counts ``(classes, classes)``, int64, and ``order``, the classes of
        ``actual`` and ``pred`` in ascending order.
    """
    actual, pred = pt.as_tensor_variable(actual), pt.as_tensor_variable(pred)
    for name, variable in (("actual", actual), ("pred", pred)):
        if variable.type.ndim != 1:
            raise ValueError(f"{name} must be a vector, got {variable.type}")
    order = pt.extra_ops.Unique(False, False, False)(pt.concatenate([actual, pred]))
    truth = pt.eq(order.dimshuffle(0, "x"), actual.dimshuffle("x", 0)).astype("int64")
    guess = pt.eq(pred.dimshuffle(0, "x"), order.dimshuffle("x", 0)).astype("int64")
    return [pt.dot(truth, guess), order]


def prepend_scalar_to_each_row(val, mat):
    """The matrix ``mat`` with one more column before its first, filled with ``val``."""
    mat = pt.as_tensor_variable(mat)
    column = pt.cast(pt.alloc(val, mat.shape[0], 1), mat.type.dtype)
    return pt.concatenate([column, mat], axis=1)


def prepend_0_to_each_row(mat):
    """``mat`` with a column of zeros before its first."""
    return prepend_scalar_to_each_row(0.0, mat)


def prepend_1_to_each_row(mat):
    """``mat`` with a column of ones before its first."""
    return prepend_scalar_to_each_row(1.0, mat)
