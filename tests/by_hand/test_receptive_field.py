"""Receptive fields, against sets of positions that are followed one by one.

The reference knows nothing of windows: it follows an output position back to the input
from the definition of each layer, position by position.
"""

import lasagne
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nolearn.lasagne import NeuralNet

import theano
from mnist_cnn import by_hand
from mnist_cnn.by_hand.receptive_field import nolearn_fields, receptive_fields
from mnist_cnn.by_hand.windows import Unknown
from mnist_cnn.layer_info import capture_layer_info

LENGTH = 61
PERIOD = 2 * 3 * 2 * 3


def image(length=LENGTH, axes=1):
    return ("InputLayer", {"name": "image", "shape": (None, 2, *[length] * axes)})


def fields(definitions):
    table = by_hand.table(definitions, lasagne="0.2")
    return dict(zip([row.name for row in table], receptive_fields(table), strict=True))


def field(definitions):
    return [*fields(definitions).values()][-1]


# The reference: from an output position to input positions


def convolution(n, s, pad):
    before = {"same": n // 2, "full": n - 1, "valid": 0}.get(pad, pad)
    return lambda o: {o * s - before + t for t in range(n)}


def pool(n, s, pad):
    return lambda o: {o * s - pad + t for t in range(n)}


def dilated(n, d):
    return lambda o: {o + t * d for t in range(n)}


def transposed(n, s, crop):
    return lambda o: {i for i in range(-200, 200) if 0 <= o + crop - i * s < n}


def upscaled(factor):
    return lambda o: {o // factor}


def padded(before):
    return lambda o: {o - before}


def cut(start, step):
    return lambda o: {start + o * step}


def kept(o):
    return {o}


small = st.integers(1, 4)


KINDS = ["convolution", "convolution", "pool", "pool"]
KINDS += ["pad", "slice", "upscale", "dropout"]


@st.composite
def layers(draw):
    """A layer over one axis of space, and what a position of it sees."""
    kind = draw(st.sampled_from(KINDS))
    n, s, p = draw(small), draw(st.integers(1, 3)), draw(st.integers(0, 2))
    if kind == "convolution":
        pad = draw(st.sampled_from([p, "full", "valid", "same"]))
        if pad == "same":
            n = 2 * (n // 2) + 1
        keywords = {"num_filters": 2, "filter_size": n, "stride": s, "pad": pad}
        return ("Conv1DLayer", keywords), convolution(n, s, pad)
    if kind == "pool":
        keywords = {"pool_size": n, "stride": s, "pad": p}
        return ("Pool1DLayer", keywords), pool(n, s, p)
    if kind == "pad":
        return ("PadLayer", {"width": [(p, s)]}), padded(p)
    if kind == "slice":
        keywords = {"indices": slice(p, None, s), "axis": 2}
        return ("SliceLayer", keywords), cut(p, s)
    if kind == "upscale":
        return ("Upscale1DLayer", {"scale_factor": s}), upscaled(s)
    return ("DropoutLayer", {}), kept


def follow(seeing, position):
    positions = {position}
    for sees in reversed(seeing):
        positions = set().union(*map(sees, positions))
    return positions


def extent(positions):
    return max(positions) - min(positions) + 1


@settings(deadline=None)
@given(st.lists(layers(), max_size=5))
def test_field_is_that_of_following_each_position(chosen):
    definitions = [image(), *(definition for definition, _ in chosen)]
    seeing = [sees for _, sees in chosen]
    try:
        found = [*fields(definitions).values()]
    except by_hand.ImpossibleSizeError:
        return
    for count, one in enumerate(found):
        expected = max(extent(follow(seeing[:count], o)) for o in range(PERIOD))
        assert [axis.value for axis in one.axes] == [expected]


@settings(deadline=None)
@given(st.lists(layers(), max_size=4))
def test_dense_layer_sees_what_all_positions_see(chosen):
    definitions = [image(), *(definition for definition, _ in chosen)]
    try:
        length = by_hand.table(definitions, lasagne="0.2").rows[-1].size[1]
        [one] = field([*definitions, ("DenseLayer", {"num_units": 3})]).axes
    except by_hand.ImpossibleSizeError:
        return
    seeing = [sees for _, sees in chosen]
    pixels = set().union(*(follow(seeing, o) for o in range(length)))
    assert one.value == extent(pixels)


@settings(deadline=None)
@given(small, small, st.integers(1, 3), st.integers(0, 2), small)
def test_transposed_and_dilated_convolutions_over_two_axes(n, m, s, crop, d):
    first = {"num_filters": 2, "filter_size": (n, m), "stride": s, "crop": crop}
    second = {"num_filters": 2, "filter_size": (m, n), "dilation": (d, 1)}
    definitions = [
        image(13, axes=2),
        ("TransposedConv2DLayer", first),
        ("DilatedConv2DLayer", second),
    ]
    try:
        one = field(definitions)
    except by_hand.ImpossibleSizeError:
        return
    if min(n, m) < s:
        assert isinstance(one, Unknown)
        return
    expected = [
        max(
            extent(follow([transposed(a, s, crop), dilated(b, c)], o)) for o in range(s)
        )
        for a, b, c in ((n, m, d), (m, n, 1))
    ]
    assert [axis.value for axis in one.axes] == expected


@settings(deadline=None)
@given(st.data())
def test_merge_sees_what_its_inputs_see(data):
    stride = data.draw(st.integers(1, 2))
    sizes = data.draw(st.lists(st.sampled_from([1, 3, 5]), min_size=2, max_size=3))
    definitions = [image(), ("Upscale1DLayer", {"name": "wide", "scale_factor": 3})]
    for number, n in enumerate(sizes):
        keywords = {"num_filters": 2, "filter_size": n, "stride": stride}
        keywords |= {"pad": "same", "incoming": "wide", "name": f"branch{number}"}
        definitions.append(("Conv1DLayer", keywords))
    names = [f"branch{number}" for number in range(len(sizes))]
    merge = data.draw(st.sampled_from(["ConcatLayer", "ElemwiseSumLayer"]))
    definitions.append((merge, {"incomings": names, "name": "merge"}))

    def sees(o):
        return set().union(
            *(follow([upscaled(3), convolution(n, stride, "same")], o) for n in sizes)
        )

    expected = max(extent(sees(o)) for o in range(PERIOD))
    assert [axis.value for axis in field(definitions).axes] == [expected]


# What is shown is what was computed


@settings(deadline=None)
@given(st.lists(layers(), max_size=5))
def test_what_is_displayed_is_what_is_reported(chosen):
    definitions = [image(), *(definition for definition, _ in chosen)]
    try:
        found = fields(definitions)
    except by_hand.ImpossibleSizeError:
        return
    for one in found.values():
        for formula in one.axes:
            assert eval(formula, {"__builtins__": {}}) == formula.value


def test_the_questions_fields():
    found = fields(by_hand.NETWORKS["question"])
    sizes = {name: one.values for name, one in found.items()}
    assert sizes == {
        "input": (1,),
        "conv2d1": (1 + (5 - 1) * 1,),
        "maxpool1": (5 + (2 - 1) * 1,),
        "conv2d2": (6 + (3 - 1) * 2,),
        "maxpool2": (10 + (2 - 1) * 2,),
        "dense": (12 + (5 - 1) * 4,),
        "output": (28,),
    }
    assert str(found["conv2d2"]) == "6+(3-1)*2"
    assert found["conv2d2"].axes[0].symbolic == "r + (n - 1)*j"


# By experiment: one bright pixel, filters of ones, and where it shows


def bright_rows(output, size, position):
    """The rows of the image that an output position sees, found by trying each."""
    images = np.zeros((size, 1, size, size), theano.config.floatX)
    images[np.arange(size), 0, np.arange(size), size // 2] = 1
    values = lasagne.layers.get_output(output, images, deterministic=True).eval()
    return np.flatnonzero(values[:, 0, position, :].sum(axis=1) > 0)


@pytest.mark.parametrize(
    "build",
    [
        lambda layer, conv, pool: pool(conv(pool(conv(layer, 5), 2), 3), 2),
        lambda layer, conv, pool: pool(conv(layer, 3, stride=2, pad=1), 3, stride=2),
        lambda layer, conv, pool: conv(pool(layer, 3, stride=1), (4, 2), stride=(3, 1)),
    ],
)
def test_network_of_ones_sees_as_far(build):
    def conv(layer, size, **keywords):
        return lasagne.layers.Conv2DLayer(
            layer,
            1,
            size,
            W=lasagne.init.Constant(1),
            nonlinearity=None,
            **keywords,
        )

    size = 28
    incoming = lasagne.layers.InputLayer((None, 1, size, size))
    output = build(incoming, conv, lasagne.layers.MaxPool2DLayer)
    table = by_hand.table(output)
    rows = receptive_fields(table)[-1].axes[0].value
    middle = output.output_shape[2] // 2
    assert len(bright_rows(output, size, middle)) == rows


# What cannot be told


CONV = {"num_filters": 2, "filter_size": 3}


@pytest.mark.parametrize(
    ("definitions", "reason"),
    [
        ([("InputLayer", {"shape": (None, 7)})], "no axes of space"),
        (
            [
                ("InputLayer", {"shape": (None, 5, 4)}),
                ("LSTMLayer", {"num_units": 3}),
                ("DenseLayer", {"num_units": 3}),
            ],
            "every step before",
        ),
        ([image(), ("ReshapeLayer", {"shape": ([0], 1, -1)})], "takes .* apart"),
        ([image(), ("StandardizationLayer", {})], "mean of whole feature maps"),
        ([image(), ("ExpressionLayer", {})], "only running"),
        (
            [image(), ("SliceLayer", {"indices": slice(None, None, -1), "axis": 2})],
            "picks positions",
        ),
        (
            [image(), ("SpatialPyramidPoolingLayer", {})][:1]
            + [("InputLayer", {"shape": (None, 2, 9, 9)})]
            + [("SpatialPyramidPoolingLayer", {})],
            "differ in size",
        ),
        (
            [
                image(),
                ("FlattenLayer", {}),
                ("DimshuffleLayer", {"pattern": (0, "x", 1)}),
                ("Conv1DLayer", CONV),
            ],
            "flattened",
        ),
        (
            [
                image(),
                ("InputLayer", {"name": "other", "shape": (None, 2, LENGTH)}),
                ("ConcatLayer", {"incomings": ["image", "other"]}),
            ],
            "more than one input",
        ),
        (
            [
                image(),
                ("Conv1DLayer", CONV | {"name": "slow", "stride": 2, "pad": 1}),
                ("SliceLayer", {"incoming": "image", "indices": slice(31), "axis": 2}),
                ("ConcatLayer", {"incomings": ["slow", "slice2"]}),
            ],
            "different steps",
        ),
        (
            [
                ("InputLayer", {"shape": (None, 2, None)}),
                ("GlobalPoolLayer", {}),
            ],
            "not fixed",
        ),
        ([image(), ("Upscale1DLayer", {"scale_factor": 10**9})], "upscaling"),
    ],
)
def test_what_cannot_be_told_has_a_reason(definitions, reason):
    one = field(definitions)
    assert isinstance(one, Unknown)
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(one.because)


def test_flattened_positions_see_what_they_saw_and_dense_sees_all():
    found = fields(
        [
            image(12, axes=2),
            ("Conv2DLayer", {"num_filters": 2, "filter_size": 3}),
            ("FlattenLayer", {"name": "flat"}),
            ("ReshapeLayer", {"shape": ([0], -1), "name": "same"}),
            ("DenseLayer", {"num_units": 3, "name": "dense"}),
        ]
    )
    sizes = {name: [axis.value for axis in one.axes] for name, one in found.items()}
    assert sizes["flat"] == sizes["same"] == [3, 3]
    assert sizes["dense"] == [12, 12]


def test_axes_may_change_places():
    found = field(
        [
            image(12, axes=2),
            ("Conv2DLayer", {"num_filters": 2, "filter_size": (3, 1)}),
            ("DimshuffleLayer", {"pattern": (0, 1, 3, 2)}),
            ("Conv2DLayer", {"num_filters": 2, "filter_size": (5, 1)}),
        ]
    )
    assert [axis.value for axis in found.axes] == [3, 5]


# nolearn's own


NOLEARN = [
    [("conv", 5), ("pool", 2), ("conv", 3), ("pool", 2), ("dense", 256)],
    [("conv", 5, 2), ("pool", 3, 2), ("conv", 3), ("pool", 2), ("dense", 4)],
    [("pool", 2), ("conv", (3, 2)), ("dropout",), ("conv", 3), ("dense", 4)],
    [("conv", 3), ("conv", 3), ("mean", 2), ("conv", 3), ("dense", 4)],
]


def build_nolearn(plan):
    layer = lasagne.layers.InputLayer((None, 1, 28, 28), name="input")
    for kind, *rest in plan:
        if kind == "conv":
            size, *stride = rest
            layer = lasagne.layers.Conv2DLayer(layer, 2, size, *stride)
        elif kind == "pool":
            layer = lasagne.layers.MaxPool2DLayer(layer, *rest)
        elif kind == "mean":
            layer = lasagne.layers.Pool2DLayer(layer, *rest, mode="average_exc_pad")
        elif kind == "dropout":
            layer = lasagne.layers.DropoutLayer(layer)
        else:
            layer = lasagne.layers.DenseLayer(layer, *rest)
    return layer


@pytest.mark.parametrize("plan", NOLEARN)
def test_nolearns_fields_are_those_it_prints(plan):
    output = build_nolearn(plan)
    net = NeuralNet(output, update=lasagne.updates.sgd, verbose=3)
    printed = [row.field for row in capture_layer_info(net).rows]
    ours = nolearn_fields(by_hand.table(output))
    assert [tuple(axis.value for axis in one.axes) for one in ours] == printed


def test_nolearn_prints_none_without_a_convolution_over_two_axes():
    table = by_hand.table([image(), ("DenseLayer", {"num_units": 3})])
    assert nolearn_fields(table) == [None, None]
