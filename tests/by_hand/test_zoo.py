"""Networks whose sizes and counts the genuine Lasagne told, every row of them."""

import json
from pathlib import Path

import pytest

from mnist_cnn import by_hand

ZOO = json.loads(
    (Path(__file__).parents[1] / "reference" / "layer_zoo.json").read_text("utf-8")
)
BUILT = [network for network in ZOO if network["error"] is None]
REFUSED = [network for network in ZOO if network["error"] is not None]
# The zoo tells of a layer's own parameters; these keep theirs in layers inside them.
WITH_INNER_LAYERS = {"RecurrentLayer"}


def name(network):
    return network["id"]


def test_there_are_both_kinds():
    assert (len(BUILT), len(REFUSED)) == (187, 31)


@pytest.mark.parametrize("network", BUILT, ids=name)
def test_every_row_is_the_genuine_one(network):
    table = by_hand.table(network["layers"], lasagne=network["lasagne"])
    assert table.total == network["total"]
    for row, genuine in zip(table, network["rows"], strict=True):
        output_shape, trainable, everything, shapes = genuine
        assert list(row.output_shape) == output_shape, row.name
        if row.type not in WITH_INNER_LAYERS:
            assert row.parameters == trainable, row.name
            assert row.parameters + row.non_trainable == everything, row.name
            assert sorted(list(one.shape) for one in row.tensors) == sorted(shapes)


@pytest.mark.parametrize("network", BUILT, ids=name)
def test_what_is_shown_is_what_is_counted(network):
    for row in by_hand.table(network["layers"], lasagne=network["lasagne"]):
        assert row.parameter_formula.value == row.parameters
        shown = row.parameter_formula.replace("/", "//")
        assert eval(shown, {"__builtins__": {}}) == row.parameters
        computed = [one.value for one in row.size_formula.axes]
        assert all(size in row.output_shape for size in computed)


@pytest.mark.parametrize("network", REFUSED, ids=name)
def test_what_lasagne_refuses_is_refused_at_the_same_layer(network):
    refused_by = network["layers"][len(network["rows"])][1]["name"]
    with pytest.raises(by_hand.HandCalculationError) as caught:
        by_hand.table(network["layers"], lasagne=network["lasagne"])
    assert caught.value.layer == refused_by
    assert str(caught.value).startswith(f"{refused_by}: ")
