"""More columns: what a layer costs, loses and sees, against slow counts."""

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_cnn import by_hand
from mnist_cnn.by_hand.columns import COLUMNS, DTYPES, choose_columns, measure

COUNTS = [0, (5 * 5 * 1 + 1) * 32, 0, (3 * 3 * 32 + 1) * 32, 0]
COUNTS += [(32 * 5 * 5 + 1) * 256, (256 + 1) * 10]


def question():
    return by_hand.table(by_hand.NETWORKS["question"])


def column(table, name, **settings_):
    return measure(table, [name], **settings_)[0]


def last(definitions, name):
    return column(by_hand.table(definitions, lasagne="0.2"), name).cells[-1]


def evaluate(shown):
    assert re.fullmatch(r"[\d+\-*/() ]*", shown), shown
    return eval(shown.replace("/", "//").replace("////", "//"), {"__builtins__": {}})


# Connections: a forward pass in loops, counting each multiply-add


def slide_over(i, n, s, pad_before, pad_after):
    """Where a window of `n` can stand."""
    return range(-pad_before, i + pad_after - n + 1, s)


small = st.integers(1, 3)


@settings(deadline=None)
@given(st.data(), st.integers(1, 3))
def test_connections_of_convolutions(data, axes):
    groups = data.draw(small)
    maps, filters = groups * data.draw(small), groups * data.draw(small)
    sizes = [data.draw(st.integers(3, 5)) for _ in range(axes)]
    n = [data.draw(small) for _ in range(axes)]
    s = [data.draw(small) for _ in range(axes)]
    p = [data.draw(st.integers(0, 1)) for _ in range(axes)]
    keywords = {"num_filters": filters, "filter_size": n, "stride": s, "pad": p}
    cell = last(
        [
            ("InputLayer", {"shape": (None, maps, *sizes)}),
            (f"Conv{axes}DLayer", keywords | {"num_groups": groups}),
        ],
        "connections",
    )
    count = 0
    for filter_, map_ in product(range(filters), range(maps)):
        if filter_ * groups // filters != map_ * groups // maps:
            continue
        for _ in product(
            *(slide_over(*one) for one in zip(sizes, n, s, p, p, strict=True))
        ):
            count += sum(1 for _ in product(*map(range, n)))
    assert cell.value == count
    assert evaluate(cell.formula or cell.text) == count


@settings(deadline=None)
@given(small, small, st.integers(2, 6), st.integers(2, 6), small, small, small)
def test_connections_of_transposed_convolutions(maps, filters, h, w, n, m, s):
    keywords = {"num_filters": filters, "filter_size": (n, m), "stride": s}
    cell = last(
        [
            ("InputLayer", {"shape": (None, maps, h, w)}),
            ("TransposedConv2DLayer", keywords),
        ],
        "connections",
    )
    counts = [
        1
        for _ in product(
            range(maps), range(h), range(w), range(filters), range(n), range(m)
        )
    ]
    assert cell.value == sum(counts)


@settings(deadline=None)
@given(small, small, st.integers(5, 9), small, st.integers(1, 2))
def test_connections_of_dilated_convolutions(maps, filters, size, n, d):
    keywords = {"num_filters": filters, "filter_size": n, "dilation": d}
    cell = last(
        [
            ("InputLayer", {"shape": (None, maps, size, size)}),
            ("DilatedConv2DLayer", keywords),
        ],
        "connections",
    )
    places = [o for o in range(size) if o + (n - 1) * d < size]
    assert cell.value == len(places) ** 2 * n * n * maps * filters


@pytest.mark.parametrize("channelwise", [False, True])
def test_connections_of_local_filters_are_their_weights(channelwise):
    keywords = {"num_filters": 2, "filter_size": 3, "channelwise": channelwise}
    table = by_hand.table(
        [
            ("InputLayer", {"shape": (None, 2, 5, 4)}),
            ("LocallyConnected2DLayer", keywords),
        ]
    )
    weights = table.rows[-1].tensors[0].count
    assert column(table, "connections").cells[-1].value == weights


FEATURES, UNITS, STEPS = 4, 3, 5
PER_GATE = FEATURES * UNITS + UNITS * UNITS
SEQUENCE = ("InputLayer", {"shape": (None, STEPS, FEATURES)})
IMAGE = ("InputLayer", {"shape": (None, 2, 5, 6)})
NUMBERS = 2 * 5 * 6


@pytest.mark.parametrize(
    ("definitions", "count"),
    [
        ([SEQUENCE, ("RecurrentLayer", {"num_units": UNITS})], STEPS * PER_GATE),
        ([SEQUENCE, ("GRULayer", {"num_units": UNITS})], STEPS * 3 * PER_GATE),
        (
            [SEQUENCE, ("LSTMLayer", {"num_units": UNITS})],
            STEPS * (4 * PER_GATE + 3 * UNITS),
        ),
        (
            [SEQUENCE, ("LSTMLayer", {"num_units": UNITS, "peepholes": False})],
            STEPS * 4 * PER_GATE,
        ),
        ([IMAGE, ("DenseLayer", {"num_units": 7})], NUMBERS * 7),
        (
            [IMAGE, ("DenseLayer", {"num_units": 7, "num_leading_axes": 2})],
            2 * (5 * 6 * 7),
        ),
        (
            [SEQUENCE, ("DenseLayer", {"num_units": 7, "num_leading_axes": -1})],
            STEPS * FEATURES * 7,
        ),
        ([IMAGE, ("NINLayer", {"num_units": 7})], 2 * 7 * 5 * 6),
        ([IMAGE, ("MaxPool2DLayer", {"pool_size": 2})], 0),
        ([IMAGE, ("BatchNormLayer", {})], NUMBERS),
        ([IMAGE, ("ScaleLayer", {})], NUMBERS),
        ([IMAGE, ("ParametricRectifierLayer", {})], NUMBERS),
        ([IMAGE, ("BiasLayer", {})], 0),
        ([IMAGE, ("DropoutLayer", {})], 0),
        ([IMAGE, ("LocalResponseNormalization2DLayer", {})], 0),
        (
            [
                ("InputLayer", {"shape": (None, 9)}),
                ("EmbeddingLayer", {"input_size": 5, "output_size": 3}),
            ],
            0,
        ),
    ],
    ids=lambda value: value[-1][0] if isinstance(value, list) else "",
)
def test_connections(definitions, count):
    cell = last(definitions, "connections")
    assert cell.value == count
    assert evaluate(cell.formula or cell.text) == count


@pytest.mark.parametrize(
    ("definitions", "reason"),
    [
        ([IMAGE, ("ExpressionLayer", {})], "only running the expression tells"),
        (
            [
                IMAGE,
                ("Conv2DLayer", {"name": "a", "num_filters": 2, "filter_size": 3}),
                ("InverseLayer", {"layer": "a"}),
            ],
            "backwards",
        ),
        (
            [
                ("InputLayer", {"shape": (None, 2, None, 6)}),
                ("Conv2DLayer", {"num_filters": 2, "filter_size": 3}),
            ],
            "not fixed",
        ),
    ],
)
def test_connections_that_are_not_known_have_a_reason(definitions, reason):
    table = by_hand.table(definitions, lasagne="0.2")
    connections = column(table, "connections")
    assert (connections.cells[-1].value, connections.cells[-1].text) == (None, "?")
    assert reason in connections.cells[-1].unknown_because
    assert reason in connections.notes[-1]
    assert connections.total.text == "?"


def test_a_rule_that_does_not_say_is_unknown():
    @by_hand.rule("QuietLayer")
    def derive(incoming):
        return by_hand.Derivation(incoming.shape, [by_hand.Tensor("W", (3,))])

    @by_hand.rule("EmptyLayer")
    def derive_empty(incoming):
        return by_hand.Derivation(incoming.shape)

    said = "the rule for layers of the class QuietLayer does not say"
    assert last([IMAGE, ("QuietLayer", {})], "connections").unknown_because == said
    assert last([IMAGE, ("QuietLayer", {})], "field").unknown_because == said
    assert last([IMAGE, ("EmptyLayer", {})], "connections").value == 0


def test_custom_recurrent_layer_runs_its_networks_at_each_step():
    import lasagne
    from lasagne.layers import CustomRecurrentLayer, DenseLayer, InputLayer

    layer = CustomRecurrentLayer(
        InputLayer((None, STEPS, FEATURES)),
        DenseLayer(InputLayer((None, FEATURES)), UNITS),
        DenseLayer(InputLayer((None, UNITS)), UNITS),
        hid_init=lasagne.init.Constant(0),
    )
    cell = column(by_hand.table(layer), "connections").cells[-1]
    assert cell.value == STEPS * PER_GATE
    assert evaluate(cell.formula) == STEPS * PER_GATE


# The question's network, and the rest


def test_connections_of_the_question():
    connections = column(question(), "connections")
    expected = [0, 5 * 5 * 1 * 32 * 24 * 24, 0, 3 * 3 * 32 * 32 * 10 * 10, 0]
    expected += [32 * 5 * 5 * 256, 256 * 10]
    assert [cell.value for cell in connections.cells] == expected
    assert connections.total.value == sum(expected)
    assert "multiply-adds" in connections.unit


def test_bytes_of_a_batch():
    table = question()
    [activations, weights] = measure(
        table, ["activations", "bytes"], batch=128, dtype="float64"
    )
    assert activations.cells[1].value == 128 * 32 * 24 * 24 * 8
    assert str(activations.cells[1].formula) == "128*32*24*24*8"
    assert [cell.value for cell in weights.cells] == [8 * count for count in COUNTS]
    assert weights.total.value == 8 * sum(COUNTS)
    assert "128 images, float64" in activations.unit


def test_bytes_count_what_is_not_trained():
    cell = last([IMAGE, ("BatchNormLayer", {})], "bytes")
    assert cell.value == (2 * 2 + 2 * 2) * 4
    assert str(cell.formula) == "(4+4)*4"


def test_shares_make_the_whole():
    share = column(question(), "share")
    assert sum(cell.value for cell in share.cells) == pytest.approx(1)
    assert [cell.text for cell in share.cells] == (
        ["0 %", "0.4 %", "0 %", "4.2 %", "0 %", "94.2 %", "1.2 %"]
    )
    assert last([IMAGE], "share").unknown_because == "there are no parameters"


def test_nolearns_field_stands_beside_where_it_differs():
    field, theirs = measure(question(), ["field"])
    assert [cell.text for cell in field.cells] == (
        ["1x1", "5x5", "6x6", "10x10", "12x12", "28x28", "28x28"]
    )
    assert [cell.text for cell in theirs.cells] == (
        ["28x28", "", "5x5", "9x9", "9x9", "", ""]
    )
    assert "what a pool itself adds" in theirs.unit
    dense = by_hand.table([IMAGE, ("DenseLayer", {"num_units": 3})])
    assert len(measure(dense, ["field"])) == 1


@settings(deadline=None)
@given(
    st.integers(5, 12),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 2),
    st.sampled_from(["Pool1DLayer", "Conv1DLayer"]),
)
def test_lost_is_what_no_window_reaches(i, n, s, p, layer_class):
    keywords = {"stride": s, "pad": p}
    keywords |= (
        {"pool_size": n}
        if layer_class == "Pool1DLayer"
        else {"num_filters": 2, "filter_size": n}
    )
    cell = last(
        [("InputLayer", {"shape": (None, 2, i)}), (layer_class, keywords)], "lost"
    )
    ends = [start + n for start in slide_over(i, n, s, p, p)]
    lost = max(0, i - max(ends))
    if n == 1 and s == 1 and p == 0:
        assert cell.text == ""
    else:
        assert cell.value == (lost,)
        if cell.formula:
            assert evaluate(cell.formula) == lost


def test_lost_of_each_axis():
    pool = {"pool_size": 2}
    image = ("InputLayer", {"shape": (None, 2, 5, 6)})
    cell = last([image, ("MaxPool2DLayer", pool)], "lost")
    assert (cell.value, cell.text) == ((1, 0), "1, 0")
    whole = pool | {"ignore_border": False}
    assert last([image, ("MaxPool2DLayer", whole)], "lost").text == "0"
    for other in (
        ("DenseLayer", {"num_units": 2}),
        ("SliceLayer", {"indices": slice(0, 3), "axis": 2}),
        ("MaxPool2DLayer", {"pool_size": 9}),
        ("Upscale2DLayer", {"scale_factor": 2}),
    ):
        assert last([image, other], "lost").text == ""
    unknown = ("InputLayer", {"shape": (None, 2, None, 6)})
    assert last([unknown, ("MaxPool2DLayer", pool)], "lost").text == "?"


@pytest.mark.parametrize("name", COLUMNS)
def test_every_formula_shown_comes_to_its_number(name):
    for own in measure(question(), [name], batch=3):
        for cell in own.cells:
            if cell.formula is None:
                continue
            values = cell.value if isinstance(cell.value, tuple) else (cell.value,)
            shown = getattr(cell.formula, "axes", (cell.formula,))
            assert [evaluate(one) for one in shown] == list(values)


def test_unknown_rows_have_unknown_cells():
    table = by_hand.table(
        [
            ("InputLayer", {"shape": (None, 7), "name": "input"}),
            ("ExpressionLayer", {"output_shape": "auto", "name": "expression"}),
            *(("DenseLayer", {"num_units": 3, "name": f"d{i}"}) for i in range(5)),
        ]
    )
    for own in measure(table, ["all"]):
        if own.name != "lost":
            assert own.cells[-1].text == "?"
            assert own.cells[-1].unknown_because
    assert "d0, d1, d2 and 2 more" in column(table, "bytes").notes[-1]


# Asking


def test_columns_are_chosen_by_name():
    assert choose_columns(["share", "field", "share"]) == ("share", "field")
    assert choose_columns(["share", "all"])[0] == "share"
    assert sorted(choose_columns(["all"])) == sorted(COLUMNS)
    assert choose_columns([]) == choose_columns([""]) == ()


@pytest.mark.parametrize(
    ("names", "settings_", "told"),
    [
        (["flops"], {}, "no column 'flops'; there are connections"),
        (["share"], {"dtype": "int3"}, "type 'int3'; known are float16"),
        (["share"], {"batch": 0}, "a batch of 0"),
    ],
)
def test_what_is_not_there_is_told(names, settings_, told):
    with pytest.raises(by_hand.HandCalculationError, match=told):
        measure(question(), names, **settings_)


def test_types_have_their_usual_sizes():
    import numpy as np

    for name, size in DTYPES.items():
        if name != "bfloat16":
            assert np.dtype(name).itemsize == size
