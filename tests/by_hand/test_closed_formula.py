"""Answer 2: the closed formula equals the table, whatever the network."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_cnn import by_hand
from mnist_cnn.by_hand.closed_formula import compare_same_padding, find_closed_formula

GOLDEN = Path(__file__).parent / "golden"
QUESTION = (5 * 5 * 1 + 1) * 32 + (3 * 3 * 32 + 1) * 32
QUESTION += (32 * 5 * 5 + 1) * 256 + (256 + 1) * 10


def question():
    return by_hand.table(by_hand.NETWORKS["question"])


def evaluate(shown):
    assert re.fullmatch(r"[\d+\-*/() ]*", shown), shown
    return eval(shown, {"__builtins__": {}})


def assert_is_golden(name, shown):
    path = GOLDEN / name
    if os.environ.get("REWRITE_GOLDEN"):
        path.write_text(f"{shown}\n", encoding="utf-8", newline="\n")
    assert f"{shown}\n" == path.read_text(encoding="utf-8")


def test_questions_formula():
    formula = find_closed_formula(question())
    assert formula.kind == "I-C-P-C-P-H-O"
    assert formula.total.symbolic == (
        "(n1*m1*k0 + 1)*k1 + (n3*m3*k1 + 1)*k3 + (k3*h4*w4 + 1)*k5 + (k5 + 1)*k6"
    )
    assert formula.total.value == formula.closed.value == QUESTION == 217_706
    assert formula.sizes["h4"].value == 5
    assert formula.given["h0"] == 28
    assert_is_golden("formula_question.txt", str(formula))
    assert_is_golden("formula_question.tex", formula.latex)


def test_blogs_dropout_does_not_count():
    formula = find_closed_formula(by_hand.table(by_hand.NETWORKS["blog"]))
    assert formula.kind == "I-C-P-C-P-H-O"
    assert formula.closed.value == 160_362


numbers = st.integers(1, 5)
pair = st.tuples(numbers, numbers)
steps = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def convolutions(draw):
    pads = st.sampled_from([0, 1, (2, 0), "same", "full", "valid"])
    return (
        "Conv2DLayer",
        {
            "num_filters": draw(numbers),
            "filter_size": draw(pair),
            "stride": draw(steps),
            "pad": draw(pads),
            "untie_biases": draw(st.booleans()),
            **draw(st.sampled_from([{}, {"b": None}])),
        },
    )


@st.composite
def pools(draw):
    size = draw(pair)
    keywords = {"pool_size": size, "stride": draw(st.none() | steps)}
    if draw(st.booleans()):
        keywords["ignore_border"] = False
    else:
        keywords["pad"] = tuple(draw(st.integers(0, n - 1)) for n in size)
    kind = draw(st.sampled_from(["MaxPool2DLayer", "Pool2DLayer"]))
    return (kind, keywords)


def dense(units):
    return ("DenseLayer", {"num_units": units})


WITHOUT_EFFECT = ["DropoutLayer", "FlattenLayer"]


@st.composite
def networks(draw):
    """Any I-C-P-C-P-H-O network, some with more that has no parameters."""
    image = (None, draw(numbers), draw(st.integers(8, 40)), draw(st.integers(8, 40)))
    chosen = [("InputLayer", {"shape": image})]
    for layer in (convolutions(), pools(), convolutions(), pools()):
        chosen.append(draw(layer))
    chosen += [(kind, {}) for kind in draw(st.sets(st.sampled_from(WITHOUT_EFFECT)))]
    return [*chosen, dense(draw(numbers)), dense(draw(numbers))]


@settings(deadline=None, max_examples=300)
@given(networks())
def test_formula_of_any_network_is_its_tables_total(definitions):
    try:
        table = by_hand.table(definitions, lasagne="0.1")
    except by_hand.ImpossibleSizeError:
        return
    formula = find_closed_formula(table)
    assert formula.kind == "I-C-P-C-P-H-O"
    assert formula.total.value == formula.closed.value == table.total
    assert evaluate(formula.total) == evaluate(formula.closed) == table.total
    for symbol, one in formula.sizes.items():
        size = table.rows[int(symbol[1:])].size
        assert one.value == evaluate(one) == size["hw".index(symbol[0]) + 1]
    assert formula.at() == table.total
    assert max(map(len, str(formula).splitlines())) <= 80


@settings(deadline=None)
@given(networks(), st.integers(8, 40), st.integers(1, 9))
def test_formula_holds_for_other_numbers(definitions, rows, units):
    """Put into the formula, other numbers give what the table of such a network has."""
    (_, image), *rest = definitions
    batch, maps, _, columns = image["shape"]
    other = [("InputLayer", {"shape": (batch, maps, rows, columns)}), *rest]
    other[-2] = dense(units)
    try:
        formulas = [
            find_closed_formula(by_hand.table(one, lasagne="0.1"))
            for one in (definitions, other)
        ]
    except by_hand.ImpossibleSizeError:
        return
    if any(one.symbolic == "1" for both in formulas for one in both.sizes.values()):
        # With ignore_border=False a pool leaves one row of any fewer than it takes.
        return
    changed = {f"k{len(definitions) - 2}": units, "h0": rows}
    assert formulas[0].at(**changed) == formulas[1].total.value


def test_other_chains_have_one_too():
    formula = find_closed_formula(
        by_hand.table(
            [("InputLayer", {"shape": (None, 784)}), dense(100), dense(20), dense(10)]
        )
    )
    assert formula.kind == "I-H-H-O"
    assert formula.total.symbolic == "(k0 + 1)*k1 + (k1 + 1)*k2 + (k2 + 1)*k3"
    assert formula.at(k1=50) == (784 + 1) * 50 + (50 + 1) * 20 + (20 + 1) * 10


def test_an_unknown_symbol_is_told():
    with pytest.raises(by_hand.HandCalculationError, match="has no z; it has n1, m1"):
        find_closed_formula(question()).at(z=3)


IMAGE = ("InputLayer", {"name": "input", "shape": (None, 2, 9, 9)})


@pytest.mark.parametrize(
    ("definitions", "told"),
    [
        ([IMAGE, ("BatchNormLayer", {"name": "norm"})], "norm: it is a BatchNormLayer"),
        (
            [
                ("InputLayer", {"name": "input", "shape": (None, 2, None, 9)}),
                ("DenseLayer", {"num_units": 3, "num_leading_axes": 3}),
            ],
            "input: an input of fixed size",
        ),
        ([IMAGE, ("DropoutLayer", {})], "no parameters"),
        (
            [
                IMAGE,
                ("DenseLayer", {"name": "a", "num_units": 3}),
                ("DenseLayer", {"name": "b", "num_units": 3, "incoming": "input"}),
            ],
            "b: it is not fed by the layer before it alone",
        ),
        (
            [
                IMAGE,
                ("DenseLayer", {"name": "a", "num_units": 3, "num_leading_axes": 2}),
            ],
            "a: it keeps more than one leading axis",
        ),
        (
            [
                ("InputLayer", {"name": "input", "shape": (None, 3)}),
                ("DenseLayer", {"name": "a", "num_units": 3}),
                ("DenseLayer", {"name": "b", "num_units": 3, "W": "a"}),
            ],
            "b: it shares weights",
        ),
        (
            [
                IMAGE,
                (
                    "DilatedConv2DLayer",
                    {"name": "d", "num_filters": 2, "filter_size": 3},
                ),
                dense(3),
            ],
            "d: it is a DilatedConv2DLayer",
        ),
    ],
)
def test_what_is_no_plain_network_is_told(definitions, told):
    with pytest.raises(by_hand.HandCalculationError, match=told):
        find_closed_formula(by_hand.table(definitions, lasagne="0.2"))


# The claim


@settings(deadline=None)
@given(
    st.integers(2, 40),
    st.sampled_from([1, 3, 5, 7]),
    numbers,
    numbers,
    numbers,
)
def test_claim_holds_for_even_sizes_and_fails_for_odd_ones(
    size, filter_size, maps, filters, units
):
    both = compare_same_padding(
        size, maps=maps, filters=filters, filter_size=filter_size, units=units
    )
    assert both.agree is (size % 2 == 0)
    convolutions_ = [table["convolution"] for table in (both.strided, both.pooled)]
    assert convolutions_[0].parameters == convolutions_[1].parameters
    rows = [table.rows[-2].size[1] for table in (both.strided, both.pooled)]
    assert rows == [-(-size // 2), size // 2]


def test_worked_comparison():
    shown = [str(compare_same_padding(size)) for size in (28, 27)]
    assert_is_golden("same_padding.txt", "\n\n".join(shown))
    assert "The same number" in shown[0]
    assert "Not the same number" in shown[1]
