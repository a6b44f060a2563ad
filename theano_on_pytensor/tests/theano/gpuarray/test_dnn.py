"""What stands in for a GPU, and when it says that it is there."""

import os
import subprocess
import sys

import numpy as np
import pytest

import theano.gpuarray
import theano.sandbox.cuda
import theano.tensor as T
from theano.sandbox.cuda import dnn
from theano.sandbox.cuda.basic_ops import gpu_alloc_empty, gpu_contiguous

RNG = np.random.default_rng(0)
IMAGES, FILTERS = RNG.standard_normal((2, 3, 6, 6)), RNG.standard_normal((4, 3, 3, 3))


@pytest.mark.parametrize(("device", "there"), [("cpu", "False"), ("gpu0", "True")])
def test_a_gpu_is_there_where_one_was_asked_for(device, there):
    code = (
        "import theano.sandbox.cuda as c, theano.gpuarray as g\n"
        "print(c.cuda_enabled, c.dnn.dnn_available(), g.pygpu_activated,"
        " g.dnn.dnn_present())\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, "THEANO_FLAGS": f"device={device}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.split() == [there] * 4


@pytest.mark.parametrize("conv_mode", ["conv", "cross"])
def test_convolution_and_its_gradients(conv_mode):
    options = {"border_mode": (1, 1), "subsample": (2, 2)}
    flip = conv_mode == "conv"
    x, w = T.constant(IMAGES), T.constant(FILTERS)
    out = dnn.dnn_conv(x, w, conv_mode=conv_mode, **options)
    expected = T.nnet.conv2d(x, w, filter_flip=flip, **options)
    np.testing.assert_allclose(out.eval(), expected.eval(), rtol=1e-12)
    given = T.constant(RNG.standard_normal(out.eval().shape))
    to_x, to_w = (g.eval() for g in T.grad((expected * given).sum(), [x, w]))
    desc = dnn.GpuDnnConvDesc(conv_mode=conv_mode, **options)(x.shape, w.shape)
    by_images = dnn.GpuDnnConvGradI()(w, given, gpu_alloc_empty(2, 3, 6, 6), desc)
    np.testing.assert_allclose(by_images.eval(), to_x, rtol=1e-10)
    by_filters = dnn.GpuDnnConvGradW()(x, given, gpu_alloc_empty(4, 3, 3, 3), desc)
    np.testing.assert_allclose(by_filters.eval(), to_w, rtol=1e-10)


def test_pool_and_softmax_and_correlation():
    x = T.constant(IMAGES)
    pooled = dnn.dnn_pool(x, (2, 2), (2, 2)).eval()
    expected = IMAGES.reshape(2, 3, 3, 2, 3, 2).max((3, 5))
    assert np.array_equal(pooled, expected)
    probs = dnn.GpuDnnSoftmax("accurate", "channel")(x).eval()
    e = np.exp(IMAGES)
    np.testing.assert_allclose(probs, e / e.sum(1, keepdims=True), rtol=1e-10)
    correlated = theano.gpuarray.blas.GpuCorrMM()(
        gpu_contiguous(x), T.constant(FILTERS)
    )
    expected = T.nnet.conv2d(x, T.constant(FILTERS), filter_flip=False)
    np.testing.assert_allclose(correlated.eval(), expected.eval(), rtol=1e-12)


def test_what_needs_a_gpu_says_what_to_use_instead():
    for made in (
        lambda: theano.sandbox.cuda.CudaNdarrayType((False,)),
        lambda: theano.gpuarray.GpuArrayType("float32", (False,)),
        lambda: type("Mine", (theano.sandbox.cuda.GpuOp,), {})(),
    ):
        with pytest.raises(NotImplementedError, match="use tensors, and an Op"):
            made()
    assert not isinstance(T.matrix().type, theano.gpuarray.GpuArrayType)
    with pytest.warns(UserWarning, match="gpu1 was asked for"):
        theano.sandbox.cuda.use("gpu1")
