"""Convolution of signals, against SciPy's."""

import numpy as np
import pytest
from scipy.signal import convolve2d

import theano.tensor as T
from theano.tensor.signal.conv import conv2d

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("mode", ["valid", "full"])
@pytest.mark.parametrize("images", [(), (2,)])
@pytest.mark.parametrize("filters", [(), (3,)])
def test_one_or_several_images_and_filters(images, filters, mode):
    x = RNG.standard_normal((*images, 6, 7))
    w = RNG.standard_normal((*filters, 3, 2))
    out = conv2d(T.constant(x), T.constant(w), border_mode=mode).eval()
    expected = [
        [convolve2d(image, kernel, mode) for kernel in w.reshape(-1, 3, 2)]
        for image in x.reshape(-1, 6, 7)
    ]
    expected = np.array(expected)
    np.testing.assert_allclose(
        out, expected.reshape(*images, *filters, *expected.shape[2:]), rtol=1e-10
    )


def test_shapes_and_steps():
    x, w = RNG.standard_normal((2, 6, 7)), RNG.standard_normal((3, 2))
    out = conv2d(
        T.constant(x),
        T.constant(w),
        image_shape=(2, 6, 7),
        filter_shape=(3, 2),
        subsample=(2, 3),
    )
    expected = [convolve2d(image, w, "valid")[::2, ::3] for image in x]
    np.testing.assert_allclose(out.eval(), expected, rtol=1e-10)


def test_other_ranks_are_refused():
    with pytest.raises(ValueError, match="input must have 2 or 3 dimensions"):
        conv2d(T.dtensor4(), T.dmatrix())
    with pytest.raises(ValueError, match="filters must have 2 or 3 dimensions"):
        conv2d(T.dmatrix(), T.dvector())
