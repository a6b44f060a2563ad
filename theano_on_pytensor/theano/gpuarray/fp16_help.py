"""Fragments of CUDA code that convert float16."""

__all__ = ["load_w", "work_dtype", "write_w"]


def work_dtype(dtype):
    """The dtype in which values of ``dtype`` are computed."""
    return "float32" if dtype == "float16" else dtype


def load_w(dtype):
    """The CUDA function that reads a value of ``dtype`` to compute with it."""
    return "ga_half2float" if dtype == "float16" else ""


def write_w(dtype):
    """The CUDA function that writes a computed value as ``dtype``."""
    return "ga_float2half" if dtype == "float16" else ""
