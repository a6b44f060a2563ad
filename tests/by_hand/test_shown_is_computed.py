"""One text, shown and computed: what every rule displays is what is reported."""

import re
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_cnn import by_hand
from mnist_cnn.by_hand.columns import measure
from mnist_cnn.by_hand.formula import Formula, SizeFormula
from mnist_cnn.by_hand.read_text import read_text

KNOWN = by_hand.known_types()
LINE, IMAGE, BLOCK = (None, 4, 11), (None, 4, 11, 10), (None, 4, 7, 6, 5)
ROWS, WORDS, SEQUENCE = (None, 12), (None, 6), (None, 6, 5)


def convolution(n, m, flag):
    return {
        "num_filters": 2 * n,
        "filter_size": m,
        "stride": n,
        "pad": "full" if flag else 1,
        "untie_biases": flag,
    }


def transposed(n, m, flag):
    crop = 0 if flag else 1
    return {"num_filters": n, "filter_size": m + 2, "stride": n, "crop": crop}


def pool(n, m, flag):
    keywords = {"pool_size": n + 1, "stride": m}
    return keywords | ({"ignore_border": False} if flag else {"pad": 1})


def dense(n, m, flag):
    return {"num_units": n, "b": None} if flag else {"num_units": m}


def recurrent(n, m, flag):
    return {"num_units": n, "learn_init": flag}


def nothing(n, m, flag):
    return {}


def given_as(**keywords):
    return lambda n, m, flag: keywords


EXAMPLES = {
    "InputLayer": (None, given_as(shape=IMAGE)),
    **{f"Conv{axes}DLayer": (shape, convolution)
       for axes, shape in ((1, LINE), (2, IMAGE), (3, BLOCK))},
    **{f"{name}Layer": (IMAGE, convolution) for name in ("Conv2DMM", "Conv2DDNN")},
    "Conv3DDNNLayer": (BLOCK, convolution),
    "Conv2DCCLayer": (
        IMAGE,
        lambda n, m, flag: {"num_filters": 16 * n, "filter_size": m, "stride": n},
    ),
    "DilatedConv2DLayer": (
        IMAGE,
        lambda n, m, flag: {"num_filters": n, "filter_size": 3, "dilation": m},
    ),
    "LocallyConnected2DLayer": (
        IMAGE,
        lambda n, m, flag: {
            "num_filters": 4, "filter_size": 2 * m + 1, "channelwise": flag
        },
    ),
    **{f"{name}2DLayer": (IMAGE, transposed) for name in ("TransposedConv", "Deconv")},
    **{f"{name}3DLayer": (BLOCK, transposed) for name in ("TransposedConv", "Deconv")},
    **{f"{kind}{axes}D{end}Layer": (shape, pool)
       for kind in ("MaxPool", "Pool")
       for axes, shape, ends in (
           (1, LINE, [""]), (2, IMAGE, ["", "DNN"]), (3, BLOCK, ["", "DNN"])
       )
       for end in ends},
    "MaxPool2DCCLayer": (IMAGE, lambda n, m, flag: {"pool_size": n + m, "stride": n}),
    "GlobalPoolLayer": (IMAGE, nothing),
    "FeaturePoolLayer": (IMAGE, given_as(pool_size=2)),
    "FeatureWTALayer": (IMAGE, given_as(pool_size=2)),
    "SpatialPyramidPoolingLayer": (IMAGE, given_as(pool_dims=[3, 2, 1])),
    "SpatialPyramidPoolingDNNLayer": (IMAGE, nothing),
    **{f"Upscale{axes}DLayer": (shape, lambda n, m, flag: {"scale_factor": n})
       for axes, shape in ((1, LINE), (2, IMAGE), (3, BLOCK))},
    "DenseLayer": (IMAGE, dense),
    "NINLayer": (IMAGE, lambda n, m, flag: {"num_units": n, "untie_biases": flag}),
    "NINLayer_c01b": ((4, 11, 10, 3), lambda n, m, flag: {"num_units": n}),
    "EmbeddingLayer": (WORDS, lambda n, m, flag: {"input_size": n, "output_size": m}),
    "RecurrentLayer": (SEQUENCE, recurrent),
    "LSTMLayer": (
        SEQUENCE, lambda n, m, flag: {"num_units": n, "peepholes": flag}
    ),
    "GRULayer": (SEQUENCE, recurrent),
    **{f"{name}Layer": (IMAGE, nothing)
       for name in (
           "BatchNorm", "BatchNormDNN", "Bias", "Scale", "ParametricRectifier",
           "Dropout", "GaussianNoise", "Nonlinearity", "RandomizedRectifier",
           "Standardization", "LocalResponseNormalization2D", "Expression",
           "ShuffleBC01ToC01B",
       )},
    "ShuffleC01BToBC01Layer": ((4, 11, 10, 3), nothing),
    "FlattenLayer": (IMAGE, nothing),
    "ReshapeLayer": (IMAGE, given_as(shape=([0], 2, -1))),
    "DimshuffleLayer": (IMAGE, given_as(pattern=(0, 2, 3, 1))),
    "PadLayer": (IMAGE, lambda n, m, flag: {"width": [(n, m), (m, n)]}),
    "SliceLayer": (
        IMAGE, lambda n, m, flag: {"indices": slice(0, None, n), "axis": 2}
    ),
}  # fmt: skip
FROM_SEVERAL = {
    "ConcatLayer": [("InputLayer", {"name": "other", "shape": IMAGE})],
    "ElemwiseSumLayer": [("InputLayer", {"name": "other", "shape": IMAGE})],
    "ElemwiseMergeLayer": [("InputLayer", {"name": "other", "shape": IMAGE})],
}
WITH_LAYERS = {
    "CustomRecurrentLayer": """
        inside = DenseLayer(InputLayer((None, 3)), {n})
        again = DenseLayer(InputLayer((None, {n})), {n}, b={b})
        CustomRecurrentLayer(InputLayer((None, {m} + 1, 3)), inside, again)
        """,
    "InverseLayer": """
        convolution = Conv2DLayer(InputLayer((None, 3, 11, 10)), {n}, {m}, b={b})
        InverseLayer(convolution, convolution)
        """,
    "TransformerLayer": """
        image = InputLayer((None, 3, 11, 10))
        TransformerLayer(image, DenseLayer(image, 6, b={b}), ({n}, {m}))
        """,
    "TPSTransformerLayer": """
        image = InputLayer((None, 3, 11, 10))
        TPSTransformerLayer(image, DenseLayer(image, 2 * 4, b={b}), {n}, 4)
        """,
}


def test_every_rule_has_an_example():
    assert set(KNOWN) == {*EXAMPLES, *FROM_SEVERAL, *WITH_LAYERS}


def table_of(type_, n, m, flag):
    if type_ in WITH_LAYERS:
        code = textwrap.dedent(WITH_LAYERS[type_]).format(n=n, m=m, b=flag or None)
        return by_hand.calculate(read_text(code))
    return by_hand.table(definitions(type_, n, m, flag), lasagne="0.2")


def definitions(type_, n, m, flag):
    if type_ in FROM_SEVERAL:
        first = ("InputLayer", {"name": "one", "shape": IMAGE})
        incomings = {"incomings": ["one", "other"]}
        return [first, *FROM_SEVERAL[type_], (type_, incomings)]
    shape, keywords = EXAMPLES[type_]
    start = [] if shape is None else [("InputLayer", {"shape": shape})]
    return [*start, (type_, keywords(n, m, flag))]


def evaluate(shown):
    assert re.fullmatch(r"[\d+\-*/() ]*", shown), shown
    return eval(re.sub("/+", "//", shown), {"__builtins__": {}})


def from_latex(latex):
    """LaTeX as Python; every division comes out even or is rounded down."""
    plain = latex.replace(r"\left", "").replace(r"\right", "").replace(r"\cdot", "*")
    plain = plain.replace(r"\lfloor", "(").replace(r"\rfloor", ")")
    while r"\frac" in plain:
        plain = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)//(\2))", plain)
    return plain


def formulas_of(table):
    for row in table:
        yield from row.size_formula.axes
        yield row.parameter_formula
        if isinstance(row.connections, Formula):
            yield row.connections
    for column in measure(table, ["all"], batch=3):
        for cell in column.cells:
            if isinstance(cell.formula, SizeFormula):
                yield from cell.formula.axes
            elif cell.formula is not None:
                yield cell.formula


@pytest.mark.parametrize("type_", [*EXAMPLES, *FROM_SEVERAL, *WITH_LAYERS])
@settings(deadline=None, max_examples=10)
@given(n=st.integers(1, 3), m=st.integers(1, 3), flag=st.booleans())
def test_what_is_displayed_is_what_is_reported(type_, n, m, flag):
    table = table_of(type_, n, m, flag)
    row = table.rows[-1]
    own = [one for one in row.tensors if one.trainable and not one.shared_with]
    assert row.parameters == sum(one.count for one in own)
    assert row.parameter_formula.value == row.parameters
    found = 0
    for formula in formulas_of(table):
        if formula.value is not None:
            assert evaluate(formula) == formula.value
            assert evaluate(from_latex(formula.latex)) == formula.value
            found += 1
    assert found


@pytest.mark.parametrize("type_", ["TransformerLayer", "TPSTransformerLayer"])
def test_transformers_show_what_they_compute(type_):
    outputs = 6 if type_ == "TransformerLayer" else 32
    table = by_hand.table(
        [
            ("InputLayer", {"name": "image", "shape": IMAGE}),
            ("DenseLayer", {"name": "where", "num_units": outputs}),
            (
                type_,
                {
                    "incoming": "image",
                    "localization_network": "where",
                    "downsample_factor": 3,
                },
            ),
        ]
    )
    sizes = table.rows[-1].size_formula.axes
    assert [evaluate(one) for one in sizes] == [11 // 3, 10 // 3]
    assert [one.value for one in sizes] == list(table.rows[-1].size[1:])
