"""A training step in float32 is the one in float64, to float32's precision.

Pixels and weights have few bits, so that sums are exact in both: no rounding decides
which of a pool's window is the largest, nor on which side of zero a rectifier is.
"""

from typing import NamedTuple

import lasagne
import numpy as np
import pytest

import theano
from mnist_cnn.network import build_network
from theano import tensor as T

FLOATS = "float32", "float64"
TOLERANCE = 1e-5
"""Of the largest value of an array."""


class Step(NamedTuple):
    """What a training step computes.

    Attributes
    ----------
    gradients : list of ndarray
        In the order of ``get_all_params``.
    updated : list of ndarray
        Parameters, then velocities.
    """

    gradients: list[np.ndarray]
    updated: list[np.ndarray]


def make_digits() -> tuple[np.ndarray, np.ndarray]:
    """A batch of images with blank surroundings, sixteen shades of gray, and labels."""
    random = np.random.RandomState(0)
    images = np.zeros((128, 1, 28, 28))
    images[:, :, 5:22, 7:20] = random.randint(0, 17, (128, 1, 17, 13)) / 16
    images *= random.uniform(size=(128, 1, 28, 1)) < 0.6
    return images, random.randint(0, 10, 128).astype("int32")


def make_step(network: str, float_type: str) -> Step:
    """Gradients, and parameters and velocities after a step that began with some."""
    with theano.config.change_flags(floatX=float_type):
        lasagne.random.set_rng(np.random.RandomState(42))
        net = build_network(network)
        [output_layer] = net.initialize_layers()
        parameters = lasagne.layers.get_all_params(output_layer, trainable=True)
        for parameter in parameters:
            rounded = np.round(parameter.get_value() * 64) / 64
            parameter.set_value(rounded.astype(float_type))
        labels = T.ivector("labels")
        loss = lasagne.objectives.categorical_crossentropy(
            lasagne.layers.get_output(output_layer), labels
        ).mean()
        arguments = [net.layers_["input"].input_var, labels]
        gradients = theano.function(arguments, T.grad(loss, parameters))
        updates = net.update(loss, parameters, net.update_learning_rate, 0.9)
        velocities = [one for one in updates if one not in parameters]
        random = np.random.RandomState(1)
        for velocity in velocities:
            begun_with = random.uniform(-0.01, 0.01, velocity.get_value().shape)
            velocity.set_value(begun_with.astype(float_type))
        step = theano.function(arguments, loss, updates=updates)
        images, targets = make_digits()
        found = gradients(images.astype(float_type), targets)
        step(images.astype(float_type), targets)
        updated = [one.get_value() for one in (*parameters, *velocities)]
    assert {array.dtype.name for array in (*found, *updated)} == {float_type}
    return Step(found, updated)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["question", "blog"])
def test_a_step_in_float32_is_the_one_in_float64(network: str) -> None:
    single, double = (make_step(network, float_type) for float_type in FLOATS)
    assert len(double.gradients) == 8
    assert len(double.updated) == 16
    for arrays in zip(
        (*single.gradients, *single.updated),
        (*double.gradients, *double.updated),
        strict=True,
    ):
        one, exact = arrays
        largest = np.abs(exact).max()
        assert largest > 0
        assert np.abs(one - exact).max() <= TOLERANCE * largest
