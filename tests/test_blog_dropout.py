"""The blog's network with its dropout trains as it did in 2016, mask by mask.

``reference/README.md`` says how the genuine stack's numbers were recorded.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import lasagne
import numpy as np
import pytest

import blog_dropout
import relatives
import theano
from mnist_cnn.dataset import load_mnist

REFERENCE = Path(__file__).parent / "reference"
FUSIONS = "fuse_conv:fuse_dense:fuse_crossentropy:compile_elemwise"
GENUINE = json.loads((REFERENCE / "blog_dropout.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    with theano.config.change_flags(floatX="float64"):
        yield


def test_initial_weights_are_the_genuine_bits() -> None:
    weights = lasagne.layers.get_all_param_values(blog_dropout.build())
    hashes = [relatives.hash_array(array) for array in weights]
    assert hashes == GENUINE["init_sha256"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "excluded",
    ["", FUSIONS],
    ids=["fused", "not fused"],
)
def test_twenty_steps_give_the_genuine_losses_and_weights(excluded: str) -> None:
    if not os.environ.get("MNIST_CNN_DATA"):
        pytest.skip("needs MNIST: MNIST_CNN_DATA names no folder of its IDX files")
    data = load_mnist(data="full")
    count = blog_dropout.NUM_STEPS * blog_dropout.BATCH_SIZE
    pixels = np.rint(data.train_images[:count] * 255)
    with theano.config.change_flags(optimizer_excluding=excluded):
        losses, weights = blog_dropout.train(
            pixels.astype("float64") / 255, data.train_labels[:count]
        )
    np.testing.assert_allclose(losses, GENUINE["losses"], rtol=1e-10, atol=0)
    for array, projections in zip(weights, GENUINE["trained"], strict=True):
        np.testing.assert_allclose(
            relatives.project_array(array),
            projections,
            rtol=0,
            atol=1e-9 * np.sqrt(array.size),
        )
