"""The kernels are tested for several CPUs: this one, and what it can imitate.

Code for vectors of 64 bytes runs everywhere: LLVM makes several of each where the CPU
has smaller ones.
"""

from copy import copy

import pytest

from pytensor_nnet.kernels.llvm import (
    argmax,
    backward,
    column_sums,
    compiler,
    convolution,
    crossentropy,
    elementwise,
    forward,
    padding,
    panels,
    pooling,
    product,
    rearrangement,
    transposition,
    winograd,
)

NATIVE = compiler.host()
AVX2 = compiler.CPU("haswell", {"avx2": True, "fma": True}, "x86_64")
SSE2 = compiler.CPU("x86-64", {"sse2": True}, "x86_64")
NEON = compiler.CPU("generic", {"neon": True}, "aarch64")
AVX512 = compiler.CPU(
    "skylake-avx512",
    dict.fromkeys(("avx512f", "avx512vl", "avx512bw", "avx512dq", "avx2", "fma"), True),
    "x86_64",
)

_MODULES = (
    *(backward, column_sums, compiler, convolution, crossentropy),
    elementwise,
    *(forward, padding, panels, pooling, product, rearrangement),
    *(transposition, winograd),
)
_CACHES = (
    argmax._kernel,
    backward.backward_kernel,
    column_sums._kernel,
    convolution._backward_plan,
    convolution._forward_plan,
    crossentropy._backward_kernel,
    crossentropy._forward_kernel,
    elementwise.elementwise_kernel,
    elementwise.plan,
    forward.forward_kernel,
    product._differentiation,
    panels.product_kernel,
    product._plan,
    padding._kernel,
    pooling._kernel,
    rearrangement._addition,
    rearrangement._rearrangement,
    transposition._kernel,
    winograd.transformation_kernel,
    winograd.winograd_kernel,
)


def imitable():
    """CPUs whose code this one runs."""
    cpus = {"native": NATIVE}
    if NATIVE.vector_bytes == 64:
        cpus["avx2"] = AVX2
    else:
        cpus["64 bytes"] = wide = copy(NATIVE)
        wide.vector_bytes, wide.registers, wide.permutes = 64, 32, False
    if NATIVE.vector_bytes in (32, 64):
        cpus["sse2"] = SSE2
    return cpus


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Compiled code of the tests is not kept in the user's cache folder."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(folder))


@pytest.fixture(params=imitable().values(), ids=imitable())
def cpu(request, monkeypatch):
    """Kernels are generated and compiled for this CPU."""

    def clear():
        for cached in _CACHES:
            cached.cache_clear()

    clear()
    for module in _MODULES:
        monkeypatch.setattr(module, "host", lambda: request.param)
    yield request.param
    clear()
