"""The logarithm of a softmax at one class a row, and its gradient, in NumPy."""

from typing import Any

import numpy as np

__all__ = ["softmax_log_likelihood", "softmax_log_likelihood_gradient"]

Array = np.ndarray[Any, Any]


def softmax_log_likelihood(scores: Array, classes: Array) -> tuple[Array, Array]:
    """``log(softmax(scores))[i, classes[i]]`` for each class, and the softmax.

    Parameters
    ----------
    scores : array of shape (rows, classes)
    classes : array of int of shape (n,)
        ``n`` is at most ``rows``. Raises ``IndexError`` otherwise, and for a class
        that there is not.
    """
    shifted = scores - scores.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=1, keepdims=True)
    chosen = shifted[np.arange(len(classes)), classes]
    exponentials /= total
    return chosen - np.log(total[: len(classes), 0]), exponentials


def softmax_log_likelihood_gradient(
    softmax: Array, classes: Array, output_gradient: Array
) -> Array:
    """The gradient with respect to the scores.

    ``output_gradient`` is ``(n,)``, one number a class.
    """
    gradient = np.zeros_like(softmax)
    given = gradient[: len(classes)]
    np.multiply(softmax[: len(classes)], -output_gradient[:, None], out=given)
    given[np.arange(len(classes)), classes] += output_gradient
    return gradient
