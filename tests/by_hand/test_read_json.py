"""Networks from JSON: its forms, and what each mistake is told."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_cnn import by_hand
from mnist_cnn.by_hand.read_text import find_networks, read_text

ROOT = Path(__file__).resolve().parents[2]
ZOO = ROOT / "tests" / "reference" / "layer_zoo.json"
INPUT = ["InputLayer", {"shape": [None, 3, 8, 8], "name": "image"}]


def table_of(value, **options):
    text = value if isinstance(value, str) else json.dumps(value)
    return by_hand.calculate(read_text(text, form="json", **options))


def dense(name, **keywords):
    return ["DenseLayer", {"num_units": 4, "name": name, **keywords}]


def test_a_list_of_layers():
    question = by_hand.NETWORKS["question"]
    assert str(table_of(question)) == str(by_hand.table(question))


def test_the_keywords_of_nolearns_call():
    table = table_of(
        {
            "layers": [["image", "InputLayer"], ["dense", "lasagne.layers.DenseLayer"]],
            "image_shape": [None, 7],
            "dense_num_units": 5,
            "max_epochs": 10,
        }
    )
    assert [row.name for row in table] == ["image", "dense"]
    assert table.total == (7 + 1) * 5


def test_a_slice_has_start_stop_and_step():
    part = {"indices": {"slice": [1, None, 2]}, "axis": 2}
    table = table_of([INPUT, ["SliceLayer", part], dense("dense")])
    assert [row.size for row in table] == [(3, 8, 8), (3, len(range(1, 8, 2)), 8), (4,)]
    for wrong in ([], [1, "a"], [1, 2, 3, 4], 1, {"a": 1}, [1.5]):
        with pytest.raises(by_hand.DescriptionError, match="is no slice"):
            table_of([INPUT, ["SliceLayer", {"indices": {"slice": wrong}}]])


def test_a_layer_may_have_a_wrapper():
    conv = {"num_filters": 4, "filter_size": 3, "name": "conv"}
    wrapped = ["Conv2DLayer", {**conv, "layer_wrapper": "lasagne.layers.batch_norm"}]
    table = table_of([INPUT, wrapped, dense("dense", layer_wrapper="dropout")])
    assert [(row.name, row.type) for row in table][1:] == [
        ("conv", "Conv2DLayer"),
        ("conv_bn", "BatchNormLayer"),
        ("LW_conv", "NonlinearityLayer"),
        ("dense", "DenseLayer"),
        ("LW_dense", "DropoutLayer"),
    ]
    assert table["conv"].parameters == 3 * 3 * 3 * 4
    assert table["conv_bn"].parameters == 2 * 4
    with pytest.raises(by_hand.DescriptionError, match="dense: what its layer_wrapper"):
        table_of([INPUT, dense("dense", layer_wrapper="own")])


def test_an_object_may_say_which_lasagne():
    gru = [["InputLayer", {"shape": [None, 5, 3]}], ["GRULayer", {"num_units": 2}]]
    old, new = (
        table_of({"layers": gru, "lasagne": one}) for one in ("0.1", "0.2.dev1")
    )
    # Lasagne 0.1 learns the first state.
    assert old.total - new.total == 2


def test_branches_and_merges():
    table = table_of(
        [
            INPUT,
            dense("left"),
            dense("right", incoming="image"),
            ["ConcatLayer", {"incomings": ["left", "right"], "name": "both"}],
        ]
    )
    assert table["both"].size == (8,)
    assert table.total == 2 * (3 * 8 * 8 + 1) * 4


def test_the_zoo_holds_many_networks_each_with_its_id():
    text = ZOO.read_text(encoding="utf-8")
    assert len(find_networks(text)) == 218
    with pytest.raises(by_hand.DescriptionError, match="holds 218 networks.* 208 more"):
        read_text(text)
    first = json.loads(text)[0]
    table = by_hand.calculate(read_text(text, first["id"]))
    assert table.total == first["total"]
    with pytest.raises(by_hand.DescriptionError, match="did you mean"):
        read_text(text, first["id"][:-1])


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            '[["InputLayer", {"shape": [null, 3]} 4]',
            "line 1, column 38: this is no JSON",
        ),
        ('[\n["InputLayer"\n', "line 3, column 1: this is no JSON"),
        ("", "line 1, column 1: this is no JSON"),
        ("7", "the JSON is 7, where a list of layers is needed"),
        ("[]", "there is no layer"),
        ('[["InputLayer", {"shape": [NaN, 3]}]]', "NaN stands in the JSON"),
        ('[["InputLayer", {"shape": [3], "shape": [4]}]]', "the key 'shape' twice"),
        (
            [INPUT, ["DenseLayer"]],
            r"layer number 1 is \['DenseLayer'\]; needed is a pair",
        ),
        ([INPUT, [{"num_units": 3}, "DenseLayer"]], "layer number 1 is"),
        ({"network": []}, 'needed is an object with "layers"'),
        ({"layers": [INPUT], "lasagne": 0.1}, '"lasagne" is 0.1'),
        ({"layers": [INPUT], "lasagne": "0.3"}, "no rules for Lasagne '0.3'"),
        ({"layers": [INPUT], "dens_num_units": 3}, "no layer takes dens_num_units"),
        ([INPUT, dense("a", incoming="imag")], "did you mean 'image'"),
        ([INPUT, dense("a", incoming=7)], "a: it is fed by 7"),
        ([INPUT, dense("a", incoming="a")], "a: it feeds itself: a <- a"),
        (
            [INPUT, dense("a", incoming="c"), dense("b", incoming="a"), dense("c")],
            "a: it is fed by 'c', which stands behind it",
        ),
        (
            [INPUT, dense("a", incoming="b"), dense("b", incoming="a")],
            "a: it feeds itself: a <- b <- a; a network has no cycles",
        ),
        ([INPUT, dense("a", num_units=-4)], "a: num_units=-4, .* at least 1"),
        (
            [INPUT, ["MaxPool2DLayer", {"pool_size": 9, "name": "pool"}], dense("a")],
            "a: the output of pool has the shape .x3x0x0",
        ),
        (
            [INPUT, ["DensLayer", {"name": "a"}]],
            r'a: .* DensLayer. Did you mean DenseLayer.*@rule\("DensLayer"\)',
        ),
        ("[" * 100_000, "nested"),
        ("[" * 300 + "]" * 300, "nested"),
        ('{"a":' * 300 + "1" + "}" * 300, "nested"),
        ([["x" * 2000, "InputLayer"]], "has 2000 characters"),
    ],
)
def test_what_cannot_be_is_told(value, told):
    with pytest.raises(by_hand.HandCalculationError, match=told) as caught:
        table_of(value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("digits", [100, 4_299, 5_000, 100_000])
def test_a_huge_number_is_refused_by_the_layer(digits):
    text = f'[["InputLayer", {{"shape": [3, {"9" * digits}], "name": "image"}}]]'
    with pytest.raises(by_hand.HandCalculationError, match="image: ") as caught:
        table_of(text)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "name",
    ["{0.__class__}", "%n%s%(x)s", "<script>alert(1)</script>", "\ud800", "\x1b["],
)
def test_names_are_data(name):
    table = table_of(json.dumps([["InputLayer", {"shape": [None, 3], "name": name}]]))
    assert table.rows[0].name == name
    with pytest.raises(by_hand.HandCalculationError):
        table_of(json.dumps([["InputLayer", {"shape": [None, -3], "name": name}]]))


in_time = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["same", "InputLayer", "DenseLayer", "name", "a"])
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["layers", "shape", "num_units", "name", "incoming", "b"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@in_time
@given(VALUES)
def test_any_json_gives_a_table_or_the_declared_error(value):
    with suppress(by_hand.HandCalculationError):
        str(table_of(value))


@in_time
@given(st.data())
def test_a_mutated_network_gives_a_table_or_the_declared_error(data):
    text = json.dumps(by_hand.NETWORKS["question"][:4])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 5))
        new = data.draw(
            st.sampled_from(["", "[", "]", "{", '"', ",", "null", "-1", "0"])
        )
        text = text[:place] + new + text[place + length :]
    with suppress(by_hand.HandCalculationError):
        str(table_of(text))
