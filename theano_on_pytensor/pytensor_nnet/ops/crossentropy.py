"""The softmax's log-likelihood of one class a row, in one Op each way.

:mod:`pytensor_nnet.rewrites.fusion_crossentropy` puts these Ops in the place of the
plain ones.
"""

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.tensor.type import TensorType

from pytensor_nnet.kernels import crossentropy as plain
from pytensor_nnet.kernels.llvm.crossentropy import (
    add_softmax_log_likelihood,
    add_softmax_log_likelihood_gradient,
    is_served,
)
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.ops.launching import Launching

__all__ = ["SoftmaxLogLikelihood", "SoftmaxLogLikelihoodGrad"]


class SoftmaxLogLikelihood(Launching):
    """``log(softmax(scores))[i, classes[i]]`` for each class, and the softmax.

    Called with scores ``(rows, classes)`` and a vector of integers. With ``sums``
    there is a third output, the sum of the first, in which float64 is added up.
    """

    __props__ = ("sums",)

    def __init__(self, sums: bool = False):
        self.sums = sums

    def make_node(self, scores, classes):
        dtype = scores.type.dtype
        outputs = [TensorType(dtype, shape=classes.type.shape)(), scores.type()]
        if self.sums:
            outputs.append(TensorType(dtype, shape=())())
        return Apply(self, [scores, classes], outputs)

    def launch(self, node, inputs):
        if not is_served(*inputs):
            return None
        launch = Launch()
        results = add_softmax_log_likelihood(launch, *inputs)
        launch.outputs = list(results[: len(node.outputs)])
        return launch

    def without_kernels(self, node, inputs, storage):
        likelihood, softmax = plain.softmax_log_likelihood(*inputs)
        total = np.asarray(likelihood.sum(dtype=np.float64), likelihood.dtype)
        for cell, value in zip(storage, (likelihood, softmax, total), strict=False):
            cell[0] = value

    def infer_shape(self, *arguments):
        scores, classes = arguments[-1]
        return [classes, scores, ()] if self.sums else [classes, scores]


class SoftmaxLogLikelihoodGrad(Launching):
    """The gradient of :class:`SoftmaxLogLikelihood` with respect to the scores.

    Called with the softmax, the classes, and the gradient of the first output: a
    vector or, where it is the same for all classes, a single number.
    """

    __props__ = ()

    def make_node(self, softmax, classes, gradient):
        return Apply(self, [softmax, classes, gradient], [softmax.type()])

    def launch(self, node, inputs):
        if not is_served(*inputs[:2]):
            return None
        launch = Launch()
        launch.outputs = [add_softmax_log_likelihood_gradient(launch, *inputs)]
        return launch

    def without_kernels(self, node, inputs, storage):
        softmax, classes, given = inputs
        if given.ndim == 0:
            given = np.broadcast_to(given, classes.shape)
        gradient = plain.softmax_log_likelihood_gradient(softmax, classes, given)
        storage[0][0] = gradient

    def infer_shape(self, *arguments):
        return [arguments[-1][0]]
