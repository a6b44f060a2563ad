"""What nolearn prints: captured byte for byte, read back, the net left as it was."""

import json
from pathlib import Path

import lasagne
import numpy as np
import pytest
from lasagne import layers
from lasagne.nonlinearities import softmax
from nolearn.lasagne import NeuralNet, PrintLayerInfo

from mnist_cnn.errors import ExperimentError
from mnist_cnn.layer_info import (
    LayerInfoError,
    PrintedRow,
    capture_layer_info,
    read_layer_info,
)
from mnist_cnn.network import build_network

REFERENCE = Path(__file__).parent / "reference" / "reference.json"
GENUINE = json.loads(REFERENCE.read_text(encoding="utf-8"))
SIZES = {
    "input": "1x28x28",
    "conv2d1": "32x24x24",
    "maxpool1": "32x12x12",
    "conv2d2": "32x10x10",
    "maxpool2": "32x5x5",
    "dense": "256",
    "output": "10",
}
TOTAL = (5 * 5 * 1 + 1) * 32 + (3 * 3 * 32 + 1) * 32 + (800 + 1) * 256 + (256 + 1) * 10


def genuine(verbose: int) -> str:
    return GENUINE[f"layer_info_verbose{verbose}"]


def initialize_layers(net: NeuralNet) -> NeuralNet:
    net.initialize_layers()
    return net


def print_as_nolearn(net: NeuralNet, capsys: pytest.CaptureFixture[str]) -> str:
    """What nolearn itself prints of an initialised net."""
    capsys.readouterr()
    PrintLayerInfo()(net)
    return capsys.readouterr().out


# Captured


@pytest.mark.parametrize("prepare", [lambda net: net, initialize_layers])
@pytest.mark.parametrize("verbose", [1, 2, 3])
def test_text_is_the_genuine_stacks_byte_for_byte(verbose, prepare):
    net = prepare(build_network(verbose=verbose))
    assert capture_layer_info(net).text == genuine(verbose)


def test_colours_are_captured():
    assert "\x1b[35mmagenta\x1b[0m" in capture_layer_info(build_network(verbose=2)).text


def test_nothing_is_printed(capfd):
    capture_layer_info(build_network())
    assert capfd.readouterr() == ("", "")


def test_silent_net_has_its_information_too():
    assert capture_layer_info(build_network(verbose=0)).text == genuine(1)


NETS = {
    "blog": lambda: build_network("blog", verbose=2),
    "no convolution": lambda: NeuralNet(
        [
            (layers.InputLayer, {"shape": (None, 5)}),
            (layers.DenseLayer, {"num_units": 3}),
        ],
        verbose=2,
    ),
    "class names": lambda: NeuralNet(
        [
            ("lasagne.layers.InputLayer", {"shape": (None, 1, 9, 9)}),
            ("lasagne.layers.Conv2DLayer", {"num_filters": 2, "filter_size": 3}),
        ],
        verbose=2,
    ),
    "Lasagne layer": lambda: NeuralNet(
        layers.DenseLayer(layers.InputLayer((None, 5)), num_units=3), verbose=1
    ),
    "names with blanks": lambda: NeuralNet(
        [
            (layers.InputLayer, {"shape": (None, 5), "name": "the input"}),
            (layers.DenseLayer, {"num_units": 3, "name": "a dense layer"}),
        ]
    ),
    "numbers for names": lambda: NeuralNet(
        [
            (layers.InputLayer, {"shape": (None, 5), "name": "10"}),
            (layers.DenseLayer, {"num_units": 3, "name": "7"}),
        ]
    ),
    "no fixed size": lambda: NeuralNet(
        [
            (layers.InputLayer, {"shape": (None, 1, None, 9), "name": "input"}),
            (layers.Conv2DLayer, {"num_filters": 2, "filter_size": 3, "name": "c"}),
        ],
        verbose=1,
    ),
    "no size at all": lambda: NeuralNet(
        [
            (layers.InputLayer, {"shape": (None, 5), "name": "input"}),
            (layers.DenseLayer, {"num_units": 3, "name": "dense"}),
            (layers.SliceLayer, {"indices": 0, "axis": 1, "name": "first"}),
        ]
    ),
}


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_any_net_is_captured_and_read_back(make, capsys):
    net = make()
    captured = capture_layer_info(net)
    net.initialize_layers()
    assert captured.text == print_as_nolearn(net, capsys)
    assert captured.rows == capture_layer_info(net).rows
    shown = list(net.layers_.values())
    sizes = ["x".join(map(str, layer.output_shape[1:])) for layer in shown]
    assert [row.size for row in captured.rows] == sizes
    assert [row.index for row in captured.rows] == list(range(len(shown)))
    assert captured.total == layers.count_params(shown[-1], trainable=True)


def test_names_are_the_printed_ones():
    names = {
        key: [row.name for row in capture_layer_info(make()).rows]
        for key, make in NETS.items()
    }
    assert names["names with blanks"] == ["the input", "a dense layer"]
    assert names["numbers for names"] == ["10", "7"]
    # nolearn prints nothing for a Lasagne layer without a name.
    assert names["Lasagne layer"] == ["", ""]
    assert names["no convolution"] == ["input0", "dense1"]


# The net is left as it was


def test_net_that_is_not_initialised_stays_so():
    net = build_network()
    before = dict(vars(net))
    capture_layer_info(net)
    assert vars(net) == before
    assert not hasattr(net, "layers_")


@pytest.mark.parametrize("verbose", [1, 2])
def test_no_function_is_compiled(verbose, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a function was compiled")

    monkeypatch.setattr("theano.function", refuse)
    assert capture_layer_info(build_network(verbose=verbose)).total == TOTAL


def test_weights_of_an_initialised_net_are_kept():
    net = initialize_layers(build_network())
    made = list(net.layers_.values())
    weights = [parameter.get_value() for parameter in net.get_all_params()]
    capture_layer_info(net)
    assert list(net.layers_.values()) == made
    for parameter, before in zip(net.get_all_params(), weights, strict=True):
        np.testing.assert_array_equal(parameter.get_value(), before)


@pytest.fixture
def restored_generator():
    before = lasagne.random.get_rng()
    yield
    lasagne.random.set_rng(before)


@pytest.mark.parametrize("network", ["question", "blog"])
@pytest.mark.parametrize(
    "generator",
    [lambda: np.random.RandomState(42), lambda: np.random],
    ids=["own", "numpy's"],
)
def test_seeded_run_draws_the_same_weights_after_a_capture(
    network, generator, restored_generator
):
    def draw(capture: bool) -> tuple[list[np.ndarray], int]:
        np.random.seed(42)
        lasagne.random.set_rng(generator())
        net = build_network(network)
        if capture:
            capture_layer_info(net)
        net.initialize_layers()
        weights = [parameter.get_value() for parameter in net.get_all_params()]
        return weights, lasagne.random.get_rng().randint(2**31 - 1)

    undisturbed, captured = draw(capture=False), draw(capture=True)
    for one, other in zip(undisturbed[0], captured[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert undisturbed[1] == captured[1]


def test_generator_is_put_back_after_an_error(restored_generator):
    generator = np.random.RandomState(42)
    lasagne.random.set_rng(generator)
    impossible = NeuralNet(
        [
            (layers.InputLayer, {"shape": (None, 5)}),
            (layers.DenseLayer, {"num_units": 3}),
            (layers.DenseLayer, {"num_units": 3, "W": np.zeros((7, 7))}),
        ]
    )
    with pytest.raises(RuntimeError):
        capture_layer_info(impossible)
    assert generator.randint(2**31) == np.random.RandomState(42).randint(2**31)


# Read back


def test_plain_table_gives_index_name_and_size():
    info = read_layer_info(genuine(1))
    assert info.rows == tuple(
        PrintedRow(index, name, size)
        for index, (name, size) in enumerate(SIZES.items())
    )
    assert info.total == TOTAL


def percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2)


@pytest.mark.parametrize("verbose", [2, 3])
def test_table_of_convolutions_gives_capacity_and_coverage(verbose):
    info = read_layer_info(genuine(verbose))
    rows = {row.name: row for row in info.rows}
    assert {name: row.size for name, row in rows.items()} == SIZES
    assert rows["conv2d1"].total == 32 * 24 * 24
    # One pooling of 2 makes a filter of 3 one of 6 of the 28 pixels; its field is
    # 5 + 2*(3 - 1).
    assert rows["conv2d2"].capacity == (percent(6, 9),) * 2
    assert rows["conv2d2"].coverage == (percent(9, 28),) * 2
    assert rows["conv2d2"].filter == ((6, 6) if verbose == 3 else None)
    assert rows["conv2d2"].field == ((9, 9) if verbose == 3 else None)
    assert [row.index for row in info.rows] == list(range(7))
    assert info.total == TOTAL


@pytest.mark.parametrize("image_size", [28, 10])
def test_colours_are_read_back(image_size):
    size, depth = (image_size, image_size), 9
    convolution = {"num_filters": 1, "filter_size": 3, "pad": "same"}
    net = NeuralNet(
        [
            (layers.InputLayer, {"shape": (None, 1, *size)}),
            *[(layers.Conv2DLayer, convolution)] * depth,
        ],
        verbose=2,
    )
    fields = [3 + 2 * before for before in range(depth)]
    colour_of = {
        (False, False): "",
        (True, False): "magenta",
        (False, True): "cyan",
        (True, True): "red",
    }
    expected = [colour_of[field > 6 * 3, field > image_size] for field in fields]
    assert expected[-1] == {28: "magenta", 10: "red"}[image_size]
    info = capture_layer_info(net)
    assert [row.colour for row in info.rows] == ["", *expected]
    assert [row.name for row in info.rows[1:]] == [
        f"conv2d{index}" for index in range(1, depth + 1)
    ]


@pytest.mark.parametrize("verbose", [1, 2, 3])
def test_what_is_read_back_is_its_text(verbose):
    info = read_layer_info(genuine(verbose))
    assert info.text == str(info) == genuine(verbose)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "it starts with ''"),
        ("Training\n", "it starts with 'Training'"),
        (genuine(1).replace("## Layer", "## Other"), "is not nolearn's"),
        (genuine(1).replace("size", "form"), r"the columns \['#', 'name', 'form'\]"),
        (genuine(1).replace("  5  dense", "  6  dense"), "line 6 .* cannot be read"),
        (genuine(1).replace("dense   ", "a dense layer"), "line 6 .* cannot be read"),
        (genuine(2).replace("18432", "many "), "line 2 .* cannot be read"),
        (genuine(1).partition("  0")[0].rstrip("\n"), None),
    ],
)
def test_other_text_is_refused(text, complaint):
    if complaint is None:
        assert read_layer_info(text).rows == ()
        return
    with pytest.raises(LayerInfoError, match=complaint):
        read_layer_info(text)


def test_name_with_a_line_break_is_refused_not_misread():
    net = NeuralNet(
        [
            (layers.InputLayer, {"shape": (None, 5), "name": "input"}),
            (layers.DenseLayer, {"num_units": 3, "name": "two\nlines"}),
            (layers.DenseLayer, {"num_units": 3, "name": "output"}),
        ],
        output_nonlinearity=softmax,
    )
    with pytest.raises(LayerInfoError, match="line 3 .* cannot be read back"):
        capture_layer_info(net)


def test_errors_are_ours():
    assert issubclass(LayerInfoError, ExperimentError)
