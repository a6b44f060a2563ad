"""The two networks as nolearn has them, and what an override may be."""

import inspect
import os
import subprocess
import sys

import lasagne
import pytest
from lasagne import layers
from lasagne.nonlinearities import rectify, softmax
from lasagne.updates import adam, momentum, nesterov_momentum, sgd
from nolearn.lasagne import NeuralNet

from mnist_cnn.errors import ExperimentError
from mnist_cnn.network import NETWORKS, NetworkError, build_network

CONV1 = (5 * 5 * 1 + 1) * 32
DENSE_OF_OUTPUT = (256 + 1) * 10
TOTALS = {
    "question": CONV1
    + (3 * 3 * 32 + 1) * 32
    + (32 * 5 * 5 + 1) * 256
    + DENSE_OF_OUTPUT,
    "blog": CONV1 + (5 * 5 * 32 + 1) * 32 + (32 * 4 * 4 + 1) * 256 + DENSE_OF_OUTPUT,
}


def count_parameters(net: NeuralNet) -> int:
    [output_layer] = net.initialize_layers()
    return lasagne.layers.count_params(output_layer, trainable=True)


def test_there_are_two_networks():
    assert set(NETWORKS) == set(TOTALS)
    assert TOTALS == {"question": 217_706, "blog": 160_362}


@pytest.mark.parametrize("network", TOTALS)
def test_network_has_its_learnable_parameters(network):
    assert count_parameters(build_network(network)) == TOTALS[network]


def test_question_is_the_default():
    assert build_network().layers == build_network("question").layers


def test_question_is_the_questions_keyword_for_keyword():
    assert dict(NETWORKS["question"]) == dict(
        layers=[
            ("input", layers.InputLayer),
            ("conv2d1", layers.Conv2DLayer),
            ("maxpool1", layers.MaxPool2DLayer),
            ("conv2d2", layers.Conv2DLayer),
            ("maxpool2", layers.MaxPool2DLayer),
            ("dense", layers.DenseLayer),
            ("output", layers.DenseLayer),
        ],
        input_shape=(None, 1, 28, 28),
        conv2d1_num_filters=32,
        conv2d1_filter_size=(5, 5),
        conv2d1_nonlinearity=rectify,
        maxpool1_pool_size=(2, 2),
        conv2d2_num_filters=32,
        conv2d2_filter_size=(3, 3),
        conv2d2_nonlinearity=rectify,
        maxpool2_pool_size=(2, 2),
        dense_num_units=256,
        dense_nonlinearity=rectify,
        output_nonlinearity=softmax,
        output_num_units=10,
        update=momentum,
        update_learning_rate=0.01,
        update_momentum=0.9,
        max_epochs=10,
        verbose=1,
    )


def test_blog_has_two_dropout_layers_and_nesterov_momentum():
    net = build_network("blog")
    net.initialize_layers()
    dropped = {
        name: layer.p
        for name, layer in net.layers_.items()
        if isinstance(layer, layers.DropoutLayer)
    }
    assert dropped == {"dropout1": 0.5, "dropout2": 0.5}
    assert net.update is nesterov_momentum


def test_overrides_replace_keywords():
    net = build_network(dense_num_units=128, max_epochs=2, verbose=0)
    assert (net.dense_num_units, net.max_epochs, net.verbose) == (128, 2, 0)
    assert net.conv2d1_num_filters == 32
    replaced = (32 * 5 * 5 + 1) * 128 + (128 + 1) * 10
    given_up = (32 * 5 * 5 + 1) * 256 + (256 + 1) * 10
    assert count_parameters(net) == TOTALS["question"] - given_up + replaced


def test_building_leaves_the_networks_alone():
    before = dict(NETWORKS["question"])
    net = build_network(dense_num_units=128)
    net.layers.append(("another", layers.DenseLayer))
    assert dict(NETWORKS["question"]) == before
    assert ("another", layers.DenseLayer) not in NETWORKS["question"]["layers"]


@pytest.mark.parametrize(
    "overrides",
    [
        {"conv2d1_stride": (2, 2)},
        {"conv2d2_pad": "same"},
        {"conv2d1_W": lasagne.init.Normal()},
        {"maxpool1_ignore_border": False},
        {"output_incoming": "maxpool2"},
        {"dense_layer_wrapper": layers.dropout},
        {"input_input_var": None},
        {"objective_l2": 1e-4},
        {"objective_loss_function": lasagne.objectives.squared_error},
        {"update": sgd},
        {"update": adam, "update_beta1": 0.8},
        {"regression": True},
        {"custom_scores": []},
    ],
    ids=lambda overrides: "+".join(overrides),
)
def test_keyword_that_nolearn_understands_is_accepted(overrides):
    net = build_network(**overrides)
    net.initialize_layers()
    net._check_for_unused_kwargs()


def test_keywords_that_another_update_lacks_are_left_out():
    net = build_network(update=sgd)
    assert not hasattr(net, "update_momentum")
    assert net.update_learning_rate == 0.01


def test_keywords_of_layers_that_are_gone_are_left_out():
    net = build_network(
        layers=[
            ("input", layers.InputLayer),
            ("hidden", layers.DenseLayer),
            ("output", layers.DenseLayer),
        ],
        hidden_num_units=30,
    )
    assert count_parameters(net) == (28 * 28 + 1) * 30 + (30 + 1) * 10
    net._check_for_unused_kwargs()


@pytest.mark.parametrize(
    ("unknown", "nearest"),
    [
        ("conv2d1_num_filter", "conv2d1_num_filters"),
        ("dense_numunits", "dense_num_units"),
        ("conv2d3_num_filters", "conv2d2_num_filters"),
        ("maxpool1_stides", "maxpool1_stride"),
        ("max_epoch", "max_epochs"),
        ("update_learningrate", "update_learning_rate"),
        ("objective_l22", "objective_l2"),
    ],
)
def test_unknown_keyword_is_told_the_nearest(unknown, nearest):
    with pytest.raises(NetworkError) as error:
        build_network(**{unknown: 1})
    assert f"no keyword {unknown!r}" in str(error.value)
    assert f"the nearest one is {nearest!r}" in str(error.value)


def test_all_unknown_keywords_are_named_at_once():
    with pytest.raises(NetworkError) as error:
        build_network(verbos=1, dense_units=3)
    assert "'verbos'" in str(error.value)
    assert "'dense_units'" in str(error.value)


@pytest.mark.parametrize("name", ["update_params", "objective_target", "dense_name"])
def test_what_nolearn_passes_itself_is_no_keyword(name):
    with pytest.raises(NetworkError, match=repr(name)):
        build_network(**{name: 1})


def test_keyword_of_another_network_is_unknown():
    build_network("blog", dropout1_p=0.2)
    with pytest.raises(NetworkError, match="'dropout1_p'"):
        build_network("question", dropout1_p=0.2)


def test_unknown_network_is_told_those_there_are():
    with pytest.raises(NetworkError) as error:
        build_network("lenet")
    assert str(error.value) == (
        "there is no network 'lenet'; the networks are 'blog' and 'question'"
    )


def test_layers_of_another_form_are_refused():
    with pytest.raises(NetworkError, match=r"needed is a list of \(name, class\)"):
        build_network(layers=[(layers.InputLayer, {"shape": (None, 1, 28, 28)})])


def test_errors_are_caught_as_ours_and_as_nolearns():
    assert issubclass(NetworkError, ExperimentError)
    # nolearn raises ValueError for a keyword that it cannot place.
    source = inspect.getsource(NeuralNet._check_for_unused_kwargs)
    assert "raise ValueError" in source
    assert issubclass(NetworkError, ValueError)


def test_importing_the_package_changes_no_setting():
    code = (
        "import theano; before = theano.config.floatX\n"
        "from mnist_cnn import build_network, compare, run_experiment\n"
        "build_network()\n"
        "assert before == theano.config.floatX == 'float64'"
    )
    unset = {"THEANO_FLAGS": "", "THEANORC": ""}
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | unset)
