"""The gradient of a bias where no layer has it: a sum over all axes but one."""

from typing import Any

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.tensor.math import Sum

from pytensor_nnet.kernels.llvm.column_sums import add_column_sums
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.ops.launching import Launching

__all__ = ["CompiledSum"]


class CompiledSum(Launching):
    """A sum of float32 or float64 over all axes but the second, compiled.

    Where the numbers to add do not lie as columns do, side by side with those of the
    other sums, it is PyTensor's own.

    Parameters
    ----------
    op : Sum
        What it computes.
    """

    __props__ = ("op",)

    def __init__(self, op: Sum):
        self.op = op

    def make_node(self, array: Any) -> Apply:
        node = self.op.make_node(array)
        return Apply(self, node.inputs, [out.type() for out in node.outputs])

    def launch(self, node, inputs):
        (array,) = inputs
        last = np.moveaxis(array, 1, -1)
        if not array.size or not last.flags.c_contiguous:
            return None
        launch = Launch()
        matrix = last.reshape(-1, array.shape[1])
        launch.outputs = [add_column_sums(launch, matrix)]
        return launch

    def without_kernels(self, node, inputs, storage):
        self.op.perform(node, inputs, storage)

    def infer_shape(self, *arguments):
        return [(arguments[-1][0][1],)]
