"""Values of hyper-parameters: what serves, and that whatever does not is refused."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_cnn import by_hand
from mnist_cnn.by_hand.rules import find_rule
from mnist_cnn.by_hand.rules.hyperparameters import (
    LARGEST,
    entries,
    per_axis,
    whole_number,
)


class Index:
    """As NumPy's integers are."""

    def __index__(self):
        return 7


@pytest.mark.parametrize(("value", "number"), [(7, 7), (True, 1), (Index(), 7)])
def test_whole_numbers_serve(value, number):
    assert whole_number("n", value) == number


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (7.0, "n=7.0, where a whole number is needed"),
        ("7", "n='7', where a whole number"),
        (None, "n=None, where a whole number"),
        (0, "n=0, where a number of at least 1"),
        (LARGEST + 1, f"n is beyond {LARGEST}"),
        (-LARGEST - 1, f"n is beyond {LARGEST}"),
        # More digits than Python prints.
        (10**5000, f"n is beyond {LARGEST}"),
    ],
    ids=lambda value: "" if isinstance(value, int) else None,
)
def test_what_is_no_whole_number_is_refused(value, told):
    with pytest.raises(by_hand.HyperParameterError, match=told):
        whole_number("n", value, 1)


def test_one_number_stands_for_all_axes():
    assert per_axis("n", 3, 2) == per_axis("n", [3, 3], 2) == (3, 3)
    with pytest.raises(by_hand.HyperParameterError, match="has 3 numbers, where 2"):
        per_axis("n", (1, 2, 3), 2)


@pytest.mark.parametrize("value", [3, None, "abc", b"abc", slice(3)])
def test_a_list_is_needed(value):
    assert entries("n", range(2)) == [0, 1]
    with pytest.raises(by_hand.HyperParameterError, match="where a list is needed"):
        entries("n", value)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 16),
    st.sampled_from([10**18, -(10**18), 10**30, 1.5, float("inf"), float("nan")]),
    st.sampled_from(["same", "full", "valid", "auto", "all", "x", "", b"x", Ellipsis]),
    st.sampled_from([slice(0, 2), slice(None), slice(1, 2, 0), slice("a"), {"a": 1}]),
    st.lists(st.integers(-2, 4) | st.none() | st.just("x"), max_size=4),
    st.lists(st.integers(-2, 4) | st.none() | st.just("x"), max_size=4).map(tuple),
    st.lists(st.lists(st.integers(-1, 3), max_size=2) | st.integers(-1, 4), max_size=4),
)
SHAPES = st.lists(st.none() | st.sampled_from([0, 1, 2, 3, 8, 10**9]), max_size=5)


@st.composite
def layers(draw):
    """A layer of any class, with any values for its hyper-parameters."""
    layer_class = draw(st.sampled_from(by_hand.known_types()))
    rule = find_rule((layer_class,))
    known = [
        *rule.keywords,
        *rule.ignored,
        *(one for one in rule.inputs if "." not in one),
    ]
    chosen = {*rule.required, *draw(st.lists(st.sampled_from([*known, "name"])))}
    keywords = {keyword: draw(VALUES) for keyword in sorted(chosen)}
    for keyword in {*rule.inputs} & chosen:
        keywords[keyword] = draw(st.just("input") | VALUES)
    if draw(st.booleans()):
        keywords["incomings"] = ["input", "input"]
    return layer_class, keywords


@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(SHAPES, st.lists(layers(), max_size=3), st.sampled_from([None, "0.1", "0.2"]))
def test_any_values_give_a_table_or_the_declared_error(shape, drawn, lasagne):
    first = ("InputLayer", {"shape": (None, *shape), "name": "input"})
    with suppress(by_hand.HandCalculationError):
        str(by_hand.table([first, *drawn], lasagne=lasagne))
