"""The type of arrays on a GPU, which no variable has here, and whether a GPU was
asked for.
"""

import warnings

from theano.configdefaults import config
from theano.gof.type import Type

__all__ = [
    "ContextNotDefined",
    "GpuArrayType",
    "NeedsGpu",
    "get_context",
    "gpu_asked_for",
    "gpu_context_type",
    "use",
]

gpu_asked_for = config.device.startswith(("gpu", "cuda"))
"""Whether ``device`` names a GPU: then the CPU stands in for it."""

gpu_context_type = None


class NeedsGpu:
    """The base of what cannot be served: it is there to be named, subclassed and
    asked ``isinstance`` of, and says why not when it is made.
    """

    def __new__(cls, *args, **kwargs):
        raise NotImplementedError(
            f"{cls.__name__} works with CUDA code or arrays on a GPU, and Theano on "
            "PyTensor runs on the CPU: use tensors, and an Op with a perform"
        )


class GpuArrayType(NeedsGpu, Type):
    """The type of arrays on a GPU; :class:`theano.tensor.TensorType` serves."""


class ContextNotDefined(ValueError):
    """A GPU that is not there."""


def get_context(name):
    """There is none to get: raises :class:`ContextNotDefined`."""
    raise ContextNotDefined(
        f"there is no GPU {name!r}: Theano on PyTensor runs on the CPU"
    )


def use(device, *args, **kwargs):
    """Warn that the CPU goes on, unless ``device`` is it."""
    if not str(device).startswith("cpu"):
        warnings.warn(
            f"{device} was asked for, but Theano on PyTensor runs on the CPU; it goes "
            "on with the CPU",
            stacklevel=2,
        )
