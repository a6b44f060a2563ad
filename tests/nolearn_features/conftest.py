"""Small nets and data for nolearn's features, on the unmodified package."""

import matplotlib
import numpy as np
import pytest
from lasagne import layers
from lasagne.nonlinearities import softmax
from lasagne.updates import nesterov_momentum
from nolearn.lasagne import NeuralNet

import theano

matplotlib.use("Agg")


@pytest.fixture
def samples():
    """100 samples of two features and their class: on which side of a line."""
    random = np.random.RandomState(1)
    X = random.normal(size=(100, 2)).astype(theano.config.floatX)
    return X, (X[:, 0] > X[:, 1]).astype(np.int32)


@pytest.fixture
def make_net():
    """Makes nets of one hidden layer, whose keywords may be given anew."""

    def make(**keywords):
        given = {
            "layers": [
                ("input", layers.InputLayer),
                ("hidden", layers.DenseLayer),
                ("output", layers.DenseLayer),
            ],
            "input_shape": (None, 2),
            "hidden_num_units": 4,
            "output_num_units": 2,
            "output_nonlinearity": softmax,
            "update": nesterov_momentum,
            "update_learning_rate": 0.1,
            "update_momentum": 0.9,
            "max_epochs": 5,
        }
        return NeuralNet(**(given | keywords))

    return make
