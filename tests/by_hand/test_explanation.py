"""Explanations: every step shown comes to what it says; the impossible has a remedy."""

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_cnn import by_hand
from mnist_cnn.by_hand.explanation import explain
from mnist_cnn.by_hand.impossible import find_impossible, smallest_image
from mnist_cnn.by_hand.walk import attempt

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
ZOO = json.loads((HERE.parent / "reference" / "layer_zoo.json").read_text("utf-8"))


def read(definitions, lasagne=None):
    return by_hand.read_network(definitions, lasagne)


def network(*layers, shape=(None, 1, 28, 28)):
    return read([("InputLayer", {"name": "input", "shape": shape}), *layers])


def conv(name, filter_size, **keywords):
    keywords |= {"name": name, "num_filters": 4, "filter_size": filter_size}
    return ("Conv2DLayer", keywords)


DENSE = ("DenseLayer", {"name": "dense", "num_units": 10})
TOO_LARGE = network(
    conv("first", 5), ("MaxPool2DLayer", {"pool_size": 2}), conv("second", 13), DENSE
)


def text(network_, layer=None):
    return "\n\n".join(map(str, explain(network_, layer)))


def assert_is_golden(name, shown):
    path = GOLDEN / name
    if os.environ.get("REWRITE_GOLDEN"):
        path.write_text(f"{shown}\n", encoding="utf-8", newline="\n")
    assert f"{shown}\n" == path.read_text(encoding="utf-8")


def test_question_is_explained_row_by_row():
    assert_is_golden("explain_question.txt", text(read(by_hand.NETWORKS["question"])))


def test_the_impossible_is_explained():
    assert_is_golden("explain_impossible.txt", text(TOO_LARGE, "dense"))


def test_a_single_row_is_explained():
    [explanation] = explain(read(by_hand.NETWORKS["question"]), "dense")
    equations = [step.equation for step in explanation.steps if step.equation]
    assert equations == ["(n + 1)*m = (32*5*5+1)*256 = 205'056"]
    assert "32*5*5 = 800" in str(explanation)
    [last] = [step for step in explanation.steps if step.formula]
    assert last.meanings == "n=32*5*5 inputs, m=256 units"


EQUATION = re.compile(r"^    (?P<parts>[^=]+(?: = [^=]+)+)$", re.M)


def test_every_step_comes_to_what_it_says():
    found = 0
    for one in ZOO:
        if one["error"] is not None:
            continue
        for explanation in explain(read(one["layers"], one["lasagne"])):
            for step in explanation.steps:
                parts = step.equation.split(" = ")
                if step.formula is None or step.formula.value is None:
                    continue
                for part in parts:
                    shown = part.replace("'", "")
                    if re.fullmatch(r"[\d+\-*/()]*", shown):
                        value = eval(re.sub("/+", "//", shown), {"__builtins__": {}})
                        assert value == step.formula.value
                        found += 1
    assert found > 1000


def test_every_layer_of_the_zoo_is_explained_in_80_columns():
    for one in ZOO:
        network_ = read(one["layers"], one["lasagne"])
        explanations = explain(network_)
        assert explanations
        for explanation in explanations:
            assert max(map(len, str(explanation).splitlines())) <= 80 or (
                len(explanation.layer) > 40
            )
        if one["error"] is None:
            assert [e.layer for e in explanations] == [
                layer.name for layer in network_.layers
            ]
            counts = [row.parameters for row in by_hand.calculate(network_)]
            for explanation, count in zip(explanations, counts, strict=True):
                shown = "?" if count is None else f"{count:,}".replace(",", "'")
                assert f", {shown} parameter" in explanation.outcome


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (conv("c", 5), "the outermost 4 have no complete neighbourhood"),
        (conv("c", 2), "the outermost one has no complete neighbourhood"),
        (conv("c", 1), "each has its neighbourhood, itself"),
        (conv("c", 5, pad=2), "with p zeros added on either side"),
        (conv("c", 4, pad="same"), "with n - 1 zeros added in all"),
        (conv("c", 5, stride=2), "each further one moves on by s; a rest too short"),
        (conv("c", (5, 3)), "Along the columns the outermost 2"),
        (conv("c", 3, untie_biases=True), "n*m*l*k + k*h*w = 3*3*1*4+4*26*26"),
        (
            ("MaxPool2DLayer", {"name": "c", "pool_size": 3, "ignore_border": False}),
            "The size stays|Along the rows and columns:",
        ),
        (
            (
                "MaxPool2DLayer",
                {"name": "c", "pool_size": 3, "stride": 2, "ignore_border": False},
            ),
            "the last may reach over the edge",
        ),
        (
            (
                "DilatedConv2DLayer",
                {"name": "c", "num_filters": 2, "filter_size": 3, "dilation": 2},
            ),
            "the positions of a filter lie d apart",
        ),
        (("BatchNormLayer", {"name": "c"}), "kept, but training leaves it alone"),
        (("DropoutLayer", {"name": "c"}), "The size stays 1x28x28"),
        (("DenseLayer", {"name": "c", "num_units": 1}), "to the one unit"),
        (
            ("ExpressionLayer", {"name": "c", "output_shape": "auto"}),
            "not known, because output_shape is 'auto'",
        ),
        (("GlobalPoolLayer", {"name": "c"}), "The size is 1."),
    ],
)
def test_words(layer, said):
    shown = " ".join(text(network(layer), "c").split())
    assert re.search(said.replace("*", r"\*").replace("+", r"\+"), shown), shown


def test_groups_and_sharing_are_explained():
    shown = text(
        network(
            conv("c", 3, num_groups=2),
            ("DenseLayer", {"name": "a", "num_units": 2, "b": None}),
            ("DenseLayer", {"name": "z", "num_units": 2, "incoming": "c", "W": "a"}),
            shape=(None, 2, 6, 6),
        )
    )
    assert "in 2 groups: a filter sees 1 of them" in shown
    assert "W, the weights: the same as a.W, and counted there." in shown


def test_a_layer_of_ones_own_is_explained_by_its_formula():
    @by_hand.rule("TwiceLayer")
    def derive(incoming, *, num_units):
        return by_hand.Derivation(
            (incoming.shape[0], num_units),
            [by_hand.Tensor("W", (2, num_units))],
            by_hand.Formula("2*m", m=num_units),
        )

    shown = text(network(("TwiceLayer", {"name": "twice", "num_units": 7})), "twice")
    assert "2*m = 2*7 = 14" in shown


# The impossible


def test_what_is_too_large_has_three_remedies_that_serve():
    """Each remedy works, and one less of it does not."""
    [one] = find_impossible(attempt(TOO_LARGE)[0])
    assert (one.layer, one.along, one.size) == ("second", "rows and columns", 0)
    assert (one.largest_window, one.smallest_pad, one.smallest_input) == (12, 1, 13)
    assert (one.input_size, one.window_size, one.pad) == (12, 13, 0)


@settings(deadline=None)
@given(
    st.integers(1, 6),
    st.integers(2, 12),
    st.integers(1, 3),
    st.integers(0, 2),
    st.sampled_from(["Conv2DLayer", "MaxPool2DLayer"]),
)
def test_remedies_serve_and_one_less_does_not(i, n, s, p, layer_class):
    def impossible(i=i, n=n, p=p):
        keywords = {"name": "layer", "stride": s, "pad": p}
        if layer_class == "Conv2DLayer":
            keywords |= {"num_filters": 2, "filter_size": n}
        else:
            keywords |= {"pool_size": n}
        return find_impossible(
            attempt(network((layer_class, keywords), shape=(None, 1, i, i)))[0]
        )

    found = impossible()
    assert bool(found) == (n > i + 2 * p)
    for one in found:
        assert not impossible(n=one.largest_window)
        assert impossible(n=one.largest_window + 1)
        assert not impossible(p=one.smallest_pad)
        assert impossible(p=one.smallest_pad - 1)
        assert not impossible(i=one.smallest_input)
        assert impossible(i=one.smallest_input - 1) or one.smallest_input == 1


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3), st.integers(1, 7))
def test_smallest_image_serves_and_a_smaller_one_does_not(n, m, pool, k):
    def works(rows, columns):
        network_ = network(
            conv("a", (n, m)),
            ("MaxPool2DLayer", {"pool_size": pool}),
            conv("b", (k, 1), stride=2),
            DENSE,
            shape=(None, 1, rows, columns),
        )
        table, refused = attempt(network_)
        return network_, refused is None

    network_, _ = works(2, 2)
    _, rows, columns = smallest_image(network_)
    assert works(rows, columns)[1]
    assert rows == 1 or not works(rows - 1, columns)[1]
    assert columns == 1 or not works(rows, columns - 1)[1]


@pytest.mark.parametrize(
    "network_",
    [
        network(("ReshapeLayer", {"shape": ([0], 1, 5, 5)}), conv("c", 9), DENSE),
        network(conv("c", 29), shape=(None, 1, None, None)),
        network(
            ("InputLayer", {"name": "other", "shape": (None, 1, 3, 3)}),
            conv("c", 5),
            DENSE,
        ),
        network(*[conv(f"c{number}", 3) for number in range(101)]),
    ],
)
def test_where_no_image_is_sought_none_is_named(network_):
    assert smallest_image(network_) is None


def test_last_layer_whose_size_is_below_one_is_explained_as_well():
    shown = " ".join(text(network(conv("only", 29)), "only").split())
    assert "a filter of at most 28," in shown
    assert "the smallest image that serves is 1x29x29" in shown


def test_sizes_that_fall_below_one_differently_are_told_apart():
    rows, columns = find_impossible(attempt(network(conv("c", (29, 31))))[0])
    assert (rows.along, rows.largest_window) == ("rows", 28)
    assert (columns.along, columns.size) == ("columns", 28 - (31 - 1))
    assert "(28-(31-1)) = -2 would come out" in str(columns)


def test_what_is_below_one_otherwise_has_its_formula():
    transposed = {"name": "t", "num_filters": 2, "filter_size": 3, "crop": 20}
    network_ = network(
        ("TransposedConv2DLayer", transposed), DENSE, shape=(None, 1, 6, 6)
    )
    [one] = find_impossible(attempt(network_)[0])
    assert str(one) == "Along the rows and columns (6-1)*1-2*20+3 = -32 would come out."


def test_a_refusal_for_another_reason_is_told_as_it_is():
    shown = text(network(("FeaturePoolLayer", {"name": "pool", "pool_size": 3})))
    assert "pool_size=3 does not divide the 1 feature maps" in shown
    assert "cannot be" in shown


def test_layers_behind_what_cannot_be_are_answered_with_the_reason():
    [explanation] = explain(TOO_LARGE, "dense")
    assert explanation.outcome == "cannot be"
    assert "What would serve" in str(explanation)


@pytest.mark.parametrize(
    ("layer", "told"), [("dens", "did you mean 'dense'"), ("qqq", "there are input, ")]
)
def test_an_unknown_layer_is_told(layer, told):
    with pytest.raises(by_hand.HandCalculationError, match=told):
        explain(read(by_hand.NETWORKS["question"]), layer)
