"""``MonitorMode``: calls functions before and after every node."""

import numpy as np
from pytensor.link.basic import PerformLinker, WrapLinkerMany

from theano.compile.mode import Mode

__all__ = ["MonitorMode", "detect_nan"]


class MonitorMode(Mode):
    """Run a function node by node, and look at each.

    Parameters
    ----------
    pre_func, post_func : callable, optional
        Called before and after a node with its position, the node, and the function
        that runs it, whose ``inputs`` and ``outputs`` are lists of one-element lists
        of values.
    optimizer : str or query, optional
        As for :class:`theano.compile.mode.Mode`.
    linker
        Only ``None``: the mode has its own.
    """

    def __init__(self, pre_func=None, post_func=None, optimizer="default", linker=None):
        if linker is not None:
            raise Exception("MonitorMode has its own linker; give none")
        self.pre_func, self.post_func = pre_func, post_func
        super().__init__(
            WrapLinkerMany([PerformLinker()], [self._run]), optimizer=optimizer
        )

    def _run(self, fgraph, position, node, run):
        if self.pre_func is not None:
            self.pre_func(position, node, run)
        run()
        if self.post_func is not None:
            self.post_func(position, node, run)

    def clone(self, link_kwargs=None, optimizer="", **kwargs):
        """The same with another optimizer."""
        return type(self)(
            self.pre_func, self.post_func, optimizer or self.provided_optimizer
        )


def detect_nan(i, node, fn):
    """A ``post_func``: ValueError, with the inputs, where a node gives a NaN."""
    for (value,) in fn.outputs:
        if isinstance(value, np.ndarray) and np.isnan(value).any():
            values = [storage[0] for storage in fn.inputs]
            raise ValueError(f"NaN at node {i}, {node}, whose inputs are {values}")
