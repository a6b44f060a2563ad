"""The convolution Ops: what they add to the kernels. Shapes, types, gradients."""

import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pytensor.compile.mode import Mode
from pytensor.gradient import verify_grad
from pytensor.graph.traversal import ancestors

from pytensor_nnet import (
    Conv2d,
    Conv2dGradFilters,
    Conv2dGradInputs,
    ShapeMismatchError,
    conv2d,
    conv2d_grad_wrt_inputs,
    conv2d_grad_wrt_weights,
)
from pytensor_nnet.kernels.convolution import Convolution, convolve

FAST = Mode("py", "fast_compile")
FULL = Mode("py", "fast_run").excluding("fusion")

BORDER_MODES = ["valid", "full", "half", 1, (2, 1), ((0, 2), (1, 0))]


def evaluate(outputs, values, mode=FAST):
    """Compile and run, the inputs being the keys of ``values``."""
    function = pytensor.function(
        list(values), outputs, mode=mode, on_unused_input="ignore"
    )
    return function(*values.values())


def arrays(*shapes, seed=0, dtype="float64"):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("border_mode", BORDER_MODES)
@pytest.mark.parametrize("filter_flip", [True, False])
@pytest.mark.parametrize(
    ("subsample", "filter_dilation", "num_groups"),
    [
        ((1, 1), (1, 1), 1),
        ((2, 3), (1, 1), 2),
        ((1, 2), (2, 1), 1),
        ((1, 1), (1, 2), 2),
    ],
)
def test_gradients_of_all_three_against_finite_differences(
    border_mode, filter_flip, subsample, filter_dilation, num_groups
):
    options = {
        "border_mode": border_mode,
        "subsample": subsample,
        "filter_flip": filter_flip,
        "filter_dilation": filter_dilation,
        "num_groups": num_groups,
    }
    images, filters = arrays((2, 2, 6, 5), (2, 2 // num_groups, 3, 2))
    (gradient,) = arrays(conv2d(images, filters, **options).eval(mode=FAST).shape)
    rng = np.random.default_rng(1)

    def forward(images, filters):
        return conv2d(images, filters, **options)

    def to_inputs(gradient, filters):
        return conv2d_grad_wrt_inputs(gradient, filters, images.shape, **options)

    def to_filters(images, gradient):
        return conv2d_grad_wrt_weights(images, gradient, filters.shape, **options)

    verify_grad(forward, [images, filters], rng=rng, mode=FAST)
    verify_grad(to_inputs, [gradient, filters], rng=rng, mode=FAST)
    verify_grad(to_filters, [images, gradient], rng=rng, mode=FAST)


@st.composite
def problems(draw):
    """Options, images and filters that go together."""
    groups = draw(st.integers(1, 2))
    pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
    options = {
        "border_mode": draw(st.sampled_from(BORDER_MODES)),
        "subsample": draw(pairs),
        "filter_flip": draw(st.booleans()),
        "filter_dilation": draw(pairs),
        "num_groups": groups,
    }
    channels = draw(st.integers(1, 2))
    images, filters = arrays(
        (draw(st.integers(0, 2)), channels * groups, *draw(pairs)),
        (draw(st.integers(1, 2)) * groups, channels, *draw(pairs)),
    )
    return options, images, filters


@settings(max_examples=60, deadline=None)
@given(problems(), st.lists(st.booleans(), min_size=8, max_size=8))
def test_inferred_and_static_shapes_are_the_real_ones(problem, known):
    options, images_value, filters_value = problem
    static = [
        size if is_known else None
        for size, is_known in zip(
            (*images_value.shape, *filters_value.shape), known, strict=True
        )
    ]
    images = pt.tensor("images", dtype="float64", shape=tuple(static[:4]))
    filters = pt.tensor("filters", dtype="float64", shape=tuple(static[4:]))
    try:
        out = conv2d(images, filters, **options)
        out_value = conv2d(images_value, filters_value, **options).eval(mode=FAST)
    except ValueError:
        assume(False)
    gradients = pytensor.grad(out.sum(), [images, filters])
    values = {images: images_value, filters: filters_value}
    for variable, shape in zip(
        [out, *gradients],
        [out_value.shape, images_value.shape, filters_value.shape],
        strict=True,
    ):
        inferred = pytensor.function(
            list(values), variable.shape, mode=FULL, on_unused_input="ignore"
        )
        ops = {type(node.op) for node in inferred.maker.fgraph.apply_nodes}
        assert not ops & {Conv2d, Conv2dGradInputs, Conv2dGradFilters}
        assert tuple(inferred(*values.values())) == shape
        assert evaluate(variable, values).shape == shape
        for size, told in zip(shape, variable.type.shape, strict=True):
            assert told in (None, size)
    if all(known):
        assert out.type.shape == out_value.shape
        assert gradients[0].type.shape == images_value.shape
        assert gradients[1].type.shape == filters_value.shape


def test_border_modes_are_those_pads():
    images, filters = arrays((2, 3, 7, 8), (4, 3, 3, 4))
    for border_mode, pads in [
        ("valid", ((0, 0), (0, 0))),
        ("full", ((3 - 1, 3 - 1), (4 - 1, 4 - 1))),
        ("half", ((3 // 2, 3 // 2), (4 // 2, 4 // 2))),
        (1, ((1, 1), (1, 1))),
        ([1, (0, 2)], ((1, 1), (0, 2))),
    ]:
        out = conv2d(images, filters, border_mode=border_mode).eval(mode=FAST)
        assert np.array_equal(out, convolve(images, filters, Convolution(pads)))


@pytest.mark.parametrize("dtypes", [("float32", "float32"), ("float32", "float64")])
def test_mixed_precisions_are_upcast_and_gradients_are_not(dtypes):
    images = pt.tensor4("images", dtype=dtypes[0])
    filters = pt.tensor4("filters", dtype=dtypes[1])
    out = conv2d(images, filters)
    gradients = pytensor.grad(out.sum(), [images, filters])
    values = {
        images: np.ones((1, 1, 3, 3), dtypes[0]),
        filters: np.ones((1, 1, 2, 2), dtypes[1]),
    }
    results = evaluate([out, *gradients], values)
    expected = (np.result_type(*dtypes), *dtypes)
    assert [r.dtype for r in results] == [np.dtype(d) for d in expected]
    assert [v.type.dtype for v in (out, *gradients)] == list(map(str, expected))


def test_integer_images_have_no_gradient():
    images, filters = pt.itensor4("images"), pt.dtensor4("filters")
    out = conv2d(images, filters)
    to_images, to_filters = pytensor.grad(out.sum(), [images, filters])
    values = {
        images: np.arange(9, dtype="int32").reshape(1, 1, 3, 3),
        filters: np.ones((1, 1, 2, 2)),
    }
    results = evaluate([out, to_images, to_filters], values)
    assert results[0].dtype == np.float64
    assert not results[1].any()
    assert results[2].ravel().tolist() == [24, 20, 12, 8]


def test_the_forward_derivative_of_all_three():
    images, filters = pt.dtensor4("images"), pt.dtensor4("filters")
    along_images, along_filters = pt.dtensor4("u"), pt.dtensor4("v")
    out = conv2d(images, filters, border_mode="half", subsample=(2, 1))
    to_images, to_filters = pytensor.grad((out**2).sum(), [images, filters])
    shapes = (2, 3, 5, 4), (2, 3, 3, 3)
    values = dict(
        zip(
            (images, filters, along_images, along_filters),
            arrays(*shapes, *shapes),
            strict=True,
        )
    )
    step = 1e-6
    for variable in (out, to_images, to_filters):
        derivative = pytensor.gradient.pushforward(
            variable,
            [images, filters],
            [along_images, along_filters],
            use_op_pushforward=True,
        )
        before, after = (
            evaluate(
                variable,
                {
                    images: values[images] + sign * step * values[along_images],
                    filters: values[filters] + sign * step * values[along_filters],
                },
            )
            for sign in (-1, 1)
        )
        np.testing.assert_allclose(
            evaluate(derivative, values), (after - before) / (2 * step), rtol=1e-5
        )


def test_announced_shapes_become_static_and_are_checked_when_run():
    images, filters = pt.dtensor4("images"), pt.dtensor4("filters")
    out = conv2d(images, filters, (None, 3, 7, pt.constant(8)), (4, 3, 3, 3))
    assert out.type.shape == (None, 4, 7 - (3 - 1), 8 - (3 - 1))
    function = pytensor.function([images, filters], out, mode=FAST)
    fit = arrays((2, 3, 7, 8), (4, 3, 3, 3))
    assert function(*fit).shape == (2, 4, 5, 6)
    with pytest.raises(ShapeMismatchError) as error:
        function(np.zeros((2, 3, 8, 8)), fit[1])
    assert "(2, 3, 8, 8)" in str(error.value)
    assert "(None, 3, 7, 8)" in str(error.value)
    with pytest.raises(ShapeMismatchError, match=r"filters.*\(5, 3, 3, 3\)"):
        function(fit[0], np.zeros((5, 3, 3, 3)))
    assert issubclass(ShapeMismatchError, ValueError)
    assert issubclass(ShapeMismatchError, AssertionError)


def test_an_announced_shape_that_the_type_contradicts_is_refused_at_once():
    images = pt.tensor("images", dtype="float64", shape=(None, 3, 7, 7))
    with pytest.raises(ShapeMismatchError) as error:
        conv2d(images, pt.dtensor4(), input_shape=(2, 1, 7, 7))
    assert "(None, 3, 7, 7)" in str(error.value)
    assert "(2, 1, 7, 7)" in str(error.value)


def test_channels_that_do_not_fit():
    filters = pt.tensor("filters", dtype="float64", shape=(4, 3, 3, 3))
    with pytest.raises(ValueError, match=r"2, None, None\).*\(4, 3, 3, 3\)"):
        conv2d(
            pt.tensor("images", dtype="float64", shape=(None, 2, None, None)), filters
        )
    images = pt.dtensor4("images")
    function = pytensor.function(
        [images], conv2d(images, np.zeros((4, 3, 3, 3))), mode=FAST
    )
    with pytest.raises(ValueError, match=r"\(1, 2, 5, 5\).*\(4, 3, 3, 3\)"):
        function(np.zeros((1, 2, 5, 5)))


def test_a_filter_larger_than_the_image_is_refused_at_once_where_known():
    with pytest.raises(ValueError, match=r"its shape would be \(1, 1, 0, 2\)"):
        conv2d(np.zeros((1, 1, 2, 4)), np.zeros((1, 1, 3, 3)))


@pytest.mark.parametrize(
    "options",
    [
        {"border_mode": "same"},
        {"border_mode": -1},
        {"border_mode": (1, 2, 3)},
        {"border_mode": (1, "half")},
        {"border_mode": ((1, -2), 0)},
        {"border_mode": 0.5},
        {"border_mode": None},
        {"subsample": (0, 1)},
        {"subsample": (1, 1, 1)},
        {"subsample": (1.5, 1)},
        {"filter_dilation": (1, 0)},
        {"num_groups": 0},
        {"input_shape": (1, 2, 3)},
        {"filter_shape": (1, 2, 3, 4.5)},
    ],
)
def test_bad_options_are_named(options):
    (name,) = options
    with pytest.raises(ValueError, match=name):
        conv2d(pt.dtensor4(), pt.dtensor4(), **options)


def test_bad_types_are_named():
    with pytest.raises(TypeError, match="images must be a real tensor of 4 axes"):
        conv2d(pt.dmatrix(), pt.dtensor4())
    with pytest.raises(TypeError, match="filters must be a real tensor of 4 axes"):
        conv2d(pt.dtensor4(), pt.ztensor4())
    with pytest.raises(TypeError, match="filters' size must be a vector of integers"):
        Conv2dGradFilters()(pt.dtensor4(), pt.dtensor4(), pt.dvector())
    with pytest.raises(ValueError, match="input_shape.*must be four sizes"):
        conv2d_grad_wrt_inputs(pt.dtensor4(), pt.dtensor4(), (1, 2, 3, None))


def test_wanted_shapes_may_be_symbolic():
    gradient, filters = pt.dtensor4("gradient"), pt.dtensor4("filters")
    images = pt.dtensor4("images")
    rows = pt.iscalar("rows")
    # With a stride of 2 images of 5 and of 6 rows have outputs of the same size.
    to_images = conv2d_grad_wrt_inputs(
        gradient, filters, (None, None, rows, 6), (None, 3, 2, 2), subsample=(2, 2)
    )
    assert to_images.type.shape == (None, 3, None, 6)
    values = dict(
        zip((gradient, filters), arrays((2, 4, 2, 3), (4, 3, 2, 2)), strict=True)
    )
    for size in (4, 5):
        assert evaluate(to_images, {**values, rows: size}).shape == (2, 3, size, 6)
    with pytest.raises(ValueError, match=r"need \(2, 4, 3, 3\)"):
        evaluate(to_images, {**values, rows: 6})
    to_filters = conv2d_grad_wrt_weights(
        images, gradient, (None, None, rows, 2), (None, None, 4, 6), subsample=(2, 2)
    )
    values = {images: np.ones((2, 3, 4, 6)), gradient: values[gradient], rows: 2}
    assert evaluate(to_filters, values).shape == (4, 3, 2, 2)
    with pytest.raises(AssertionError):
        evaluate(to_filters, {**values, images: np.ones((2, 3, 5, 6))})


def test_equal_ops_merge_and_survive_a_pickle():
    op = Conv2d("half", (2, 1), False, (1, 2), 2, (None, 2, 3, 4))
    copy = pickle.loads(pickle.dumps(op))
    assert copy == op
    assert hash(copy) == hash(op)
    assert op != Conv2d("half", (2, 1), False, (1, 2), 2)
    images, filters = pt.dtensor4("images"), pt.dtensor4("filters")
    twice = conv2d(images, filters) + conv2d(images, filters)
    function = pytensor.function([images, filters], twice, mode=FULL)
    nodes = function.maker.fgraph.apply_nodes
    assert sum(isinstance(node.op, Conv2d) for node in nodes) == 1
    again = pickle.loads(pickle.dumps(function))
    values = arrays((2, 2, 4, 4), (1, 2, 2, 2))
    assert np.array_equal(again(*values), function(*values))


def test_the_gradient_does_not_compute_the_convolution_again():
    images, filters = pt.dtensor4("images"), pt.dtensor4("filters")
    gradients = pytensor.grad(conv2d(images, filters).sum(), [images, filters])
    function = pytensor.function([images, filters], gradients, mode=FULL)
    names = [type(node.op).__name__ for node in function.maker.fgraph.apply_nodes]
    assert names.count("Conv2d") == 0
    assert names.count("Conv2dGradInputs") == names.count("Conv2dGradFilters") == 1
    assert images in set(ancestors(gradients))
