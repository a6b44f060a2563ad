"""The softmax's log-likelihood of one class a row, in one Op each way.

:mod:`pytensor_nnet.rewrites.fusion_crossentropy` puts these Ops in the place of the
plain ones.
"""

from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from pytensor_nnet.kernels.crossentropy import (
    softmax_log_likelihood,
    softmax_log_likelihood_gradient,
)

__all__ = ["SoftmaxLogLikelihood", "SoftmaxLogLikelihoodGrad"]


class SoftmaxLogLikelihood(Op):
    """``log(softmax(scores))[i, classes[i]]`` for each class, and the softmax.

    Called with scores ``(rows, classes)`` and a vector of integers.
    """

    __props__ = ()

    def make_node(self, scores, classes):
        dtype = scores.type.dtype
        return Apply(
            self,
            [scores, classes],
            [TensorType(dtype, shape=classes.type.shape)(), scores.type()],
        )

    def perform(self, node, inputs, output_storage):
        output_storage[0][0], output_storage[1][0] = softmax_log_likelihood(*inputs)

    def infer_shape(self, *arguments):
        scores, classes = arguments[-1]
        return [classes, scores]


class SoftmaxLogLikelihoodGrad(Op):
    """The gradient of :class:`SoftmaxLogLikelihood` with respect to the scores.

    Called with the softmax, the classes, and the gradient of the first output.
    """

    __props__ = ()

    def make_node(self, softmax, classes, gradient):
        return Apply(self, [softmax, classes, gradient], [softmax.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = softmax_log_likelihood_gradient(*inputs)

    def infer_shape(self, *arguments):
        return [arguments[-1][0]]
