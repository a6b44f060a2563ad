"""Small relatives of the question's network, each trained for a few steps.

The recorder of the genuine stack (Python 2.7, Theano 0.8.2) and the tests of this
project's engine import this one module, so that networks, data and initial weights
are the same by construction. Hence it is written in what both Pythons understand.

Every network is float64, draws its weights from ``RandomState(WEIGHT_SEED)``, and
maps images to class probabilities.
"""

import collections
import functools
import hashlib

import lasagne
import numpy
from lasagne import updates
from lasagne.layers import (
    ConcatLayer,
    Conv1DLayer,
    Conv2DLayer,
    DenseLayer,
    DimshuffleLayer,
    DropoutLayer,
    ElemwiseSumLayer,
    FeaturePoolLayer,
    FlattenLayer,
    GlobalPoolLayer,
    InputLayer,
    MaxPool1DLayer,
    MaxPool2DLayer,
    NINLayer,
    NonlinearityLayer,
    PadLayer,
    Pool2DLayer,
    ReshapeLayer,
    SliceLayer,
)
from lasagne.nonlinearities import (
    leaky_rectify,
    linear,
    rectify,
    sigmoid,
    softmax,
    tanh,
    very_leaky_rectify,
)

import theano
import theano.tensor as T

NUM_STEPS = 12
BATCH_SIZE = 8
NUM_CLASSES = 5
IMAGE_SHAPE = (3, 9, 8)
WEIGHT_SEED = 42
DATA_SEED = 7

Relative = collections.namedtuple(
    "Relative", ["build", "update", "update_arguments", "deterministic", "image_levels"]
)
Trace = collections.namedtuple("Trace", ["losses", "initial", "trained"])

RELATIVES = collections.OrderedDict()


def relative(update, deterministic=False, image_levels=None, **update_arguments):
    """Enter a function that builds a network into ``RELATIVES``, under its name.

    ``image_levels`` makes the images take that many values only.
    """

    def register(build):
        RELATIVES[build.__name__] = Relative(
            build, update, update_arguments, deterministic, image_levels
        )
        return build

    return register


def images_of(*shape):
    return InputLayer((BATCH_SIZE,) + (shape or IMAGE_SHAPE), name="input")


def classes_of(incoming):
    return DenseLayer(incoming, NUM_CLASSES, nonlinearity=softmax, name="output")


@relative(updates.momentum, learning_rate=0.01, momentum=0.9)
def question():
    """The question's own network, on images of noise: it needs no MNIST."""
    layer = Conv2DLayer(images_of(1, 28, 28), 32, 5, name="conv2d1")
    layer = MaxPool2DLayer(layer, 2, name="maxpool1")
    layer = Conv2DLayer(layer, 32, 3, name="conv2d2")
    layer = MaxPool2DLayer(layer, 2, name="maxpool2")
    layer = DenseLayer(layer, 256, name="dense")
    return DenseLayer(layer, 10, nonlinearity=softmax, name="output")


@relative(updates.sgd, learning_rate=0.1)
def strided_convolutions():
    layer = Conv2DLayer(
        images_of(), 6, (3, 2), stride=(2, 1), pad=1, nonlinearity=rectify, name="conv1"
    )
    layer = Conv2DLayer(
        layer, 4, 3, stride=(1, 2), pad=(2, 0), nonlinearity=sigmoid, name="conv2"
    )
    return classes_of(layer)


@relative(updates.momentum, learning_rate=0.05, momentum=0.9)
def same_padding():
    layer = Conv2DLayer(images_of(), 5, (3, 4), pad="same", name="conv1")
    layer = Conv2DLayer(
        layer, 4, (4, 3), stride=2, pad="same", nonlinearity=tanh, name="conv2"
    )
    layer = DenseLayer(layer, 10, nonlinearity=rectify, name="dense")
    return classes_of(layer)


@relative(updates.nesterov_momentum, learning_rate=0.05, momentum=0.8)
def full_padding_and_untied_biases():
    layer = Conv2DLayer(
        images_of(),
        4,
        3,
        pad="full",
        untie_biases=True,
        nonlinearity=tanh,
        name="conv1",
    )
    layer = MaxPool2DLayer(layer, 2, name="pool")
    layer = Conv2DLayer(
        layer, 3, (2, 3), pad="full", stride=2, untie_biases=True, b=None, name="conv2"
    )
    return classes_of(layer)


@relative(updates.adagrad, learning_rate=0.1)
def overlapping_max_pools():
    layer = Conv2DLayer(images_of(), 6, 2, nonlinearity=tanh, name="conv1")
    layer = MaxPool2DLayer(layer, 3, stride=2, ignore_border=False, name="pool1")
    layer = Conv2DLayer(layer, 6, 2, pad=1, nonlinearity=linear, name="conv2")
    layer = MaxPool2DLayer(layer, (3, 2), stride=(2, 1), pad=(1, 1), name="pool2")
    return classes_of(layer)


@relative(updates.rmsprop, learning_rate=0.01, rho=0.9)
def average_pools():
    layer = Conv2DLayer(images_of(), 4, 2, nonlinearity=tanh, name="conv1")
    layer = Pool2DLayer(
        layer, 3, stride=2, pad=1, mode="average_inc_pad", name="include_pad"
    )
    layer = Conv2DLayer(layer, 5, 2, pad=1, nonlinearity=tanh, name="conv2")
    layer = Pool2DLayer(
        layer, 2, stride=1, ignore_border=False, mode="average_exc_pad", name="partial"
    )
    layer = Pool2DLayer(layer, (2, 3), mode="average_exc_pad", name="exclude_pad")
    return classes_of(layer)


@relative(updates.adadelta, learning_rate=1.0, rho=0.95)
def network_in_network():
    layer = Conv2DLayer(images_of(), 6, 3, nonlinearity=leaky_rectify, name="conv")
    layer = NINLayer(layer, 5, nonlinearity=tanh, name="nin1")
    layer = NINLayer(layer, NUM_CLASSES, untie_biases=True, name="nin2")
    layer = GlobalPoolLayer(layer, name="mean")
    return NonlinearityLayer(layer, softmax, name="output")


@relative(updates.adam, learning_rate=0.01)
def reshaped_between_layers():
    layer = ReshapeLayer(images_of(), ([0], -1, 6, 6), name="reshape")
    layer = DimshuffleLayer(layer, (0, 1, 3, 2), name="transpose")
    layer = PadLayer(layer, ((1, 0), (2, 1)), name="pad")
    layer = Conv2DLayer(layer, 4, (2, 3), nonlinearity=very_leaky_rectify, name="conv")
    layer = SliceLayer(layer, slice(1, 5), axis=2, name="slice")
    layer = FlattenLayer(layer, name="flatten")
    return classes_of(layer)


@relative(updates.momentum, learning_rate=0.05, momentum=0.9)
def merged_branches():
    images = images_of()
    left = Conv2DLayer(images, 4, 3, pad=1, nonlinearity=tanh, name="left")
    right = Conv2DLayer(images, 4, 5, pad=2, nonlinearity=rectify, name="right")
    total = ElemwiseSumLayer([left, right], coeffs=[0.5, -2.0], name="sum")
    layer = ConcatLayer([total, left, images], axis=1, name="concat")
    layer = MaxPool2DLayer(layer, 3, name="pool")
    return classes_of(layer)


@relative(updates.sgd, learning_rate=0.1, deterministic=True)
def dropout_switched_off():
    layer = Conv2DLayer(images_of(), 4, 3, name="conv")
    layer = MaxPool2DLayer(layer, 2, name="pool")
    layer = DropoutLayer(layer, p=0.5, name="dropout1")
    layer = DenseLayer(layer, 12, nonlinearity=sigmoid, name="dense")
    layer = DropoutLayer(layer, p=0.3, rescale=False, name="dropout2")
    return classes_of(layer)


@relative(updates.adam, learning_rate=0.005, beta1=0.8, beta2=0.99)
def dropout_of_nothing():
    layer = DropoutLayer(images_of(), p=0, name="dropout1")
    layer = DenseLayer(layer, 16, nonlinearity=tanh, name="dense")
    layer = DropoutLayer(layer, p=0.0, rescale=False, name="dropout2")
    return classes_of(layer)


@relative(updates.nesterov_momentum, learning_rate=0.02, momentum=0.9)
def unflipped_filters_and_sum_pool():
    correlate = functools.partial(T.nnet.conv2d, filter_flip=False)
    layer = Conv2DLayer(
        images_of(), 5, (3, 2), nonlinearity=tanh, convolution=correlate, name="conv1"
    )
    layer = Pool2DLayer(layer, 2, mode="sum", ignore_border=False, name="pool")
    layer = Conv2DLayer(
        layer, 4, 2, pad="full", stride=(2, 1), convolution=correlate, name="conv2"
    )
    return classes_of(layer)


@relative(updates.sgd, learning_rate=0.05, image_levels=3)
def tied_maxima():
    """One weight a filter and few pixel values: most windows have tied maxima."""
    layer = Conv2DLayer(images_of(1, 9, 8), 4, 1, nonlinearity=linear, name="conv")
    layer = MaxPool2DLayer(layer, 3, stride=(2, 1), name="pool")
    return classes_of(layer)


@relative(updates.rmsprop, learning_rate=0.01, rho=0.8)
def one_dimensional():
    layer = Conv1DLayer(images_of(3, 20), 5, 4, stride=2, pad=2, nonlinearity=tanh)
    layer = MaxPool1DLayer(layer, 3, stride=2, ignore_border=False, name="pool1")
    layer = Conv1DLayer(layer, 4, 3, pad="same", nonlinearity=tanh, name="conv2")
    layer = DenseLayer(layer, 8, nonlinearity=tanh, name="dense")
    return classes_of(layer)


@relative(updates.adagrad, learning_rate=0.05)
def maxout():
    layer = Conv2DLayer(images_of(), 6, 3, nonlinearity=linear, name="conv")
    layer = FeaturePoolLayer(layer, 3, name="maxout1")
    layer = DenseLayer(layer, 12, nonlinearity=linear, name="dense")
    layer = FeaturePoolLayer(layer, 2, pool_function=T.mean, name="mean")
    return classes_of(layer)


def make_batches(image_shape, levels=None):
    """Return ``NUM_STEPS`` batches of random images and labels.

    Images are float64 ``(NUM_STEPS, BATCH_SIZE) + image_shape`` in [-1, 1), labels
    int32 ``(NUM_STEPS, BATCH_SIZE)``. Drawn with ``RandomState.uniform`` alone, whose
    stream is the same in every NumPy.
    """
    rng = numpy.random.RandomState(DATA_SEED)
    images = rng.uniform(-1, 1, size=(NUM_STEPS, BATCH_SIZE) + image_shape)
    if levels is not None:
        images = numpy.floor((images + 1) / 2 * levels) - 1
    labels = rng.uniform(size=(NUM_STEPS, BATCH_SIZE)) * NUM_CLASSES
    return images, labels.astype("int32")


def make_unbalanced_labels():
    """Return 1,003 int32 labels of ten classes, the smaller ones more frequent."""
    rng = numpy.random.RandomState(DATA_SEED)
    return (rng.uniform(size=1003) ** 2 * 10).astype("int32")


def compile_training(output_layer, update, update_arguments, deterministic=False):
    """Return a function ``(images, labels) -> loss`` that makes one training step."""
    [input_layer] = [
        layer
        for layer in lasagne.layers.get_all_layers(output_layer)
        if isinstance(layer, InputLayer)
    ]
    labels = T.ivector("labels")
    predictions = lasagne.layers.get_output(output_layer, deterministic=deterministic)
    loss = lasagne.objectives.aggregate(
        lasagne.objectives.categorical_crossentropy(predictions, labels)
    )
    parameters = lasagne.layers.get_all_params(output_layer, trainable=True)
    return theano.function(
        [input_layer.input_var, labels],
        loss,
        updates=update(loss, parameters, **update_arguments),
    )


def train_relative(name):
    """Build and train the named network; ``theano.config.floatX`` must be float64.

    Returns the loss before each step as floats, and the parameters (in the order of
    ``get_all_params``) before and after.
    """
    it = RELATIVES[name]
    lasagne.random.set_rng(numpy.random.RandomState(WEIGHT_SEED))
    output_layer = it.build()
    initial = lasagne.layers.get_all_param_values(output_layer)
    step = compile_training(
        output_layer, it.update, it.update_arguments, it.deterministic
    )
    input_layer = lasagne.layers.get_all_layers(output_layer)[0]
    images, labels = make_batches(input_layer.shape[1:], it.image_levels)
    losses = [float(step(images[i], labels[i])) for i in range(NUM_STEPS)]
    return Trace(losses, initial, lasagne.layers.get_all_param_values(output_layer))


def hash_array(array):
    """Return the sha256 of the values' little-endian bytes in C order."""
    ordered = numpy.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return hashlib.sha256(ordered.tobytes()).hexdigest()


def project_array(array):
    """Return three numbers that any change of the values or of their order changes.

    The sum, the Euclidean norm, and the product with ``cos(0), cos(1), ...``, whose
    errors are at most ``sqrt(size)`` times the largest error of a value.
    """
    flat = numpy.asarray(array, dtype="float64").ravel()
    waves = numpy.cos(numpy.arange(flat.size, dtype="float64"))
    return [
        float(flat.sum()),
        float(numpy.sqrt((flat * flat).sum())),
        float((flat * waves).sum()),
    ]
