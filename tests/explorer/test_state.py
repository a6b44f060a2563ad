"""A network as the page holds it comes back the same."""

import json
from pathlib import Path

import pytest

from mnist_cnn import by_hand
from mnist_cnn.by_hand.read_text import read_text
from mnist_cnn.explorer.state import MOST_LAYERS, read_state, write_state

REFERENCE = Path(__file__).parents[1] / "reference"
ZOO = json.loads((REFERENCE / "layer_zoo.json").read_text("utf-8"))
BUILT = [network for network in ZOO if network["error"] is None]


def again(network):
    return read_state(json.loads(json.dumps(write_state(network))))


def test_every_network_of_the_zoo_comes_back():
    for one in BUILT:
        network = by_hand.read_network(one["layers"], one["lasagne"])
        table = by_hand.calculate(network)
        assert by_hand.calculate(again(network)) == table, one["id"]


def test_branches_sharing_slices_and_shapes_come_back():
    network = by_hand.read_network(
        [
            ("InputLayer", {"name": "image", "shape": (None, 3, 8, 8)}),
            ("NINLayer", {"name": "left", "num_units": 4}),
            ("NINLayer", {"name": "right", "num_units": 4, "incoming": "image"}),
            ("ConcatLayer", {"name": "both", "incomings": ["left", "right"]}),
            ("SliceLayer", {"name": "part", "indices": slice(0, 6, 2), "axis": 1}),
            ("DenseLayer", {"name": "a", "num_units": 7, "b": None}),
            ("DenseLayer", {"name": "b", "num_units": 7}),
            ("DenseLayer", {"name": "c", "num_units": 7, "W": "b"}),
            ("DenseLayer", {"name": "apart", "num_units": 2, "incoming": (None, 5)}),
            ("DenseLayer", {"name": "where", "num_units": 6, "incoming": "image"}),
            (
                "TransformerLayer",
                {"name": "t", "incoming": "image", "localization_network": "where"},
            ),
        ]
    )
    table = by_hand.calculate(network)
    assert by_hand.calculate(again(network)) == table
    assert table["c"].parameters == 7


CODE = """
from lasagne.layers import *
from lasagne.nonlinearities import rectify
l = InputLayer((None, 1, 28, 28), name='in')
l = Conv2DLayer(l, 32, 5, nonlinearity=rectify, pad='same')
l = MaxPool2DLayer(l, (2, 2))
l = DenseLayer(dropout(l, p=.5), 10)
"""


def test_pasted_code_comes_back():
    network = read_text(CODE)
    assert by_hand.calculate(again(network)) == by_hand.calculate(network)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (None, "an object with"),
        ({"layers": 3}, "an object with"),
        ({"layers": []}, "no layer"),
        ({"layers": [["DenseLayer"]]}, "needed is a pair"),
        ({"layers": [["InputLayer", {}]] * (MOST_LAYERS + 1)}, "are the most here"),
        ({"layers": [["InputLayer", {}]], "lasagne": 3}, 'where "0.1" is needed'),
        ({"layers": [["InputLayer", {}]], "lasagne": "7"}, "no rules for Lasagne"),
        ({"layers": [["InputLayer", {"shape": [10**13]}]]}, "larger than any size"),
        ({"layers": [["InputLayer", {"shape": [1e99]}]]}, "larger than any size"),
        ({"layers": [["InputLayer", {"shape": {"slice": [1, "a"]}}]]}, "is no slice"),
        ({"layers": [[[[[[[[[[[1]]]]]]]]]]]}, "nested too deeply"),
    ],
)
def test_what_is_no_state_is_told(state, told):
    with pytest.raises(by_hand.HandCalculationError, match=told):
        by_hand.calculate(read_state(state))


def test_what_the_page_cannot_say_is_told():
    import lasagne
    from lasagne.layers import CustomRecurrentLayer, DenseLayer, InputLayer

    layer = CustomRecurrentLayer(
        InputLayer((None, 5, 4)),
        DenseLayer(InputLayer((None, 4)), 3),
        DenseLayer(InputLayer((None, 3)), 3),
        hid_init=lasagne.init.Constant(0),
        name="own",
    )
    with pytest.raises(by_hand.HandCalculationError, match="own: its .* cannot say"):
        write_state(by_hand.read_network(layer))
