"""PyCUDA, which is not there: ``pycuda_available`` says so, as on any machine without
a GPU.
"""

__all__ = ["pycuda_available", "set_gpu_from_theano"]

pycuda_available = False


def set_gpu_from_theano():
    """Refused: there is no GPU to set."""
    raise RuntimeError(
        "PyCUDA needs a GPU, and Theano on PyTensor runs on the CPU; write the kernel "
        "with NumPy, in the method perform of a theano.Op"
    )
