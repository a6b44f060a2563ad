"""The short form: every word and option, and what each mistake is told."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_cnn import by_hand
from mnist_cnn.by_hand.read_short import is_short, read_short
from mnist_cnn.by_hand.read_text import read_text

QUESTION = "1x28x28 conv32@5x5 pool2 conv32@3x3 pool2 dense256 dense10"


def layers_of(text):
    return [(one.type, dict(one.arguments)) for one in read_short(text).layers[1:]]


def test_the_questions_network():
    table = by_hand.calculate(read_text(QUESTION))
    named = by_hand.table(by_hand.NETWORKS["question"])
    for row, expected in zip(table, named, strict=True):
        assert row.size == expected.size
        assert row.size_formula == expected.size_formula
        assert row.parameter_formula == expected.parameter_formula
    assert table.total == 217_706
    assert [row.name for row in table][:3] == ["input0", "conv2d1", "maxpool2d2"]


def test_names_make_it_the_questions_table_to_the_letter():
    expected = by_hand.table(by_hand.NETWORKS["question"])
    names = [row.name for row in expected]
    text = " ".join(map("=".join, zip(names, QUESTION.split(), strict=True)))
    assert str(by_hand.calculate(read_text(text))) == str(expected)


@pytest.mark.parametrize(
    ("word", "layer_class", "arguments"),
    [
        ("conv8@3", "Conv2DLayer", {"num_filters": 8, "filter_size": 3}),
        (
            "conv8@3x1/2x1+1x0",
            "Conv2DLayer",
            {"num_filters": 8, "filter_size": (3, 1), "stride": (2, 1), "pad": (1, 0)},
        ),
        (
            "conv8@3/2+same[b=None,untie_biases=True]",
            "Conv2DLayer",
            {
                **{"num_filters": 8, "filter_size": 3, "stride": 2, "pad": "same"},
                **{"b": None, "untie_biases": True},
            },
        ),
        (
            "conv8@3[pad=full]",
            "Conv2DLayer",
            dict(num_filters=8, filter_size=3, pad="full"),
        ),
        (
            "deconv8@4/2+1",
            "TransposedConv2DLayer",
            {"num_filters": 8, "filter_size": 4, "stride": 2, "crop": 1},
        ),
        (
            "dilated8@3[dilation=(2, 1)]",
            "DilatedConv2DLayer",
            {"num_filters": 8, "filter_size": 3, "dilation": (2, 1)},
        ),
        ("local8@3", "LocallyConnected2DLayer", {"num_filters": 8, "filter_size": 3}),
        ("nin8", "NINLayer", {"num_units": 8}),
        ("dense8", "DenseLayer", {"num_units": 8}),
        ("pool2", "MaxPool2DLayer", {"pool_size": 2}),
        ("maxpool3x2/2+1", "MaxPool2DLayer", dict(pool_size=(3, 2), stride=2, pad=1)),
        (
            "conv8@5+same/2",
            "Conv2DLayer",
            dict(num_filters=8, filter_size=5, stride=2, pad="same"),
        ),
        ("avgpool2", "Pool2DLayer", {"pool_size": 2, "mode": "average_inc_pad"}),
        ("globalpool", "GlobalPoolLayer", {}),
        ("maxout2", "FeaturePoolLayer", {"pool_size": 2}),
        ("upscale2x3", "Upscale2DLayer", {"scale_factor": (2, 3)}),
        ("dropout", "DropoutLayer", {}),
        ("dropout0.2", "DropoutLayer", {"p": 0.2}),
        ("noise0.1", "GaussianNoiseLayer", {"sigma": 0.1}),
        ("bn", "BatchNormLayer", {}),
        ("lrn[n=3]", "LocalResponseNormalization2DLayer", {"n": 3}),
        ("relu", "NonlinearityLayer", {}),
        ("prelu", "ParametricRectifierLayer", {}),
        ("flatten", "FlattenLayer", {}),
        ("flatten[outdim=3]", "FlattenLayer", {"outdim": 3}),
        ("reshape8x?", "ReshapeLayer", {"shape": ([0], 8, None)}),
        ("pad1x2", "PadLayer", {"width": (1, 2)}),
        ("embed50x4", "EmbeddingLayer", {"input_size": 50, "output_size": 4}),
        ("rnn8", "RecurrentLayer", {"num_units": 8}),
        ("lstm8[peepholes=False]", "LSTMLayer", {"num_units": 8, "peepholes": False}),
        ("gru8", "GRULayer", {"num_units": 8}),
        ("last", "SliceLayer", {"indices": -1, "axis": 1}),
        ("SliceLayer[indices=0, axis=1]", "SliceLayer", {"indices": 0, "axis": 1}),
        ("SliceLayer[indices=slice(0, 3)]", "SliceLayer", {"indices": slice(0, 3)}),
        ("Upscale2DLayer[scale_factor=2]", "Upscale2DLayer", {"scale_factor": 2}),
    ],
)
def test_a_word_stands_for_a_layer(word, layer_class, arguments):
    assert layers_of(f"3x8x8 {word}") == [(layer_class, arguments)]


@pytest.mark.parametrize(
    ("sizes", "axes"), [("3x100", 1), ("3x8x8", 2), ("3x8x8x8", 3), ("?x?x?", 2)]
)
def test_axes_are_those_of_the_input(sizes, axes):
    [conv, pool] = layers_of(f"{sizes} conv8@3 pool2")
    assert (conv[0], pool[0]) == (f"Conv{axes}DLayer", f"MaxPool{axes}DLayer")


def test_axes_are_those_of_a_reshape_before():
    assert layers_of("784 reshape1x28x28 conv8@3")[1][0] == "Conv2DLayer"


def test_a_layer_is_repeated():
    network = read_short("1x28x28 3*conv8@3+1 2*dense5")
    assert [one.type for one in network.layers[1:]] == [
        *["Conv2DLayer"] * 3,
        *["DenseLayer"] * 2,
    ]


def test_lines_and_blanks_do_not_matter():
    assert layers_of("\n 1x28x28\n\tconv8@3\n pool2 [ignore_border = False]"[:26]) == (
        layers_of("1x28x28 conv8@3 pool2")
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1x28x28 covn32@5", "word 2, 'covn32@5': there is no covn: did you mean conv"),
        ("1x28x28 conv32", "word 2, 'conv32': it needs the size of its filters"),
        ("1x28x28 conv@5", "needs one whole number, as in conv32@5x5"),
        ("1x28x28 dense", "needs one whole number, as in dense256"),
        ("1x28x28 dense3.5", "needs one whole number"),
        ("1x28x28 dense8@3", "only filters have a size after @"),
        ("1x28x28 pool", "it needs a size, as in pool2"),
        ("1x28x28 pool?", "size that is not fixed"),
        ("1x28x28 pool2x", "got .2x., where sizes are needed"),
        ("1x28x28 bn3", "it takes no number"),
        ("1x28x28 dropout0.5.5", "0.5.5 is no number"),
        ("1x28x28 embed3", "it needs two numbers"),
        ("1x28x28 conv32@5+some", "needed is a layer such as conv32@5x5"),
        ("1x28x28 conv32@5[b]", "needed are keywords and values"),
        ("1x28x28 conv32@5[b=f(1)]", "needed are keywords and values"),
        ("1x28x28 conv32@5[b=None", "needed is a layer such as"),
        ("1x28x28 DenseLayer/2", "a class takes its numbers in brackets"),
        ("1x28x28 MaxoutLayer", r'no rule .* MaxoutLayer.*@rule\("MaxoutLayer"\)'),
        ("784 conv32@5", "works along 1 to 3 axes of space, and the input has 0"),
        ("1x0x28 conv32@5", "input0: a size of shape=0"),
        ("1x28x28 conv32@31 dense3", "conv2d1 has the shape .x32x-2x-2"),
        ("1x28x28 20000*dense5", "more than 10000 layers"),
        ("1x28x28 999999999999999999*dense5", "more than 10000 layers"),
        ("1x28x28 a=dense5 a=dense5", "two layers have the name 'a'"),
        ("1x28x28 3*a=dense5", "two layers have the name 'a'"),
        ("", "no layer"),
        ("1x28x", "got '1x28x', where sizes are needed"),
    ],
)
def test_what_cannot_be_is_told(text, told):
    with pytest.raises(by_hand.HandCalculationError, match=told):
        by_hand.calculate(read_short(text))


def test_it_is_told_by_its_start():
    assert is_short(QUESTION)
    assert is_short("image=1x28x28 dense3")
    assert not is_short("NeuralNet(layers=[])")
    assert not is_short("")


in_time = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

WORDS = st.sampled_from(
    [
        *("conv32@3x3", "conv8@5/2+1", "pool2", "pool3/2", "dense10", "bn", "flatten"),
        *("dropout0.5", "globalpool", "nin5", "maxout2", "gru4", "last", "upscale2"),
        *("reshape4x?", "SliceLayer[indices=0,axis=1]"),
    ]
)


@in_time
@given(st.lists(WORDS | st.text("conv32@/+x[]=,'b?* ", max_size=8), max_size=6))
def test_any_words_give_a_table_or_the_declared_error(words):
    with suppress(by_hand.HandCalculationError):
        str(by_hand.calculate(read_short(" ".join(["1x28x28", *words]))))


@in_time
@given(st.text())
def test_any_text_gives_a_table_or_the_declared_error(text):
    with suppress(by_hand.HandCalculationError):
        str(by_hand.calculate(read_short(text)))
