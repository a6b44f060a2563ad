"""The table: every form in which a network may be given, sharing, what is unknown."""

import json
import subprocess
import sys
from pathlib import Path

import lasagne
import pytest
from lasagne.layers import (
    ConcatLayer,
    Conv2DLayer,
    DenseLayer,
    DropoutLayer,
    ElemwiseSumLayer,
    InputLayer,
    LSTMLayer,
    MaxPool2DLayer,
    NINLayer,
    RecurrentLayer,
)
from nolearn.lasagne import NeuralNet

import theano.tensor as T
from mnist_cnn import build_network, by_hand

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden"
COUNTS = [0, (5 * 5 * 1 + 1) * 32, 0, (3 * 3 * 32 + 1) * 32, 0]
COUNTS += [(32 * 5 * 5 + 1) * 256, (256 + 1) * 10]
PAIRS = [
    ("input", InputLayer),
    ("conv2d1", Conv2DLayer),
    ("maxpool1", MaxPool2DLayer),
    ("conv2d2", Conv2DLayer),
    ("maxpool2", MaxPool2DLayer),
    ("dense", DenseLayer),
    ("output", DenseLayer),
]
KEYWORDS = dict(
    input_shape=(None, 1, 28, 28),
    conv2d1_num_filters=32,
    conv2d1_filter_size=(5, 5),
    maxpool1_pool_size=(2, 2),
    conv2d2_num_filters=32,
    conv2d2_filter_size=(3, 3),
    maxpool2_pool_size=(2, 2),
    dense_num_units=256,
    output_num_units=10,
)


def keyword_pairs(classes=False):
    return [
        (
            cls if classes else cls.__name__,
            {
                key.removeprefix(f"{name}_"): value
                for key, value in KEYWORDS.items()
                if key.startswith(f"{name}_")
            }
            | {"name": name},
        )
        for name, cls in PAIRS
    ]


def build_layers():
    layer = InputLayer((None, 1, 28, 28), name="input")
    layer = Conv2DLayer(layer, 32, 5, name="conv2d1")
    layer = MaxPool2DLayer(layer, 2, name="maxpool1")
    layer = Conv2DLayer(layer, 32, 3, name="conv2d2")
    layer = MaxPool2DLayer(layer, 2, name="maxpool2")
    layer = DenseLayer(layer, 256, name="dense")
    return DenseLayer(layer, 10, name="output")


def initialized(net):
    net.initialize_layers()
    return net


FORMS = {
    "net": lambda: build_network(),
    "initialised net": lambda: initialized(build_network()),
    "net of pairs": lambda: NeuralNet(
        layers=keyword_pairs(classes=True), update=lasagne.updates.sgd
    ),
    "net of layers": lambda: NeuralNet(build_layers(), update=lasagne.updates.sgd),
    "classes": lambda: keyword_pairs(classes=True),
    "names": keyword_pairs,
    "names with dots": lambda: [
        (f"lasagne.layers.{cls}", given) for cls, given in keyword_pairs()
    ],
    "JSON": lambda: json.loads(json.dumps(keyword_pairs())),
    "layer": build_layers,
    "layers": lambda: [build_layers()],
    "plain data": lambda: by_hand.NETWORKS["question"],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_table(form):
    table = by_hand.table(FORMS[form]())
    assert [row.name for row in table] == [name for name, _ in PAIRS]
    assert [row.type for row in table] == [cls.__name__ for _, cls in PAIRS]
    assert [row.parameters for row in table] == COUNTS
    assert table.total == sum(COUNTS)
    assert table["conv2d1"].size == (32, 24, 24)
    assert f"{table}\n" == (GOLDEN / "question.txt").read_text(encoding="utf-8")


def test_pairs_take_their_keywords_beside_them():
    table = by_hand.table(PAIRS, **KEYWORDS)
    assert [row.parameters for row in table] == COUNTS


def test_both_networks_are_those_that_nolearn_builds():
    for name, definition in by_hand.NETWORKS.items():
        built = by_hand.table(build_network(name))
        assert str(by_hand.table(definition)) == str(built)


def test_formulas_are_one_text_shown_and_computed():
    row = by_hand.table(by_hand.NETWORKS["question"])["conv2d1"]
    assert row.parameter_formula == "(5*5*1+1)*32"
    assert row.parameter_formula.symbolic == "(n*m*l + 1)*k"
    assert row.parameter_formula.value == (5 * 5 * 1 + 1) * 32
    assert [(one.name, one.shape, one.count) for one in row.tensors] == [
        ("W", (32, 1, 5, 5), 32 * 1 * 5 * 5),
        ("b", (32,), 32),
    ]


# Sharing and training


def test_weights_shared_by_objects_are_counted_once():
    incoming = InputLayer((None, 7))
    first = DenseLayer(incoming, 7, name="first")
    second = DenseLayer(first, 7, W=first.W, name="second")
    table = by_hand.table(second)
    assert table["second"].parameters == 7
    assert table["second"].tensors[0].shared_with == "first.W"
    assert table.total == lasagne.layers.count_params(second)
    assert "second.W is first.W, counted there" in str(table)


def test_weights_computed_from_another_layers_are_counted_there():
    image = InputLayer((None, 20), name="image")
    first = DenseLayer(image, 7, name="first")
    second = DenseLayer(first, 20, name="second")
    # Lasagne 0.1 takes no such W in the call.
    second.params = {first.W.T: {"trainable"}, second.b: {"trainable"}}
    second.W = next(iter(second.params))
    table = by_hand.table(second)
    assert [row.parameters for row in table] == [0, (20 + 1) * 7, 20]
    assert "second.W is computed from first.W, counted there" in str(table)


def test_weights_shared_by_name_are_counted_once_along_a_chain():
    dense = {"num_units": 7}
    table = by_hand.table(
        [
            ("InputLayer", {"shape": (None, 7)}),
            ("DenseLayer", dense | {"name": "a"}),
            ("DenseLayer", dense | {"name": "b", "W": "a"}),
            ("DenseLayer", dense | {"name": "c", "W": "b", "b": "a"}),
        ]
    )
    assert [row.parameters for row in table] == [0, 7 * 7 + 7, 7, 0]


def test_a_frozen_parameter_is_not_counted():
    layer = DenseLayer(InputLayer((None, 7)), 3, name="dense")
    layer.params[layer.W].remove("trainable")
    row = by_hand.table(layer)["dense"]
    assert (row.parameters, row.non_trainable) == (3, 7 * 3)


def test_an_expression_for_a_first_state_is_no_parameter():
    incoming = InputLayer((None, 5, 4))
    layer = LSTMLayer(incoming, 3, hid_init=T.matrix(), name="lstm")
    table = by_hand.table(layer)
    assert table.total == lasagne.layers.count_params(layer, trainable=True)
    everything = table.total + table.non_trainable_total
    assert everything == lasagne.layers.count_params(layer)


@pytest.mark.parametrize("learn_init", [False, True])
def test_recurrent_objects_count_the_layers_inside(learn_init):
    incoming = InputLayer((None, 5, 4))
    layer = RecurrentLayer(incoming, 3, learn_init=learn_init, name="recurrent")
    table = by_hand.table(layer)
    assert table.total == lasagne.layers.count_params(layer, trainable=True)
    assert table["recurrent"].size == (5, 3)


def test_several_outputs_and_merges():
    incoming = InputLayer((None, 2, 6, 6), name="input")
    left = NINLayer(incoming, 3, name="left")
    right = NINLayer(incoming, 3, name="right")
    both = ConcatLayer([left, right], name="both")
    total = ElemwiseSumLayer([left, right], name="sum")
    table = by_hand.table([both, total])
    assert table["both"].size == (6, 6, 6)
    assert table["both"].inputs == ("left", "right")
    assert table["sum"].size == (3, 6, 6)
    assert table.total == 2 * (2 + 1) * 3


def test_a_subclass_that_changes_nothing_is_known_by_its_base():
    class Quiet(DropoutLayer):
        pass

    class Wider(DenseLayer):
        def get_output_shape_for(self, input_shape):
            return (input_shape[0], 99)

    dense = DenseLayer(Quiet(InputLayer((None, 7))), 3)
    assert by_hand.table(dense).total == (7 + 1) * 3
    with pytest.raises(by_hand.UnknownLayerError, match="class Wider"):
        by_hand.table(Wider(InputLayer((None, 7)), 3, name="wide"))


# What is not known, and what is refused


def test_what_only_running_code_could_tell_is_unknown_from_there_on():
    table = by_hand.table(
        [
            ("InputLayer", {"shape": (None, 7), "name": "input"}),
            ("ExpressionLayer", {"output_shape": "auto", "name": "expression"}),
            ("DenseLayer", {"num_units": 3, "name": "dense"}),
        ]
    )
    assert [row.size for row in table] == [(7,), None, None]
    assert "only running" in table["expression"].unknown_because
    assert table["dense"].unknown_because == "the size of expression is not known"
    assert (table["dense"].parameters, table.total) == (None, None)
    assert "= ?" in str(table)


def test_sizes_that_are_not_fixed_are_carried_through():
    table = by_hand.table(
        [
            ("InputLayer", {"shape": (None, 3, None, 28)}),
            ("Conv2DLayer", {"num_filters": 4, "filter_size": 5}),
            ("MaxPool2DLayer", {"pool_size": 2}),
        ]
    )
    assert table.rows[-1].size == (4, None, 12)
    assert table.total == (5 * 5 * 3 + 1) * 4


def test_a_rule_of_ones_own_serves():
    @by_hand.rule("MaxoutDenseLayer", ignores="W b")
    def derive(incoming, *, num_units, num_pieces=2):
        batch, n = incoming.shape
        return by_hand.Derivation(
            (batch, num_units),
            [
                by_hand.Tensor("W", (n, num_units, num_pieces)),
                by_hand.Tensor("b", (num_units, num_pieces)),
            ],
            by_hand.Formula("(n + 1)*m*p", n=n, m=num_units, p=num_pieces),
        )

    table = by_hand.table(
        [
            ("InputLayer", {"shape": (None, 7)}),
            ("MaxoutDenseLayer", {"num_units": 5, "num_pieces": 3}),
        ]
    )
    assert table.total == (7 + 1) * 5 * 3


@pytest.mark.parametrize(
    ("num_units", "num_pieces", "told"),
    [
        ("same", 2, "a size of W='same', where a whole number"),
        (None, 2, "a size of W=None, where a whole number"),
        (5, 2.5, "a size of its output=2.5, where a whole number"),
    ],
)
def test_a_rule_that_does_not_look_at_its_values(num_units, num_pieces, told):
    @by_hand.rule("CarelessLayer")
    def derive(incoming, *, num_units, num_pieces):
        shape = (incoming.shape[0], num_pieces)
        return by_hand.Derivation(shape, [by_hand.Tensor("W", (num_units,))])

    keywords = {"num_units": num_units, "num_pieces": num_pieces}
    with pytest.raises(by_hand.HyperParameterError, match=told):
        by_hand.table([INPUT, ("CarelessLayer", keywords)])


INPUT = ("InputLayer", {"shape": (None, 3, 8, 8), "name": "input"})


def after_input(layer_class, **keywords):
    return [INPUT, (layer_class, {"name": "layer", **keywords})]


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (after_input("MaxoutLayer"), r'no rule .* MaxoutLayer.*@rule\("MaxoutLayer"\)'),
        (after_input("DensLayer", num_units=3), "Did you mean DenseLayer"),
        (after_input("DenseLayer"), "DenseLayer needs num_units"),
        (after_input("DenseLayer", num_unit=3), "did you mean num_units"),
        (after_input("DenseLayer", num_units=0), "num_units=0, .* at least 1"),
        (after_input("DenseLayer", num_units=-4), "num_units=-4"),
        (after_input("DenseLayer", num_units="ten"), "num_units='ten'"),
        (after_input("Conv2DLayer", num_filters=4, filter_size=(3, 3, 3)), "3 numbers"),
        (
            after_input("Conv2DLayer", num_filters=4, filter_size=3, pad="some"),
            "pad='some'",
        ),
        (
            after_input("MaxPool2DLayer", pool_size=2, pad=1, ignore_border=False),
            "ignore_border=True",
        ),
        (
            [
                *after_input("MaxPool2DLayer", pool_size=9),
                ("DenseLayer", {"num_units": 3, "name": "dense"}),
            ],
            "dense: the output of layer has the shape .x3x0x0",
        ),
        (
            [
                *after_input("Conv2DLayer", num_filters=4, filter_size=9),
                ("DenseLayer", {"num_units": 3, "name": "dense"}),
            ],
            "every size must be at least 1",
        ),
        ([INPUT, INPUT], "two layers have the name 'input'"),
        (after_input("DenseLayer", num_units=3, incoming="later"), "later"),
        ([("only one",)], "needed is a pair"),
        ([], "no layer"),
        ("a text", "got a str, where a network is needed"),
        (7, "got a int, where a network is needed"),
    ],
)
def test_what_cannot_be_is_told(network, told):
    with pytest.raises(by_hand.HandCalculationError, match=told):
        by_hand.table(network)


def test_lasagne_0_1_lacks_what_is_new():
    layers = after_input("BatchNormLayer")
    assert by_hand.table(layers).lasagne == "0.2"
    with pytest.raises(by_hand.UnknownLayerError, match="0.1 has no BatchNormLayer"):
        by_hand.table(layers, lasagne="0.1")
    grouped = after_input("Conv2DLayer", num_filters=3, filter_size=3, num_groups=3)
    assert by_hand.table(grouped).total == (3 * 3 * 1 + 1) * 3
    with pytest.raises(by_hand.HyperParameterError, match="num_groups"):
        by_hand.table(grouped, lasagne="0.1")


def test_statistics_are_kept_apart():
    table = by_hand.table(after_input("BatchNormLayer"))
    assert (table.total, table.non_trainable_total) == (2 * 3, 2 * 3)
    assert "not trainable, beside these: 6 (layer 6)" in str(table)


def test_names_of_layers_are_shown_as_they_are_but_for_control_characters():
    hostile = "<b>{0.__class__} %s\x1b[31m"
    table = by_hand.table([("InputLayer", {"shape": (None, 3), "name": hostile})])
    assert "<b>{0.__class__} %s\\x1b[31m" in str(table)


def test_a_thousand_layers_are_walked_once_each():
    dense = [("DenseLayer", {"num_units": 3}) for _ in range(1000)]
    table = by_hand.table([("InputLayer", {"shape": (None, 3)}), *dense])
    assert table.total == 1000 * (3 + 1) * 3


# Independence

BAN = """
import importlib.abc, sys

class Ban(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if root not in sys.stdlib_module_names and root != "mnist_cnn":
            raise ImportError(f"{name} is banned")

sys.meta_path.insert(0, Ban())
"""


def run_banned(code):
    return subprocess.run(
        [sys.executable, "-c", BAN + code], cwd=ROOT, capture_output=True, text=True
    )


def test_it_works_where_nothing_is_installed():
    done = run_banned(
        "from mnist_cnn import by_hand\n"
        "print(by_hand.table(by_hand.NETWORKS['question']).total)"
    )
    assert (done.stdout.strip(), done.returncode) == (str(sum(COUNTS)), 0), done.stderr


def test_the_ban_works():
    done = run_banned("import numpy")
    assert done.returncode == 1
    assert "numpy is banned" in done.stderr
