"""Patches of images."""

import numpy as np
import pytest

import theano.tensor as T
from theano.tensor.nnet.neighbours import images2neibs, neibs2images

IMAGES = np.arange(2 * 1 * 4 * 6.0).reshape(2, 1, 4, 6)


def patches(images, shape, step):
    return [
        image[row : row + shape[0], column : column + shape[1]].ravel().tolist()
        for image in images.reshape(-1, *images.shape[2:])
        for row in range(0, image.shape[0] - shape[0] + 1, step[0])
        for column in range(0, image.shape[1] - shape[1] + 1, step[1])
    ]


def test_patches_and_back():
    out = images2neibs(T.constant(IMAGES), (2, 3))
    assert out.eval().tolist() == patches(IMAGES, (2, 3), (2, 3))
    back = neibs2images(out, (2, 3), IMAGES.shape)
    assert np.array_equal(back.eval(), IMAGES)


def test_other_modes():
    x = T.constant(IMAGES)
    out = images2neibs(x, (3, 4), (2, 1), mode="ignore_borders")
    assert out.eval().tolist() == patches(IMAGES, (3, 4), (2, 1))
    padded = np.pad(IMAGES, [(0, 0), (0, 0), (1, 1), (2, 2)])
    half = images2neibs(x, (3, 5), (1, 1), mode="half").eval()
    assert half.tolist() == patches(padded, (3, 5), (1, 1))
    wrapped = np.pad(IMAGES, [(0, 0), (0, 0), (1, 1), (1, 1)], mode="wrap")
    out = images2neibs(x, (3, 3), (1, 1), mode="wrap_centered").eval()
    assert out.tolist() == patches(wrapped, (3, 3), (1, 1))


def test_what_does_not_fit():
    with pytest.raises(AssertionError, match="ignore_borders"):
        images2neibs(T.constant(IMAGES), (3, 3)).eval()
    with pytest.raises(ValueError, match="odd sizes"):
        images2neibs(T.constant(IMAGES), (2, 2), mode="wrap_centered")
    with pytest.raises(ValueError, match="'other'"):
        images2neibs(T.constant(IMAGES), (2, 2), mode="other")
