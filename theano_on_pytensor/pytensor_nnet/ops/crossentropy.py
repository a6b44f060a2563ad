"""The softmax's log-likelihood of one class a row, in one Op each way.

:mod:`pytensor_nnet.rewrites.fusion_crossentropy` puts these Ops in the place of the
plain ones.
"""

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from pytensor_nnet.kernels.llvm.crossentropy import (
    softmax_log_likelihood,
    softmax_log_likelihood_gradient,
)

__all__ = ["SoftmaxLogLikelihood", "SoftmaxLogLikelihoodGrad"]


class SoftmaxLogLikelihood(Op):
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

    def perform(self, node, inputs, output_storage):
        results = softmax_log_likelihood(*map(np.asarray, inputs))
        for storage, value in zip(output_storage, results, strict=False):
            storage[0] = value

    def infer_shape(self, *arguments):
        scores, classes = arguments[-1]
        return [classes, scores, ()] if self.sums else [classes, scores]


class SoftmaxLogLikelihoodGrad(Op):
    """The gradient of :class:`SoftmaxLogLikelihood` with respect to the scores.

    Called with the softmax, the classes, and the gradient of the first output: a
    vector or, where it is the same for all classes, a single number.
    """

    __props__ = ()

    def make_node(self, softmax, classes, gradient):
        return Apply(self, [softmax, classes, gradient], [softmax.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = softmax_log_likelihood_gradient(*map(np.asarray, inputs))

    def infer_shape(self, *arguments):
        return [arguments[-1][0]]
