"""Theano on PyTensor judged by the numbers of the genuine stack of 2016.

``reference/README.md`` says how they were recorded.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import lasagne
import numpy as np
import pytest
from nolearn.lasagne import TrainSplit

import relatives
import theano
from mnist_cnn.dataset import load_mnist
from mnist_cnn.network import build_network

REFERENCE = Path(__file__).parent / "reference"
SEED = 42
BATCH_SIZE = 128
NUM_STEPS = 50
FUSIONS = "fuse_conv:fuse_dense:fuse_crossentropy:compile_elemwise"


def read_json(name: str) -> dict[str, Any]:
    return json.loads((REFERENCE / name).read_text(encoding="utf-8"))


GENUINE = read_json("reference.json")
GENUINE_RELATIVES = read_json("relatives.json")


class Digits(NamedTuple):
    """The 60,000 training images of MNIST."""

    pixels: np.ndarray
    labels: np.ndarray

    def scaled(self, float_type: str) -> np.ndarray:
        return self.pixels.astype(float_type) / np.dtype(float_type).type(255)


@pytest.fixture(scope="module")
def digits() -> Digits:
    if not os.environ.get("MNIST_CNN_DATA"):
        pytest.skip("needs MNIST: MNIST_CNN_DATA names no folder of its IDX files")
    data = load_mnist(data="full")
    pixels = np.rint(data.train_images * 255).astype(np.uint8)
    return Digits(pixels, data.train_labels)


@contextmanager
def floats_of(float_type: str) -> Iterator[None]:
    before = theano.config.floatX
    theano.config.floatX = float_type
    try:
        yield
    finally:
        theano.config.floatX = before


def build_question_network() -> tuple[Any, Any]:
    """Return the question's net and its output layer, weights drawn from the seed."""
    lasagne.random.set_rng(np.random.RandomState(SEED))
    net = build_network()
    [output_layer] = net.initialize_layers()
    return net, output_layer


def train_question_network(
    digits: Digits, float_type: str, num_steps: int
) -> tuple[list[float], list[np.ndarray]]:
    """Return the loss before each step, and the weights after the last."""
    with floats_of(float_type):
        _, output_layer = build_question_network()
        step = relatives.compile_training(
            output_layer,
            lasagne.updates.momentum,
            {"learning_rate": 0.01, "momentum": 0.9},
        )
        images = digits.scaled(float_type)[: num_steps * BATCH_SIZE]
        labels = digits.labels[: num_steps * BATCH_SIZE]
        losses = [
            float(step(images[start:][:BATCH_SIZE], labels[start:][:BATCH_SIZE]))
            for start in range(0, len(images), BATCH_SIZE)
        ]
    return losses, lasagne.layers.get_all_param_values(output_layer)


def load_trace(trace: str, prefix: str) -> list[np.ndarray]:
    genuine = np.load(REFERENCE / trace)
    return [genuine[f"{prefix}_{i}"] for i in range(len(GENUINE["param_names"]))]


def assert_weights_near(
    weights: list[np.ndarray], expected: list[np.ndarray], tolerance: float
) -> None:
    for ours, theirs, name in zip(
        weights, expected, GENUINE["param_names"], strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance, err_msg=name)


def test_parameters_have_the_genuine_names_and_shapes() -> None:
    net, _ = build_question_network()
    parameters = net.get_all_params()
    assert [parameter.name for parameter in parameters] == GENUINE["param_names"]
    assert [list(p.get_value().shape) for p in parameters] == GENUINE["param_shapes"]


@pytest.mark.parametrize("float_type", ["float32", "float64"])
def test_initial_weights_are_the_genuine_bits(float_type: str) -> None:
    with floats_of(float_type):
        _, output_layer = build_question_network()
    weights = lasagne.layers.get_all_param_values(output_layer)
    assert {array.dtype.name for array in weights} == {float_type}
    hashes = [relatives.hash_array(array) for array in weights]
    assert hashes == GENUINE[f"init_sha256_{float_type}"]


@pytest.mark.slow
@pytest.mark.parametrize("excluded", ["", FUSIONS], ids=["fused", "not fused"])
def test_fifty_steps_in_float64_give_the_genuine_losses_and_weights(
    digits: Digits, excluded: str
) -> None:
    with theano.config.change_flags(optimizer_excluding=excluded):
        losses, weights = train_question_network(digits, "float64", NUM_STEPS)
    genuine = GENUINE["losses_50_steps_batch128_sequential_float64"]
    np.testing.assert_allclose(losses, genuine, rtol=1e-10, atol=0)
    assert_weights_near(weights, load_trace("trace_seed42_float64.npz", "step50"), 1e-9)


@pytest.mark.slow
def test_first_step_in_float32_gives_the_genuine_loss_and_weights(
    digits: Digits,
) -> None:
    """The recorded step has a near-tie of a max pool that rounding decides: on a CPU
    with AVX-512 the genuine stack is 2.6e-6 away from its own record in one bias,
    and 1e-8 from the step in float64. So the latter judges.
    """
    [loss], weights = train_question_network(digits, "float32", num_steps=1)
    genuine = GENUINE["losses_50_steps_batch128_sequential_float32"]
    np.testing.assert_allclose(loss, genuine[0], rtol=1e-6, atol=0)
    _, exact = train_question_network(digits, "float64", num_steps=1)
    assert_weights_near(weights, exact, 1e-6)
    assert_weights_near(weights, load_trace("trace_seed42_float32.npz", "step1"), 3e-6)


def split(images: np.ndarray, labels: np.ndarray) -> dict[str, int | str]:
    """Split as nolearn does by default, and hash what came out."""
    _, images_valid, labels_train, labels_valid = TrainSplit(eval_size=0.2)(
        images, labels, build_network()
    )
    return {
        "n_train": len(labels_train),
        "n_valid": len(labels_valid),
        "sha256_y_train": relatives.hash_array(labels_train),
        "sha256_y_valid": relatives.hash_array(labels_valid),
        f"sha256_X_valid_{images_valid.dtype}": relatives.hash_array(images_valid),
    }


def test_mnist_is_split_as_by_the_genuine_stack(digits: Digits) -> None:
    assert split(digits.pixels, digits.labels) == GENUINE["split"]


def test_unbalanced_labels_are_split_as_by_the_genuine_stack() -> None:
    labels = relatives.make_unbalanced_labels()
    positions = np.arange(len(labels), dtype=np.int32)
    assert split(positions, labels) == GENUINE["split_unbalanced"]


def test_every_relative_is_recorded() -> None:
    assert set(relatives.RELATIVES) == set(GENUINE_RELATIVES)


@pytest.mark.parametrize("name", relatives.RELATIVES)
def test_relative_trains_as_under_the_genuine_stack(name: str) -> None:
    with floats_of("float64"):
        ours = relatives.train_relative(name)
    genuine = GENUINE_RELATIVES[name]
    hashes = [relatives.hash_array(weights) for weights in ours.initial]
    assert hashes == genuine["init_sha256"]
    np.testing.assert_allclose(ours.losses, genuine["losses"], rtol=1e-9, atol=0)
    for weights, projections in zip(ours.trained, genuine["trained"], strict=True):
        np.testing.assert_allclose(
            relatives.project_array(weights),
            projections,
            rtol=0,
            atol=1e-9 * np.sqrt(weights.size),
        )


def test_windows_of_tied_maxima_have_ties() -> None:
    levels = relatives.RELATIVES["tied_maxima"].image_levels
    images, _ = relatives.make_batches((1, 9, 8), levels)
    windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(-2, -1))
    assert np.unique(images).size == levels
    num_maxima = (windows == windows.max(axis=(-2, -1), keepdims=True)).sum((-2, -1))
    assert np.mean(num_maxima > 1) > 0.5
