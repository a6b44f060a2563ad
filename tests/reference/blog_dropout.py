"""The blog's network with its dropout, trained for a few steps.

Imported by ``scripts/record_random_streams`` under the genuine stack, which runs on
Python 2.7, and by the tests; hence the old-fashioned Python.
"""

import lasagne
import numpy
from lasagne.layers import (
    Conv2DLayer,
    DenseLayer,
    DropoutLayer,
    InputLayer,
    MaxPool2DLayer,
)
from lasagne.nonlinearities import softmax

import theano
import theano.tensor as T

SEED = 42
BATCH_SIZE = 128
NUM_STEPS = 20


def build():
    """Build it with Lasagne, layer by layer; return its output layer.

    The output of each dropout layer is asked for as soon as the layer is there. So
    the network's own output, asked for later, draws from the third random stream of
    the first dropout and from the second of the second.
    """
    lasagne.random.set_rng(numpy.random.RandomState(SEED))
    layer = InputLayer((None, 1, 28, 28))
    for _ in range(2):
        layer = Conv2DLayer(layer, 32, (5, 5), W=lasagne.init.GlorotUniform())
        layer = MaxPool2DLayer(layer, (2, 2))
    layer = DropoutLayer(layer, p=0.5)
    lasagne.layers.get_output(layer)
    layer = DenseLayer(layer, 256, W=lasagne.init.GlorotUniform())
    layer = DropoutLayer(layer, p=0.5)
    lasagne.layers.get_output(layer)
    return DenseLayer(layer, 10, W=lasagne.init.GlorotUniform(), nonlinearity=softmax)


def train(images, labels):
    """Train on the first images, batch by batch; ``floatX`` must be float64.

    ``images`` are float64 ``(n, 1, 28, 28)``, divided by 255; ``labels`` int32.
    Returns the loss before each step, and the trained parameters.
    """
    output_layer = build()
    targets = T.ivector("targets")
    loss = lasagne.objectives.categorical_crossentropy(
        lasagne.layers.get_output(output_layer), targets
    ).mean()
    parameters = lasagne.layers.get_all_params(output_layer, trainable=True)
    step = theano.function(
        [lasagne.layers.get_all_layers(output_layer)[0].input_var, targets],
        loss,
        updates=lasagne.updates.nesterov_momentum(loss, parameters, 0.01, 0.9),
    )
    batches = [
        slice(start, start + BATCH_SIZE)
        for start in range(0, NUM_STEPS * BATCH_SIZE, BATCH_SIZE)
    ]
    losses = [float(step(images[batch], labels[batch])) for batch in batches]
    return losses, lasagne.layers.get_all_param_values(output_layer)
