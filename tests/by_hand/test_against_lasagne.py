"""Random networks: the hand calculation against the installed Lasagne 0.1."""

import lasagne
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lasagne import layers

from mnist_cnn import by_hand

sizes = st.integers(1, 4)
counts = st.integers(1, 6)
pads = st.sampled_from([0, 1, 2, (1, 0), "same", "full", "valid"])
biases = st.sampled_from([{}, {"b": None}])


def pair_or_one(numbers):
    return st.one_of(numbers, st.tuples(numbers, numbers))


def definition(layer_class, **keywords):
    return st.tuples(st.just(layer_class), st.fixed_dictionaries(keywords))


CONVOLUTION = definition(
    layers.Conv2DLayer,
    num_filters=counts,
    filter_size=pair_or_one(sizes),
    stride=pair_or_one(st.integers(1, 3)),
    pad=pads,
    untie_biases=st.booleans(),
)
POOLS = [
    definition(
        layers.Pool2DLayer,
        pool_size=pair_or_one(sizes),
        stride=st.one_of(st.none(), pair_or_one(st.integers(1, 3))),
        ignore_border=st.booleans(),
    ),
    definition(
        layers.MaxPool2DLayer,
        pool_size=pair_or_one(st.integers(2, 4)),
        pad=pair_or_one(st.integers(0, 1)),
    ),
    definition(layers.FeaturePoolLayer, pool_size=st.integers(1, 3)),
]
OTHERS_ON_IMAGES = [
    definition(layers.NINLayer, num_units=counts, untie_biases=st.booleans()),
    definition(layers.LocalResponseNormalization2DLayer),
    definition(layers.DropoutLayer),
    definition(layers.PadLayer, width=pair_or_one(st.integers(0, 2))),
    definition(
        layers.SliceLayer,
        indices=st.sampled_from([slice(0, 3), slice(None, None, 2), slice(1, None)]),
        axis=st.sampled_from([1, 2, 3, -1]),
    ),
    definition(layers.DimshuffleLayer, pattern=st.just((0, 2, 3, 1))),
]
ON_ROWS = [
    definition(layers.DenseLayer, num_units=counts),
    definition(layers.DropoutLayer),
    definition(layers.NonlinearityLayer),
]


@st.composite
def networks(draw):
    """Classes and keywords: images, what takes images, then dense layers."""
    shape = (None, draw(counts), draw(st.integers(6, 16)), draw(st.integers(6, 16)))
    on_images = st.one_of(CONVOLUTION, *POOLS, *OTHERS_ON_IMAGES)
    chosen = [
        (layers.InputLayer, {"shape": shape}),
        *draw(st.lists(on_images, max_size=5)),
        *draw(st.lists(st.one_of(*ON_ROWS), min_size=1, max_size=3)),
    ]
    without_bias = draw(st.sets(st.integers(1, len(chosen))))
    for index, (layer_class, keywords) in enumerate(chosen):
        if index in without_bias and layer_class in (
            layers.Conv2DLayer,
            layers.DenseLayer,
            layers.NINLayer,
        ):
            keywords["b"] = None
    return chosen


def build(definitions):
    """Each layer that Lasagne builds, until it refuses one."""
    built = []
    for layer_class, keywords in definitions:
        incoming = () if layer_class is layers.InputLayer else (built[-1],)
        try:
            layer = layer_class(*incoming, **keywords)
            if incoming:
                # Some refuse only here.
                layer.get_output_shape_for(layer.input_shape)
        except Exception:
            break
        built.append(layer)
    return built


def check(definitions):
    built = build(definitions)
    if len(built) < len(definitions):
        with pytest.raises(by_hand.HandCalculationError):
            by_hand.table(definitions[: len(built) + 1], lasagne="0.1")
    definitions = definitions[: len(built)]
    for table in (
        by_hand.table(definitions, lasagne="0.1"),
        by_hand.table(built[-1]),
    ):
        for row, layer in zip(table, built, strict=True):
            assert row.output_shape == layer.output_shape
            assert row.parameters == sum(
                weights.get_value().size for weights in layer.params
            )
        assert table.total == lasagne.layers.count_params(built[-1])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_some_networks(definitions):
    check(definitions)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_thousands_of_networks(definitions):
    check(definitions)


def test_enough_of_the_random_networks_are_built():
    """A refusal ends a network, so that the rest of it is not compared."""
    lengths = []

    @settings(max_examples=100, deadline=None, database=None, derandomize=True)
    @given(networks())
    def collect(definitions):
        lengths.append((len(build(definitions)), len(definitions)))

    collect()
    assert sum(built == asked for built, asked in lengths) > len(lengths) / 4
