"""Printed against hand: agreement, every kind of difference, what is shown of it."""

from dataclasses import replace

import pytest
from lasagne import layers
from nolearn.lasagne import NeuralNet

from mnist_cnn import by_hand
from mnist_cnn.comparison import ComparedRow, Comparison, compare, compare_rows
from mnist_cnn.layer_info import LayerInfo, capture_layer_info
from mnist_cnn.network import NETWORKS, build_network

CONV2D2 = 3


@pytest.fixture(scope="module")
def printed() -> LayerInfo:
    return capture_layer_info(build_network())


@pytest.fixture(scope="module")
def table() -> by_hand.Table:
    return by_hand.table(build_network())


@pytest.mark.parametrize("verbose", [0, 1, 2, 3])
@pytest.mark.parametrize("network", NETWORKS)
def test_print_and_hand_agree(network, verbose):
    net = build_network(network, verbose=verbose)
    comparison = compare(net)
    assert comparison.agrees
    assert all(row.agrees for row in comparison.rows)
    assert [row.name for row in comparison.rows] == [name for name, _ in net.layers]
    assert comparison.layer_info == capture_layer_info(net)
    assert comparison.table.rows == by_hand.table(net).rows


def test_agreement_says_what_it_covers(printed, table):
    verdict = compare_rows(printed, table).verdict
    assert "agree" in verdict
    assert "all 7 layers" in verdict
    assert "217'706" in verdict
    assert "no count for a single layer" in verdict


def test_layer_without_a_fixed_size_agrees():
    net = NeuralNet(
        [
            (layers.InputLayer, {"shape": (None, 1, None, 9), "name": "input"}),
            (layers.Conv2DLayer, {"num_filters": 2, "filter_size": 3, "name": "c"}),
        ]
    )
    comparison = compare(net)
    assert comparison.rows[0].size == "1xNonex9"
    assert comparison.agrees


@pytest.mark.parametrize("verbose", [1, 2])
def test_layers_without_a_name_agree(verbose):
    net = NeuralNet(
        layers.DenseLayer(
            layers.Conv2DLayer(layers.InputLayer((None, 1, 9, 9)), 2, 3), num_units=3
        ),
        verbose=verbose,
    )
    printed = {1: ["", "", ""], 2: ["InputLayer", "Conv2DLayer", "DenseLayer"]}
    comparison = compare(net)
    assert comparison.agrees
    assert [row.printed_name for row in comparison.rows] == printed[verbose]


# Differences


def with_printed_row(printed: LayerInfo, index: int, **changes) -> LayerInfo:
    rows = list(printed.rows)
    rows[index] = replace(rows[index], **changes)
    return replace(printed, rows=tuple(rows))


def find_line(comparison: Comparison, start: str) -> list[str]:
    [line] = [
        line for line in comparison.text.splitlines() if line.strip().startswith(start)
    ]
    return line.split()


def test_different_size_is_shown_with_both_values(printed, table):
    comparison = compare_rows(
        with_printed_row(printed, CONV2D2, size="32x12x12"), table
    )
    assert not comparison.agrees
    assert comparison.totals_agree
    assert [row.index for row in comparison.rows if not row.agrees] == [CONV2D2]
    assert find_line(comparison, "3 ") == [
        *("3", "conv2d2", "32x12x12", "conv2d2", "32x10x10", "DIFFER")
    ]
    assert "DIFFER: in 1 of 7 layers (# 3)." in comparison.verdict


def test_different_name_is_shown_with_both_values(printed, table):
    comparison = compare_rows(with_printed_row(printed, CONV2D2, name="conv"), table)
    assert not comparison.agrees
    assert find_line(comparison, "3 ") == [
        *("3", "conv", "32x10x10", "conv2d2", "32x10x10", "DIFFER")
    ]


def test_different_total_is_shown_with_both_values(printed, table):
    comparison = compare_rows(replace(printed, total=217_705), table)
    assert all(row.agrees for row in comparison.rows)
    assert not comparison.agrees
    assert find_line(comparison, "total") == [
        *("total", "217'705", "total", "217'706", "DIFFER")
    ]
    assert (
        "DIFFER: in the total (217'705 printed, 217'706 by hand)." in comparison.verdict
    )


@pytest.mark.parametrize("lacks", ["print", "hand"])
def test_missing_layer_is_a_difference(printed, table, lacks):
    if lacks == "print":
        printed = replace(printed, rows=printed.rows[:-1])
    else:
        table = replace(table, rows=table.rows[:-1])
    comparison = compare_rows(printed, table)
    assert not comparison.agrees
    missing, there = ("?", "?"), ("output", "10")
    pair = [missing, there] if lacks == "print" else [there, missing]
    assert find_line(comparison, "6 ") == ["6", *pair[0], *pair[1], "DIFFER"]


def test_what_is_not_known_by_hand_does_not_agree(printed, table):
    rows = list(table.rows)
    rows[-1] = replace(rows[-1], output_shape=None, parameters=None)
    comparison = compare_rows(printed, replace(table, rows=tuple(rows)))
    assert comparison.rows[-1] == ComparedRow(6, "output", "output", "10", None)
    assert not comparison.rows[-1].agrees
    assert not comparison.totals_agree
    assert "(217'706 printed, ? by hand)" in comparison.verdict


def test_every_difference_is_counted(printed, table):
    printed = with_printed_row(printed, 1, size="32x28x28")
    printed = with_printed_row(printed, 4, name="pool")
    comparison = compare_rows(replace(printed, total=1), table)
    assert (
        "in 2 of 7 layers (# 1, 4) and in the total (1 printed, 217'706 by hand)."
        in comparison.verdict
    )


def test_text_is_what_is_printed(printed, table):
    comparison = compare_rows(printed, table)
    assert str(comparison) == comparison.text
    assert comparison.text.endswith(comparison.verdict)
    assert all(line == line.rstrip() for line in comparison.text.splitlines())
