"""The windows of images as a tensor, and convolution made of them."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pytensor.compile.mode import Mode
from pytensor.gradient import verify_grad

from pytensor_nnet import conv2d
from pytensor_nnet.ops.local_conv import local_conv2d
from pytensor_nnet.ops.windows import Windows2d, Windows2dGrad, windows_2d

FAST = Mode("py", "fast_compile")
FULL = Mode("py", "fast_run").excluding("fusion")
RNG = np.random.default_rng(0)


def windows_by_place(images, size, pads, steps, gaps):
    padded = np.pad(images, [(0, 0), (0, 0), *pads])
    counts = [
        (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip(padded.shape[2:], size, steps, gaps, strict=True)
    ]
    out = np.zeros((*images.shape[:2], *size, *counts))
    for i, j, r, c in np.ndindex(*size, *counts):
        row, column = r * steps[0] + i * gaps[0], c * steps[1] + j * gaps[1]
        out[:, :, i, j, r, c] = padded[:, :, row, column]
    return out


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
pad = st.tuples(st.integers(0, 2), st.integers(0, 2))


@settings(max_examples=60, deadline=None)
@given(st.tuples(st.integers(1, 6), st.integers(1, 6)), pairs, pad, pad, pairs, pairs)
def test_windows_their_gradient_and_their_shapes(
    size, window, rows, columns, steps, gaps
):
    spans = [
        n + sum(p) - (k - 1) * d
        for n, k, p, d in zip(size, window, (rows, columns), gaps, strict=True)
    ]
    assume(min(spans) >= 1)
    images = RNG.standard_normal((2, 1, *size))
    expected = windows_by_place(images, window, (rows, columns), steps, gaps)
    x = pt.dtensor4("x")
    out = windows_2d(x, window, (rows, columns), steps, gaps)
    weights = RNG.standard_normal(expected.shape)
    gradient = pytensor.grad((out * weights).sum(), x)
    f = pytensor.function([x], [out, gradient, out.shape, gradient.shape], mode=FULL)
    value, by_images, shape, gradient_shape = f(images)
    assert np.array_equal(value, expected)
    assert tuple(shape) == expected.shape
    assert tuple(gradient_shape) == images.shape
    # The adjoint: <windows(x), w> = <x, gradient>.
    np.testing.assert_allclose(
        (expected * weights).sum(), (images * by_images).sum(), rtol=1e-9, atol=1e-9
    )
    static = pt.tensor(dtype="float64", shape=images.shape)
    told = windows_2d(static, window, (rows, columns), steps, gaps).type.shape
    assert told == expected.shape


def test_shapes_are_inferred_without_the_windows():
    x, size = pt.dtensor4("x"), pt.lvector("size")
    out = windows_2d(x, size, "half").shape
    f = pytensor.function([x, size], out, mode=FULL)
    assert not any(
        isinstance(node.op, Windows2d | Windows2dGrad)
        for node in f.maker.fgraph.apply_nodes
    )
    assert f(np.zeros((2, 3, 5, 6)), [3, 2]).tolist() == [2, 3, 3, 2, 5, 6 + 2 - 1]


def test_gradients_of_both_orders_against_finite_differences():
    images = RNG.standard_normal((1, 2, 4, 5))
    for function in (
        lambda x: windows_2d(x, (2, 3), "half", (2, 1)),
        lambda x: pytensor.grad((windows_2d(x, (2, 3), "half", (2, 1)) ** 3).sum(), x),
    ):
        verify_grad(function, [images], rng=np.random.default_rng(1), mode=FAST)


def test_windows_that_do_not_fit_the_images():
    with pytest.raises(ValueError, match="no output"):
        windows_2d(np.zeros((1, 1, 2, 2)), (3, 3)).eval(mode=FAST)
    gradient = Windows2dGrad()(np.zeros((1, 1, 2, 2, 3, 3)), [5, 5])
    with pytest.raises(ValueError, match="images of 5 x 5, which have 4 x 4"):
        gradient.eval(mode=FAST)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("flip", [True, False])
def test_local_convolution_is_a_convolution_a_position(groups, flip):
    images = RNG.standard_normal((3, 4, 5, 6))
    out_size = ((5 + 2 - 3) // 2 + 1, 6 + 2 - 2 + 1)
    filters = RNG.standard_normal((6, *out_size, 4 // groups, 3, 2))
    options = {
        "border_mode": (1, 1),
        "subsample": (2, 1),
        "filter_flip": flip,
        "num_groups": groups,
    }
    x, w = pt.dtensor4("x"), pt.TensorType("float64", shape=(None,) * 6)("w")
    out = pytensor.function([x, w], local_conv2d(x, w, **options), mode=FULL)(
        images, filters
    )
    assert out.shape == (3, 6, *out_size)
    for row, column in np.ndindex(*out_size):
        shared = conv2d(images, filters[:, row, column], **options).eval(mode=FAST)
        np.testing.assert_allclose(
            out[:, :, row, column], shared[:, :, row, column], rtol=1e-10
        )


def test_gradient_of_local_convolution():
    verify_grad(
        lambda x, w: local_conv2d(x, w, "half"),
        [RNG.standard_normal((2, 1, 2, 3)), RNG.standard_normal((2, 2, 3, 1, 1, 1))],
        rng=np.random.default_rng(1),
        mode=FAST,
    )
