"""Every layer family of Lasagne, in small networks that train for 12 steps.

Imported by ``scripts/record_layer_traces`` under the genuine Theano 1.0.5, which
runs on Python 3.7, and by the tests under this project's engine: networks, data
and initial weights are the same by construction.

All is float64. Weights, noise and data come from one seed. A case that names what
Lasagne 0.1 lacks is entered only where Lasagne 0.2.dev1 is imported; ``NEEDS_0_2``
has its name in any case.
"""

import collections
import functools

import lasagne
import numpy
from lasagne import init, layers, nonlinearities, objectives, updates
from lasagne.layers import InputLayer
from lasagne.regularization import (
    l1,
    l2,
    regularize_layer_params_weighted,
    regularize_network_params,
)

import theano
import theano.tensor as T

NUM_STEPS = 12
BATCH_SIZE = 6
NUM_CLASSES = 4
NUM_TOKENS = 7
HAS_0_2 = hasattr(layers, "BatchNormLayer")

Case = collections.namedtuple("Case", ["build", "objective", "update", "penalty"])
Objective = collections.namedtuple("Objective", ["loss", "draw_targets"])
Trace = collections.namedtuple("Trace", ["losses", "trained"])

CASES = collections.OrderedDict()
NEEDS_0_2 = []


def draw_reals(rng, shape):
    return rng.uniform(-1, 1, shape)


def draw_bits(rng, shape):
    return numpy.floor(rng.uniform(0, 2, shape))


def draw_classes(rng, shape):
    return (rng.uniform(size=shape[0]) * NUM_CLASSES).astype("int32")


def draw_distributions(rng, shape):
    weights = rng.uniform(0.1, 1, shape)
    return weights / weights.sum(axis=1, keepdims=True)


def draw_tokens(rng, shape):
    return (rng.uniform(size=shape) * NUM_TOKENS).astype("int32")


def draw_masks(rng, shape):
    """Sequences of 1 to all steps: ones, then zeros."""
    lengths = 1 + numpy.floor(rng.uniform(size=shape[0]) * shape[1])
    return (numpy.arange(shape[1]) < lengths[:, None]).astype("float64")


DRAW_INPUTS = {"tokens": draw_tokens, "mask": draw_masks}

squares = Objective(objectives.squared_error, draw_reals)
bits = Objective(objectives.binary_crossentropy, draw_bits)
classes = Objective(objectives.categorical_crossentropy, draw_classes)
distributions = Objective(objectives.categorical_crossentropy, draw_distributions)

sgd = functools.partial(updates.sgd, learning_rate=0.1)
momentum = functools.partial(updates.momentum, learning_rate=0.05, momentum=0.9)
nesterov = functools.partial(
    updates.nesterov_momentum, learning_rate=0.05, momentum=0.8
)
adagrad = functools.partial(updates.adagrad, learning_rate=0.05)
rmsprop = functools.partial(updates.rmsprop, learning_rate=0.01, rho=0.9)
adadelta = functools.partial(updates.adadelta, learning_rate=1.0, rho=0.95)
adam = functools.partial(updates.adam, learning_rate=0.02, beta1=0.8, beta2=0.99)


def case(objective=classes, update=momentum, penalty=None):
    """Enter a function that builds a network, under its name.

    ``penalty(output_layer)`` is added to the loss. The names of input layers say
    what is drawn for them: see ``DRAW_INPUTS``.
    """

    def enter(build):
        CASES[build.__name__] = Case(build, objective, update, penalty)
        return build

    return enter


def case_of_0_2(*arguments, **keywords):
    def enter(build):
        NEEDS_0_2.append(build.__name__)
        return case(*arguments, **keywords)(build) if HAS_0_2 else build

    return enter


def vectors(size=8, batch_size=BATCH_SIZE):
    return InputLayer((batch_size, size), name="input")


def images(channels=2, rows=7, columns=6, batch_size=BATCH_SIZE):
    return InputLayer((batch_size, channels, rows, columns), name="input")


def signals(channels=2, length=11):
    return InputLayer((BATCH_SIZE, channels, length), name="input")


def volumes(channels=2):
    return InputLayer((BATCH_SIZE, channels, 5, 4, 6), name="input")


def sequences(steps=5, features=3, batch_size=BATCH_SIZE):
    return InputLayer((batch_size, steps, features), name="input")


def masks(steps=5):
    return InputLayer((BATCH_SIZE, steps), name="mask")


def tokens(steps=5):
    return InputLayer((BATCH_SIZE, steps), T.imatrix("tokens"), name="tokens")


def softmax(incoming):
    return layers.DenseLayer(incoming, NUM_CLASSES, nonlinearity=nonlinearities.softmax)


# Dense layers, nonlinearities, initial weights.


@case(update=sgd)
def dense():
    return softmax(layers.DenseLayer(vectors(), 7))


@case(squares, sgd)
def dense_without_bias():
    layer = layers.DenseLayer(vectors(), 7, b=None, nonlinearity=nonlinearities.tanh)
    return layers.DenseLayer(layer, 3, nonlinearity=None)


@case_of_0_2(squares, nesterov)
def dense_with_tied_weights():
    """An autoencoder: the decoder's weights are the encoder's, transposed."""
    encoder = layers.DenseLayer(vectors(), 5, nonlinearity=nonlinearities.sigmoid)
    return layers.DenseLayer(encoder, 8, W=encoder.W.T, nonlinearity=None)


@case(bits, adam)
def dense_on_images():
    layer = layers.DenseLayer(images(), 6, nonlinearity=nonlinearities.leaky_rectify)
    return layers.DenseLayer(layer, 3, nonlinearity=nonlinearities.sigmoid)


@case(update=momentum)
def dense_of_an_unknown_batch_size():
    return softmax(layers.DenseLayer(vectors(batch_size=None), 7))


@case(update=nesterov)
def nonlinearities_of_0_1():
    layer = vectors()
    for nonlinearity in (
        nonlinearities.very_leaky_rectify,
        nonlinearities.LeakyRectify(0.2),
        nonlinearities.tanh,
        nonlinearities.sigmoid,
        nonlinearities.linear,
        T.nnet.softplus,
    ):
        layer = layers.DenseLayer(layer, 6, nonlinearity=None)
        layer = layers.NonlinearityLayer(layer, nonlinearity)
    return softmax(layer)


@case_of_0_2(update=nesterov)
def nonlinearities_of_0_2():
    layer = vectors()
    for nonlinearity in (
        nonlinearities.elu,
        nonlinearities.selu,
        nonlinearities.SELU(1.1, 0.9),
        nonlinearities.softplus,
        nonlinearities.ScaledTanH(0.5, 1.5),
    ):
        layer = layers.DenseLayer(layer, 6, nonlinearity=nonlinearity)
    return softmax(layer)


@case(update=sgd)
def initial_weights():
    layer = vectors()
    for weights in (
        init.Normal(0.3),
        init.Uniform(0.4),
        init.GlorotNormal("relu"),
        init.HeNormal(),
        init.HeUniform(1.2),
        init.Sparse(0.5, std=0.5),
        init.Constant(0.1),
    ):
        layer = layers.DenseLayer(layer, 6, W=weights)
    return softmax(layer)


@case_of_0_2(update=momentum)
def dense_over_leading_axes():
    layer = layers.DenseLayer(
        sequences(), 4, num_leading_axes=2, nonlinearity=nonlinearities.tanh
    )
    return softmax(layers.DenseLayer(layer, 5, num_leading_axes=-1))


# Convolutions.


@case(update=adagrad)
def nin():
    layer = layers.NINLayer(images(), 5, nonlinearity=nonlinearities.tanh)
    return softmax(layers.NINLayer(layer, 3, untie_biases=True))


@case(update=adagrad)
def nin_on_signals():
    layer = layers.NINLayer(signals(), 5, b=None, nonlinearity=nonlinearities.tanh)
    return softmax(layers.GlobalPoolLayer(layers.NINLayer(layer, 3)))


@case(update=momentum)
def conv1d():
    layer = layers.Conv1DLayer(signals(), 4, 3, nonlinearity=nonlinearities.tanh)
    layer = layers.Conv1DLayer(layer, 3, 4, stride=2, pad=1, untie_biases=True)
    return softmax(layers.Conv1DLayer(layer, 3, 2, pad="full", b=None))


@case(update=momentum)
def conv1d_of_same_length():
    layer = layers.Conv1DLayer(signals(), 4, 5, pad="same")
    layer = layers.MaxPool1DLayer(layer, 3, stride=2, pad=1)
    layer = layers.Conv1DLayer(layer, 3, 3, pad="valid")
    return softmax(layers.MaxPool1DLayer(layer, 2, ignore_border=False))


@case(update=nesterov)
def conv2d():
    layer = layers.Conv2DLayer(images(), 4, (3, 2), nonlinearity=nonlinearities.tanh)
    layer = layers.Conv2DLayer(layer, 3, 2, stride=(2, 1), pad=(1, 2))
    return softmax(layer)


@case(update=nesterov)
def conv2d_of_same_size():
    layer = layers.Conv2DLayer(images(), 4, 3, pad="same", untie_biases=True)
    return softmax(layers.Conv2DLayer(layer, 3, (5, 3), pad="same", b=None))


@case(update=rmsprop)
def conv2d_full():
    layer = layers.Conv2DLayer(images(), 4, 3, pad="full")
    layer = layers.MaxPool2DLayer(layer, 2)
    return softmax(layers.Conv2DLayer(layer, 3, (2, 3), pad="full", stride=2))


@case(update=adam)
def conv2d_of_unknown_size():
    layer = images(rows=None, columns=None, batch_size=None)
    layer = layers.Conv2DLayer(layer, 4, 3, nonlinearity=nonlinearities.tanh)
    layer = layers.MaxPool2DLayer(layer, 2)
    return softmax(layers.GlobalPoolLayer(layers.Conv2DLayer(layer, 5, 2)))


@case(update=momentum)
def conv2d_with_shared_weights():
    """Two branches with the same filters, one on the mirrored image."""
    incoming = images()
    one = layers.Conv2DLayer(incoming, 4, 3, nonlinearity=nonlinearities.tanh)
    mirrored = layers.SliceLayer(incoming, slice(None, None, -1), axis=3)
    other = layers.Conv2DLayer(
        mirrored, 4, 3, W=one.W, b=one.b, nonlinearity=nonlinearities.tanh
    )
    return softmax(layers.ElemwiseMergeLayer([one, other], T.maximum))


@case_of_0_2(update=nesterov)
def conv2d_unflipped():
    layer = layers.Conv2DLayer(images(), 4, (3, 2), flip_filters=False)
    return softmax(layers.Conv2DLayer(layer, 3, 3, pad="same", flip_filters=False))


@case_of_0_2(update=momentum)
def conv2d_grouped():
    layer = layers.Conv2DLayer(images(4), 6, 3, num_groups=2, pad="same")
    layer = layers.Conv2DLayer(layer, 6, (2, 3), num_groups=6, stride=2)
    return softmax(layers.Conv2DLayer(layer, 3, 2, num_groups=3, flip_filters=False))


@case_of_0_2(update=adam)
def conv2d_transposed():
    layer = layers.Conv2DLayer(images(), 3, 3, stride=2, pad="same")
    layer = layers.TransposedConv2DLayer(layer, 4, 3, stride=2, crop="same")
    layer = layers.TransposedConv2DLayer(layer, 3, (2, 3), crop=(1, 0))
    layer = layers.TransposedConv2DLayer(layer, 2, 2, crop="full", untie_biases=True)
    return softmax(layer)


@case_of_0_2(squares, adam)
def conv2d_transposed_to_images():
    layer = layers.DenseLayer(vectors(), 2 * 3 * 3)
    layer = layers.ReshapeLayer(layer, ([0], 2, 3, 3))
    layer = layers.TransposedConv2DLayer(
        layer, 3, 4, stride=2, crop=1, flip_filters=True
    )
    return layers.TransposedConv2DLayer(
        layer, 1, 3, stride=2, output_size=14, nonlinearity=nonlinearities.tanh
    )


@case_of_0_2(update=momentum)
def conv2d_dilated():
    layer = layers.DilatedConv2DLayer(images(rows=9, columns=10), 4, 3, dilation=(2, 3))
    layer = layers.DilatedConv2DLayer(layer, 3, 2, dilation=2, untie_biases=True)
    return softmax(layer)


@case_of_0_2(update=momentum)
def locally_connected():
    layer = layers.LocallyConnected2DLayer(images(), 3, 3)
    layer = layers.LocallyConnected2DLayer(layer, 3, (3, 1), channelwise=True)
    return softmax(layer)


@case_of_0_2(update=momentum)
def conv3d():
    layer = layers.Conv3DLayer(volumes(), 3, (1, 3, 3), pad="same")
    layer = layers.Conv3DLayer(layer, 3, 2, stride=(1, 2, 2), pad=(1, 0, 1))
    return softmax(layers.Conv3DLayer(layer, 2, 2, flip_filters=False, b=None))


@case_of_0_2(update=adam)
def conv3d_transposed():
    layer = layers.Conv3DLayer(volumes(), 3, 2, stride=2)
    layer = layers.TransposedConv3DLayer(layer, 2, 3, stride=(2, 1, 2), crop=1)
    return softmax(layer)


@case_of_0_2(update=momentum)
def conv3d_grouped():
    return softmax(layers.Conv3DLayer(volumes(4), 4, 2, num_groups=2))


# Pools.


@case(update=momentum)
def max_pool2d():
    layer = layers.Conv2DLayer(images(), 3, 2, nonlinearity=nonlinearities.tanh)
    layer = layers.MaxPool2DLayer(layer, 3, stride=1, pad=1)
    return softmax(layers.MaxPool2DLayer(layer, (2, 3), ignore_border=False))


@case(update=adadelta)
def average_pool2d():
    layer = layers.NINLayer(images(), 3, nonlinearity=nonlinearities.tanh)
    layer = layers.Pool2DLayer(layer, 3, stride=2, pad=1, mode="average_inc_pad")
    return softmax(layers.Pool2DLayer(layer, 2, mode="average_exc_pad"))


@case(update=momentum)
def feature_pools():
    layer = layers.DenseLayer(vectors(), 12, nonlinearity=None)
    layer = layers.FeaturePoolLayer(layer, 3)
    layer = layers.DenseLayer(layer, 12, nonlinearity=None)
    layer = layers.FeatureWTALayer(layer, 4)
    layer = layers.FeaturePoolLayer(layer, 2, pool_function=T.sum)
    return softmax(layer)


@case(update=momentum)
def feature_pools_on_images():
    layer = layers.Conv2DLayer(images(), 6, 3, nonlinearity=None)
    layer = layers.FeatureWTALayer(layers.FeaturePoolLayer(layer, 2), 3)
    return softmax(layer)


@case(update=momentum)
def global_pools():
    incoming = layers.NINLayer(images(), 4, nonlinearity=nonlinearities.tanh)
    pools = [
        layers.GlobalPoolLayer(incoming, pool_function=function)
        for function in (T.mean, T.max, T.min)
    ]
    return softmax(layers.ConcatLayer(pools))


@case_of_0_2(update=momentum)
def pool1d():
    layer = layers.NINLayer(signals(), 3, nonlinearity=nonlinearities.tanh)
    layer = layers.Pool1DLayer(layer, 3, stride=2, pad=1, mode="average_inc_pad")
    return softmax(layers.Pool1DLayer(layer, 2, mode="sum"))


@case_of_0_2(update=momentum)
def pool2d_sum():
    layer = layers.NINLayer(images(), 3, nonlinearity=nonlinearities.tanh)
    return softmax(layers.Pool2DLayer(layer, 2, mode="sum"))


@case_of_0_2(update=momentum)
def pool3d():
    layer = layers.NINLayer(volumes(), 3, nonlinearity=nonlinearities.tanh)
    layer = layers.MaxPool3DLayer(layer, 2, stride=1, pad=1)
    return softmax(layers.Pool3DLayer(layer, (2, 3, 2), mode="average_exc_pad"))


@case_of_0_2(update=momentum)
def spatial_pyramid_pooling():
    layer = layers.NINLayer(images(), 3, nonlinearity=nonlinearities.tanh)
    return softmax(layers.SpatialPyramidPoolingLayer(layer, [3, 2, 1]))


@case_of_0_2(update=momentum)
def spatial_pyramid_pooling_as_in_kaiming():
    layer = layers.NINLayer(images(), 3, nonlinearity=nonlinearities.tanh)
    pool = layers.SpatialPyramidPoolingLayer(
        layer, [2, 1], mode="average_exc_pad", implementation="kaiming"
    )
    return softmax(pool)


@case_of_0_2(update=momentum)
def upscale():
    layer = layers.NINLayer(images(rows=3, columns=4), 3)
    layer = layers.Upscale2DLayer(layer, (2, 1))
    layer = layers.Conv2DLayer(layer, 2, 2, nonlinearity=nonlinearities.tanh)
    layer = layers.Upscale2DLayer(layer, (2, 3), mode="dilate")
    return softmax(layers.Conv2DLayer(layer, 3, 3))


@case_of_0_2(update=momentum)
def upscale_signals_and_volumes():
    signal = layers.NINLayer(signals(length=4), 3)
    signal = layers.Upscale1DLayer(signal, 2)
    signal = layers.Upscale1DLayer(signal, 3, mode="dilate")
    volume = layers.NINLayer(volumes(), 2, nonlinearity=nonlinearities.tanh)
    volume = layers.Upscale3DLayer(volume, 2)
    volume = layers.Upscale3DLayer(volume, (1, 2, 1), mode="dilate")
    pools = [
        layers.FlattenLayer(layers.Conv1DLayer(signal, 2, 4)),
        layers.FlattenLayer(layers.Pool3DLayer(volume, 4, mode="average_inc_pad")),
    ]
    return softmax(layers.ConcatLayer(pools))


# Recurrent layers.


@case(update=sgd)
def recurrent():
    return softmax(layers.RecurrentLayer(sequences(), 5))


@case(update=sgd)
def recurrent_with_a_mask():
    layer = layers.RecurrentLayer(
        sequences(),
        5,
        W_hid_to_hid=init.GlorotUniform(),
        nonlinearity=nonlinearities.tanh,
        mask_input=masks(),
        learn_init=True,
    )
    return softmax(layers.SliceLayer(layer, -1, axis=1))


@case_of_0_2(update=sgd)
def recurrent_with_its_last_output_only():
    layer = layers.RecurrentLayer(
        sequences(), 4, only_return_final=True, mask_input=masks()
    )
    return softmax(layer)


@case(update=nesterov)
def recurrent_backwards_with_clipped_gradients():
    layer = layers.RecurrentLayer(
        sequences(),
        4,
        W_in_to_hid=init.Normal(0.5),
        W_hid_to_hid=init.Normal(0.5),
        nonlinearity=nonlinearities.tanh,
        backwards=True,
        grad_clipping=0.02,
        precompute_input=False,
    )
    return softmax(layer)


@case(update=sgd)
def recurrent_unrolled():
    layer = layers.RecurrentLayer(
        sequences(),
        4,
        W_hid_to_hid=init.GlorotUniform(),
        unroll_scan=True,
        mask_input=masks(),
        learn_init=True,
    )
    layer = layers.RecurrentLayer(layer, 3, unroll_scan=True, backwards=True)
    return softmax(layer)


@case(update=sgd)
def recurrent_with_a_truncated_gradient():
    layer = layers.RecurrentLayer(
        sequences(steps=7),
        4,
        W_hid_to_hid=init.GlorotUniform(),
        gradient_steps=3,
        precompute_input=False,
    )
    return softmax(layer)


@case(update=adam)
def recurrent_of_unknown_length():
    layer = layers.RecurrentLayer(
        sequences(steps=None, batch_size=None), 4, nonlinearity=nonlinearities.tanh
    )
    return softmax(layers.SliceLayer(layer, -1, axis=1))


@case(update=adagrad)
def recurrent_of_dense_layers():
    incoming = sequences()
    layer = layers.CustomRecurrentLayer(
        incoming,
        layers.DenseLayer(InputLayer((None, 3)), 4, nonlinearity=None),
        layers.DenseLayer(InputLayer((None, 4)), 4, W=init.GlorotUniform()),
        nonlinearity=nonlinearities.tanh,
        learn_init=True,
        hid_init=init.Uniform(0.2),
    )
    return softmax(layer)


@case(update=adam)
def recurrent_of_convolutions():
    incoming = InputLayer((BATCH_SIZE, 4, 2, 5, 4), name="input")
    layer = layers.CustomRecurrentLayer(
        incoming,
        layers.Conv2DLayer(InputLayer((None, 2, 5, 4)), 3, 3, pad="same"),
        layers.Conv2DLayer(InputLayer((None, 3, 5, 4)), 3, 3, pad="same"),
        nonlinearity=nonlinearities.tanh,
    )
    return softmax(layers.SliceLayer(layer, -1, axis=1))


@case(update=momentum)
def lstm():
    return softmax(layers.LSTMLayer(sequences(), 4))


@case(update=adagrad)
def lstm_with_a_mask():
    layer = layers.LSTMLayer(
        sequences(),
        4,
        mask_input=masks(),
        learn_init=True,
        forgetgate=layers.Gate(b=init.Constant(1.0)),
    )
    return softmax(layers.SliceLayer(layer, -1, axis=1))


@case(update=rmsprop)
def lstm_without_peepholes():
    layer = layers.LSTMLayer(
        sequences(), 4, peepholes=False, precompute_input=False, grad_clipping=0.05
    )
    return softmax(layers.LSTMLayer(layer, 3, backwards=True, peepholes=False))


@case(update=adam)
def lstm_in_both_directions():
    incoming, mask = sequences(), masks()
    both = [
        layers.LSTMLayer(incoming, 3, mask_input=mask, backwards=backwards)
        for backwards in (False, True)
    ]
    layer = layers.ConcatLayer(both, axis=2)
    layer = layers.ReshapeLayer(layer, (-1, 6))
    layer = layers.DenseLayer(layer, 2, nonlinearity=nonlinearities.tanh)
    return softmax(layers.ReshapeLayer(layer, (BATCH_SIZE, 5 * 2)))


@case(update=sgd)
def lstm_unrolled():
    layer = layers.LSTMLayer(
        sequences(steps=4), 3, unroll_scan=True, learn_init=True, gradient_steps=-1
    )
    return softmax(layers.LSTMLayer(layer, 3, unroll_scan=True, backwards=True))


@case(update=sgd)
def lstm_with_a_truncated_gradient():
    return softmax(layers.LSTMLayer(sequences(steps=6), 3, gradient_steps=2))


@case_of_0_2(squares, nesterov)
def lstm_from_encoder_to_decoder():
    """The encoder's last state is the first of the decoder."""
    encoder = layers.SliceLayer(layers.LSTMLayer(sequences(), 4), -1, axis=1)
    decoded = InputLayer((BATCH_SIZE, 3, 2), name="decoded")
    decoder = layers.LSTMLayer(decoded, 4, hid_init=encoder)
    layer = layers.ReshapeLayer(decoder, (-1, 4))
    return layers.DenseLayer(layer, 2, nonlinearity=None)


@case(update=momentum)
def gru():
    return softmax(layers.GRULayer(sequences(), 4))


@case_of_0_2(update=adadelta)
def gru_with_its_last_output_only():
    layer = layers.GRULayer(
        sequences(),
        4,
        mask_input=masks(),
        learn_init=True,
        only_return_final=True,
        backwards=True,
    )
    return softmax(layer)


@case(update=rmsprop)
def gru_with_clipped_gradients():
    layer = layers.GRULayer(sequences(), 4, precompute_input=False, grad_clipping=0.02)
    return softmax(layers.GRULayer(layer, 3, backwards=True, learn_init=True))


@case(update=sgd)
def gru_unrolled():
    layer = layers.GRULayer(
        sequences(steps=4),
        3,
        unroll_scan=True,
        learn_init=True,
        hid_init=init.Normal(0.2),
        resetgate=layers.Gate(W_cell=None, W_hid=init.GlorotUniform()),
    )
    return softmax(layer)


@case(update=nesterov)
def embedding():
    layer = layers.EmbeddingLayer(tokens(), NUM_TOKENS, 3, W=init.Normal(0.5))
    return softmax(layers.DenseLayer(layer, 6, nonlinearity=nonlinearities.tanh))


@case(update=adam)
def embedding_and_gru():
    layer = layers.EmbeddingLayer(tokens(), NUM_TOKENS, 3, W=init.Normal(0.5))
    layer = layers.GRULayer(layer, 4, mask_input=masks())
    return softmax(layers.SliceLayer(layer, -1, axis=1))


# Normalisation, noise.


@case(update=momentum)
def local_response_normalization():
    layer = layers.Conv2DLayer(images(), 7, 3)
    layer = layers.LocalResponseNormalization2DLayer(layer, alpha=0.1, k=1.5, n=3)
    return softmax(layer)


@case_of_0_2(update=momentum)
def batch_normalization():
    layer = layers.batch_norm(layers.DenseLayer(vectors(), 7))
    layer = layers.BatchNormLayer(layer, beta=None, gamma=None)
    return softmax(layer)


@case_of_0_2(update=nesterov)
def batch_normalization_on_images():
    layer = layers.Conv2DLayer(images(), 4, 3, nonlinearity=nonlinearities.tanh)
    layer = layers.batch_norm(layer, epsilon=1e-3, alpha=0.2)
    layer = layers.BatchNormLayer(layer, axes=(0, 2), gamma=init.Uniform((0.9, 1.1)))
    return softmax(layer)


@case_of_0_2(update=adam)
def batch_normalization_with_given_averages():
    layer = layers.BatchNormLayer(
        layers.DenseLayer(vectors(), 7), epsilon=0.01, alpha=0.5
    )
    layer = layers.BatchNormLayer(
        layers.DenseLayer(layer, 5), mean=init.Constant(0.1), inv_std=init.Constant(2)
    )
    return softmax(layer)


@case_of_0_2(update=momentum)
def standardization():
    layer = layers.Conv2DLayer(images(), 4, 3, nonlinearity=nonlinearities.tanh)
    layer = layers.instance_norm(layer)
    layer = layers.StandardizationLayer(layer, axes="spatial", epsilon=1e-3)
    return softmax(layers.layer_norm(layers.DenseLayer(layer, 6)))


@case_of_0_2(update=momentum)
def standardized_input():
    offset, scale = numpy.linspace(-0.2, 0.3, 8), numpy.linspace(0.5, 1.5, 8)
    layer = layers.standardize(vectors(), offset, scale, shared_axes=0)
    return softmax(layers.DenseLayer(layer, 6))


@case(update=momentum)
def dropout():
    layer = layers.DropoutLayer(vectors(), p=0.2)
    layer = layers.DenseLayer(layer, 9, nonlinearity=nonlinearities.tanh)
    layer = layers.dropout(layer)
    layer = layers.DenseLayer(layer, 9, nonlinearity=nonlinearities.tanh)
    return softmax(layers.DropoutLayer(layer, p=0.4, rescale=False))


@case(update=momentum)
def dropout_of_an_unknown_batch_size():
    layer = layers.DropoutLayer(images(batch_size=None), p=0.3)
    return softmax(layers.DropoutLayer(layers.Conv2DLayer(layer, 3, 3)))


@case(update=momentum)
def dropout_around_lstm():
    layer = layers.LSTMLayer(layers.DropoutLayer(sequences(), p=0.2), 4)
    return softmax(layers.DropoutLayer(layer))


@case_of_0_2(update=momentum)
def dropout_of_channels_and_locations():
    layer = layers.dropout_channels(images(4), p=0.3)
    layer = layers.Conv2DLayer(layer, 4, 3, nonlinearity=nonlinearities.tanh)
    layer = layers.dropout_locations(layers.spatial_dropout(layer, p=0.2), p=0.2)
    return softmax(layer)


@case(update=momentum)
def gaussian_noise():
    layer = layers.GaussianNoiseLayer(vectors(), sigma=0.3)
    layer = layers.DenseLayer(layer, 7, nonlinearity=nonlinearities.tanh)
    return softmax(layers.GaussianNoiseLayer(layer))


@case_of_0_2(update=momentum)
def randomized_rectifier():
    layer = layers.DenseLayer(vectors(), 7, nonlinearity=None)
    layer = layers.RandomizedRectifierLayer(layer)
    layer = layers.rrelu(layers.DenseLayer(layer, 6), lower=0.1, upper=0.5)
    return softmax(layer)


# Shapes, merges.


@case(update=momentum)
def shapes():
    layer = layers.ReshapeLayer(images(), ([0], -1, 6, 7))
    layer = layers.DimshuffleLayer(layer, (0, 3, 1, 2))
    layer = layers.PadLayer(layer, [1, (0, 2)], val=0.5)
    layer = layers.Conv2DLayer(layer, 3, 3, nonlinearity=nonlinearities.tanh)
    layer = layers.SliceLayer(layer, slice(1, -1), axis=3)
    layer = layers.FlattenLayer(layer, outdim=3)
    layer = layers.Conv1DLayer(layer, 3, 3)
    return softmax(layers.SliceLayer(layer, -1, axis=1))


@case(update=momentum)
def added_axes():
    layer = layers.DimshuffleLayer(vectors(12), (0, "x", 1))
    layer = layers.Conv1DLayer(layer, 3, 3, nonlinearity=nonlinearities.tanh)
    layer = layers.DimshuffleLayer(layer, (0, 1, "x", 2))
    layer = layers.PadLayer(layer, [(1, 0), 1])
    return softmax(layers.Conv2DLayer(layer, 2, (2, 3)))


@case(update=momentum)
def concatenated():
    incoming = images()
    branches = [
        layers.Conv2DLayer(incoming, 2, size, pad="same", nonlinearity=nonlinearity)
        for size, nonlinearity in ((1, None), (3, nonlinearities.tanh))
    ]
    layer = layers.ConcatLayer([*branches, incoming])
    return softmax(layers.ConcatLayer([layer, layer], axis=3))


@case_of_0_2(update=momentum)
def concatenated_and_cropped():
    incoming = images()
    branches = [
        layers.Conv2DLayer(incoming, 2, size, nonlinearity=nonlinearities.tanh)
        for size in (1, 3)
    ]
    cropping = [None, None, "center", "upper"]
    layer = layers.ConcatLayer(branches, axis=1, cropping=cropping)
    other = layers.Conv2DLayer(incoming, 4, (2, 4), nonlinearity=nonlinearities.tanh)
    cropping = [None, None, "lower", "center"]
    return softmax(layers.ElemwiseSumLayer([layer, other], cropping=cropping))


@case(update=momentum)
def merged_element_by_element():
    incoming = vectors()
    one, two, three = (
        layers.DenseLayer(incoming, 6, nonlinearity=nonlinearities.tanh)
        for _ in range(3)
    )
    summed = layers.ElemwiseSumLayer([one, two], coeffs=[0.5, -2.0])
    return softmax(layers.ElemwiseMergeLayer([summed, three], T.mul))


@case(update=momentum)
def two_inputs():
    picture = layers.Conv2DLayer(images(), 3, 3, nonlinearity=nonlinearities.tanh)
    facts = layers.DenseLayer(InputLayer((BATCH_SIZE, 5), name="facts"), 4)
    merged = layers.ConcatLayer([layers.FlattenLayer(picture), facts])
    return softmax(layers.DenseLayer(merged, 6))


@case(update=momentum)
def residual_blocks():
    layer = layers.Conv2DLayer(images(), 3, 3, pad="same")
    for _ in range(2):
        branch = layers.Conv2DLayer(layer, 3, 3, pad="same")
        branch = layers.Conv2DLayer(branch, 3, 3, pad="same", nonlinearity=None)
        layer = layers.NonlinearityLayer(layers.ElemwiseSumLayer([layer, branch]))
    return softmax(layers.GlobalPoolLayer(layer))


# Special layers.


@case_of_0_2(update=momentum)
def bias_and_scale():
    layer = layers.BiasLayer(images(), b=init.Normal(0.1))
    layer = layers.ScaleLayer(layer, scales=init.Uniform((0.5, 1.5)), shared_axes=0)
    layer = layers.Conv2DLayer(layer, 3, 3, nonlinearity=nonlinearities.tanh)
    return softmax(layers.BiasLayer(layer, shared_axes=(0, 1)))


@case_of_0_2(update=momentum)
def parametric_rectifier():
    layer = layers.Conv2DLayer(images(), 3, 3, nonlinearity=None)
    layer = layers.ParametricRectifierLayer(layer)
    layer = layers.prelu(layers.Conv2DLayer(layer, 3, 2))
    layer = layers.ParametricRectifierLayer(layer, shared_axes=(0, 2, 3))
    return softmax(layers.ParametricRectifierLayer(layer, shared_axes="all"))


@case_of_0_2(update=momentum)
def expression():
    layer = layers.DenseLayer(vectors(), 6, nonlinearity=None)
    layer = layers.ExpressionLayer(layer, lambda x: T.sgn(x) * T.sqrt(abs(x) + 1e-2))
    layer = layers.ExpressionLayer(
        layer, lambda x: T.concatenate([x, x**2], axis=1), output_shape="auto"
    )
    return softmax(layer)


@case_of_0_2(squares, momentum)
def inverse_of_dense():
    incoming = vectors()
    encoder = layers.DenseLayer(incoming, 5, b=None, nonlinearity=None)
    layer = layers.NonlinearityLayer(encoder, nonlinearities.tanh)
    return layers.InverseLayer(layer, encoder)


@case_of_0_2(squares, momentum)
def inverse_of_conv_and_pool():
    """Convolution, pooling, and back: a convolutional autoencoder."""
    incoming = images(1, 6, 6)
    convolution = layers.Conv2DLayer(incoming, 3, 3, b=None, nonlinearity=None)
    pool = layers.MaxPool2DLayer(convolution, 2)
    code = layers.DenseLayer(pool, 5, nonlinearity=nonlinearities.tanh)
    layer = layers.DenseLayer(code, 12, nonlinearity=nonlinearities.tanh)
    layer = layers.ReshapeLayer(layer, ([0], 3, 2, 2))
    layer = layers.InverseLayer(layer, pool)
    return layers.InverseLayer(layer, convolution)


@case_of_0_2(update=momentum)
def transformer():
    incoming = images(1, 8, 8)
    locator = layers.DenseLayer(layers.Conv2DLayer(incoming, 2, 3), 5)
    bias = numpy.array([0.9, 0.1, 0.05, -0.1, 1.1, 0.02])
    locator = layers.DenseLayer(
        locator, 6, W=init.Normal(0.05), b=bias, nonlinearity=None
    )
    layer = layers.TransformerLayer(incoming, locator, downsample_factor=(1, 2))
    return softmax(layers.Conv2DLayer(layer, 3, 3))


@case_of_0_2(update=momentum)
def transformer_that_wraps():
    incoming = images(2, 6, 7)
    locator = layers.DenseLayer(
        incoming, 6, W=init.Normal(0.1), b=init.Normal(0.5), nonlinearity=None
    )
    layer = layers.TransformerLayer(incoming, locator, border_mode="wrap")
    other = layers.TransformerLayer(incoming, locator, border_mode="mirror")
    return softmax(layers.ConcatLayer([layer, other]))


@case_of_0_2(update=momentum)
def transformer_by_thin_plate_splines():
    incoming = images(1, 8, 8)
    locator = layers.DenseLayer(
        incoming, 32, W=init.Normal(0.02), b=init.Normal(0.1), nonlinearity=None
    )
    layer = layers.TPSTransformerLayer(incoming, locator)
    return softmax(layers.Conv2DLayer(layer, 3, 3))


# Objectives, penalties.


@case(distributions, sgd)
def against_distributions():
    return softmax(layers.DenseLayer(vectors(), 7, nonlinearity=nonlinearities.tanh))


@case(bits, nesterov)
def against_bits():
    layer = layers.Conv2DLayer(images(), 3, 3, nonlinearity=nonlinearities.tanh)
    return layers.NINLayer(layer, 1, nonlinearity=nonlinearities.sigmoid)


def weighted_squares(predictions, targets):
    weights = T.switch(targets > 0, 2.0, 0.5)
    loss = objectives.squared_error(predictions, targets)
    return objectives.aggregate(loss, weights, mode="normalized_sum")


@case(Objective(weighted_squares, draw_reals), sgd)
def against_weighted_targets():
    layer = layers.DenseLayer(vectors(), 7, nonlinearity=nonlinearities.tanh)
    return layers.DenseLayer(layer, 2, nonlinearity=None)


def clipped_crossentropy(predictions, targets):
    """As written by those whose logarithm had met a zero."""
    predictions = T.clip(predictions, 1e-7, 1.0 - 1e-7)
    loss = objectives.categorical_crossentropy(predictions, targets)
    return objectives.aggregate(loss, mode="sum") / targets.shape[0]


@case(Objective(clipped_crossentropy, draw_classes), sgd)
def against_clipped_predictions():
    return softmax(layers.DenseLayer(vectors(), 7))


@case(update=sgd, penalty=lambda layer: 0.01 * regularize_network_params(layer, l2))
def with_weight_decay():
    return softmax(layers.Conv2DLayer(images(), 3, 3))


def weighted_penalties(output_layer):
    hidden = layers.get_all_layers(output_layer)[1]
    weights = {hidden: 1e-2, output_layer: 1e-3}
    return regularize_layer_params_weighted(weights, l1) + 0.1 * (
        lasagne.regularization.regularize_layer_params(
            hidden, l2, tags={"regularizable": True}
        )
    )


@case(update=momentum, penalty=weighted_penalties)
def with_sparse_weights():
    return softmax(layers.DenseLayer(vectors(), 7, nonlinearity=nonlinearities.tanh))


if HAS_0_2:
    binary_hinge = Objective(
        lambda p, t: objectives.binary_hinge_loss(p, t, log_odds=False), draw_bits
    )
    log_odds_hinge = Objective(
        lambda p, t: objectives.binary_hinge_loss(p, t, delta=0.5, log_odds=True),
        draw_bits,
    )
    multiclass_hinge = Objective(
        lambda p, t: objectives.multiclass_hinge_loss(p, t, delta=0.4), draw_classes
    )
    huber = Objective(lambda p, t: objectives.huber_loss(p, t, delta=0.5), draw_reals)
else:
    binary_hinge = log_odds_hinge = multiclass_hinge = huber = None


@case_of_0_2(binary_hinge, sgd)
def against_a_hinge():
    layer = layers.DenseLayer(vectors(), 7, nonlinearity=nonlinearities.tanh)
    return layers.DenseLayer(layer, 1, nonlinearity=nonlinearities.sigmoid)


@case_of_0_2(log_odds_hinge, sgd)
def against_a_hinge_of_log_odds():
    layer = layers.DenseLayer(vectors(), 7, nonlinearity=nonlinearities.tanh)
    return layers.DenseLayer(layer, 3, nonlinearity=None)


@case_of_0_2(multiclass_hinge, sgd)
def against_a_multiclass_hinge():
    return softmax(layers.DenseLayer(vectors(), 7))


@case_of_0_2(huber, sgd)
def against_huber():
    layer = layers.DenseLayer(vectors(), 7, nonlinearity=nonlinearities.tanh)
    return layers.DenseLayer(layer, 2, nonlinearity=None)


# Updates.


def sgd_of_a_constrained_norm(loss, parameters):
    gradients = updates.total_norm_constraint(theano.grad(loss, parameters), 0.1)
    found = updates.sgd(gradients, parameters, learning_rate=1.0)
    return updates.apply_nesterov_momentum(found, momentum=0.5)


def sgd_of_constrained_weights(loss, parameters):
    found = updates.sgd(loss, parameters, learning_rate=0.5)
    for parameter in parameters:
        if parameter.ndim > 1:
            found[parameter] = updates.norm_constraint(found[parameter], 0.8)
    return updates.apply_momentum(found, momentum=0.5)


def sgd_of_a_decaying_rate(loss, parameters):
    rate = theano.shared(numpy.asarray(0.5, theano.config.floatX), "rate")
    found = updates.sgd(loss, parameters, learning_rate=rate)
    found[rate] = rate * 0.9
    return found


def adam_of_scaled_gradients(loss, parameters):
    gradients = [
        gradient / (1 + gradient.norm(2)) for gradient in theano.grad(loss, parameters)
    ]
    return updates.adam(gradients, parameters, learning_rate=0.02, epsilon=1e-6)


def tanh_network():
    layer = layers.Conv2DLayer(images(), 3, 3, nonlinearity=nonlinearities.tanh)
    return softmax(layers.DenseLayer(layer, 5, nonlinearity=nonlinearities.tanh))


UPDATES = [sgd, momentum, nesterov, adagrad, rmsprop, adadelta, adam]
UPDATES_OF_OURS = [
    sgd_of_a_constrained_norm,
    sgd_of_constrained_weights,
    sgd_of_a_decaying_rate,
    adam_of_scaled_gradients,
]
for update in UPDATES + UPDATES_OF_OURS:
    name = getattr(update, "func", update).__name__
    CASES["updated_by_" + name] = Case(tanh_network, classes, update, None)

for name in ("adamax", "amsgrad"):
    NEEDS_0_2.append("updated_by_" + name)
    if HAS_0_2:
        update = functools.partial(getattr(updates, name), learning_rate=0.02)
        CASES["updated_by_" + name] = Case(tanh_network, classes, update, None)


def draw_all(rng, array_of, shape):
    """A batch for each step: ``(NUM_STEPS,) + shape``."""
    return numpy.array([array_of(rng, shape) for _ in range(NUM_STEPS)])


def draw_batches(seed, input_layers, output_layer, draw_targets):
    """The inputs of all steps, an array for each input layer, and the targets.

    A dimension of unknown size gets ``BATCH_SIZE``. ``RandomState.uniform`` alone is
    drawn from, whose stream is the same in every NumPy.
    """
    rng = numpy.random.RandomState(seed + 1)
    shapes = [
        tuple(size or BATCH_SIZE for size in layer.shape) for layer in input_layers
    ]
    inputs = [
        draw_all(rng, DRAW_INPUTS.get(layer.name, draw_reals), shape)
        for layer, shape in zip(input_layers, shapes)
    ]
    shape_of_output = layers.get_output_shape(
        output_layer, dict(zip(input_layers, shapes))
    )
    return inputs, draw_all(rng, draw_targets, shape_of_output)


def train(name, seed):
    """Build and train the named network; ``theano.config.floatX`` must be float64.

    Returns the loss before each step as floats, and then the parameters, those that
    are not trained among them, in the order of ``get_all_params``.
    """
    it = CASES[name]
    lasagne.random.set_rng(numpy.random.RandomState(seed))
    output_layer = it.build()
    input_layers = [
        layer
        for layer in layers.get_all_layers(output_layer)
        if isinstance(layer, InputLayer)
    ]
    inputs, targets = draw_batches(
        seed, input_layers, output_layer, it.objective.draw_targets
    )
    target = T.TensorType(targets.dtype, [False] * (targets.ndim - 1))("targets")
    loss = objectives.aggregate(
        it.objective.loss(layers.get_output(output_layer), target)
    )
    if it.penalty:
        loss = loss + it.penalty(output_layer)
    step = theano.function(
        [layer.input_var for layer in input_layers] + [target],
        loss,
        updates=it.update(loss, layers.get_all_params(output_layer, trainable=True)),
    )
    losses = [float(step(*arrays)) for arrays in zip(*(inputs + [targets]))]
    return Trace(losses, layers.get_all_param_values(output_layer))
