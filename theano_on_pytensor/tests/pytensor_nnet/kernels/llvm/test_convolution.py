"""The compiled convolution against one that visits every tap of every window."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pytensor_nnet.kernels import convolution as reference
from pytensor_nnet.kernels.convolution import Convolution
from pytensor_nnet.kernels.llvm import backward, convolution, threads, winograd
from pytensor_nnet.kernels.llvm.backward import Backward, generate_backward
from pytensor_nnet.kernels.llvm.convolution import (
    add_layer,
    add_layer_gradients,
    convolve,
    convolve_filter_gradient,
    convolve_input_gradient,
)
from pytensor_nnet.kernels.llvm.forward import generate_forward
from pytensor_nnet.kernels.llvm.launch import run_at_once
from pytensor_nnet.kernels.llvm.layer import Epilogue, Layer, choose_tile
from pytensor_nnet.kernels.llvm.pixels import PixelSum, sums_pixels
from pytensor_nnet.kernels.llvm.winograd import (
    Winograd,
    generate_transformation,
    generate_winograd,
    suits_winograd,
)

from .conftest import AVX2, AVX512, NATIVE, NEON, SSE2

TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}
# The fixture that chooses a CPU does so once for all of a test's examples.
FEW = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
MANY = settings(FEW, max_examples=150)


convolve_pooled = partial(run_at_once, add_layer)
convolve_pooled_gradients = partial(run_at_once, add_layer_gradients)


@pytest.fixture(autouse=True)
def kernels_for_small_sizes(monkeypatch):
    """Else NumPy does what hypothesis draws."""
    monkeypatch.setattr(convolution, "_SMALL", 0)
    monkeypatch.setattr(convolution, "_SMALL_TASK", 1)


@pytest.fixture
def small_bands(monkeypatch):
    """As if images were larger than a core's first cache."""
    monkeypatch.setattr(backward, "_NEAR", 512)


def assert_close(result, expected):
    """To the precision of the result's type, of the largest value."""
    assert result.shape == expected.shape
    largest = np.abs(expected).max(initial=0)
    error = np.abs(result - expected).max(initial=0)
    assert error <= TOLERANCE[result.dtype.type] * max(largest, 1e-30)


def slow_layer(images, filters, bias, geometry, epilogue):
    """The convolution with its bias, and each window's output, in float64."""
    before = reference.convolve(
        images.astype(np.float64), filters.astype(np.float64), geometry
    )
    before = before + bias[:, None, None].astype(np.float64)
    (down, across), (rows, columns) = epilogue.window, before.shape[2:]
    windows = before[:, :, : rows // down * down, : columns // across * across]
    windows = windows.reshape(
        *before.shape[:2], rows // down, down, columns // across, across
    )
    maxima = windows.max(axis=(3, 5))
    slope = 1 if epilogue.slope is None else epilogue.slope
    return before, windows, np.where(maxima > 0, maxima, slope * maxima)


def slow_gradients(images, filters, windows, shape, given, geometry, slope, at_zero):
    """Gradients of the filters, the bias and the images, in float64.

    ``shape`` is the convolution's, before the pool.
    """
    maxima = windows.max(axis=(3, 5), keepdims=True)
    derivative = np.where(
        windows > 0, 1, np.where(windows == 0, at_zero, 1 if slope is None else slope)
    )
    spread = (windows == maxima) * derivative * given[:, :, :, None, :, None]
    batch, n_filters, rows, down, columns, across = windows.shape
    before = np.zeros(shape)
    before[:, :, : rows * down, : columns * across] = spread.reshape(
        batch, n_filters, rows * down, columns * across
    )
    images, filters = images.astype(np.float64), filters.astype(np.float64)
    return (
        reference.convolve_filter_gradient(images, before, filters.shape[2:], geometry),
        before.sum(axis=(0, 2, 3)),
        reference.convolve_input_gradient(filters, before, images.shape[2:], geometry),
    )


@st.composite
def layers(draw, largest=40, channels=None, plain=False):
    """A geometry, an epilogue and arrays that fit: images, filters, bias.

    ``plain``: without strides and dilations.
    """
    size = st.integers(1, 4)
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    pads = st.tuples(st.integers(0, 2), st.integers(0, 2))
    geometry = Convolution(
        draw(st.tuples(pads, pads)),
        (1, 1) if plain else draw(pair),
        (1, 1) if plain else draw(st.sampled_from([(1, 1), (1, 1), (2, 1), (1, 2)])),
        1,
        draw(st.booleans()),
    )
    epilogue = Epilogue(
        draw(st.sampled_from([(1, 1), (2, 2), (2, 2), (3, 2), (1, 2), (4, 3)])),
        draw(st.sampled_from([None, 0.0, 0.0, 0.25])),
        True,
    )
    count = st.integers(1, largest)
    image_shape = (
        draw(size),
        draw(st.integers(1, channels) if channels else count),
        draw(st.integers(1, 13)),
        draw(st.integers(1, 13)),
    )
    filter_shape = (draw(count), image_shape[1], draw(size), draw(size))
    try:
        _, _, *out = geometry.output_shape(image_shape, filter_shape)
    except ValueError:
        assume(False)
    assume(all(n >= w for n, w in zip(out, epilogue.window, strict=True)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    # Small integers: sums are exact, so that ties are ties for everybody.
    images = rng.integers(-2, 3, image_shape).astype(dtype)
    images *= rng.random(image_shape) < draw(st.sampled_from([1.0, 0.1]))
    filters = rng.integers(-2, 3, filter_shape).astype(dtype)
    bias = rng.integers(-2, 3, filter_shape[0]).astype(dtype)
    if draw(st.booleans()):
        images = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
        images = images.transpose(0, 3, 1, 2)
    return geometry, epilogue, images, filters, bias, rng


def check_layer(problem, at_zero=0.5):
    geometry, epilogue, images, filters, bias, rng = problem
    before, windows, expected = slow_layer(images, filters, bias, geometry, epilogue)
    out, mask = convolve_pooled(images, filters, bias, geometry, epilogue)
    assert out.dtype == images.dtype
    assert_close(out, expected)

    maxima = windows == windows.max(axis=(3, 5), keepdims=True)
    bits = 1 << np.arange(epilogue.area).reshape(epilogue.window)
    expected_mask = (maxima * bits[:, None, :]).sum(axis=(3, 5))
    if epilogue.slope == 0:
        expected_mask[windows.max(axis=(3, 5)) < 0] = 0
    assert np.array_equal(mask, expected_mask)

    given = rng.integers(-2, 3, out.shape).astype(images.dtype)
    if rng.random() < 0.5:
        given = np.ascontiguousarray(given.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    slope = epilogue.slope
    expected = slow_gradients(
        *(images, filters, windows, before.shape, given, geometry),
        *(slope, 1 if slope is None else at_zero),
    )
    for to_images in (True, False):
        results = convolve_pooled_gradients(
            *(images, filters, out, mask, given, geometry, epilogue, at_zero),
            to_images,
        )
        assert_close(results.filters, expected[0])
        assert_close(results.bias, expected[1])
        if to_images:
            assert_close(results.images, expected[2])
        else:
            assert results.images is None


@FEW
@given(layers())
def test_a_layer_equals_the_slow_one(cpu, problem):
    check_layer(problem)


@FEW
@given(layers(largest=20))
def test_gradients_of_filters_band_after_band(cpu, small_bands, problem):
    check_layer(problem)


@pytest.mark.slow
@MANY
@given(layers())
def test_many_layers_equal_the_slow_one(cpu, problem):
    check_layer(problem)


@FEW
@given(layers(largest=4))
def test_few_channels(cpu, problem):
    check_layer(problem)


@FEW
@given(layers(channels=4, plain=True))
def test_first_layers(cpu, problem):
    check_layer(problem)


@pytest.mark.slow
@MANY
@given(layers(channels=4, plain=True))
def test_many_first_layers(cpu, problem):
    check_layer(problem)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("channels", "window", "share", "sums"),
    [
        (1, (2, 2), 0.2, True),
        (1, (2, 2), 0.9, False),
        (1, (1, 1), 0.9, True),
        (3, (1, 1), 0.9, True),
        (3, (2, 2), 0.1, False),
    ],
)
def test_gradients_are_summed_pixel_by_pixel_where_that_is_faster(
    cpu, dtype, channels, window, share, sums
):
    rng = np.random.default_rng(0)
    images = rng.standard_normal((3, channels, 20, 19)).astype(dtype)
    images[rng.random(images.shape) > share] = 0
    filters = rng.standard_normal((37, channels, 5, 5)).astype(dtype)
    bias = rng.standard_normal(37).astype(dtype)
    layer = Layer(
        {4: "float", 8: "double"}[images.itemsize],
        *(channels, images.shape[2:], 37, (5, 5)),
        epilogue=Epilogue(window, 0.0, True),
    )
    assert sums_pixels(layer, cpu) == (sums or channels == 1)
    if channels == 1:
        most = PixelSum(layer, cpu).most
        assert all((np.count_nonzero(image) <= most) == sums for image in images)
    check_layer((Convolution(), layer.epilogue, images, filters, bias, rng))


@st.composite
def winograd_layers(draw):
    """Layers of float32 that Winograd's filtering suits."""
    geometry = Convolution(
        draw(st.sampled_from([((0, 0), (0, 0)), ((1, 1), (1, 1)), ((0, 1), (2, 1))])),
        flip=draw(st.booleans()),
    )
    window = draw(st.sampled_from([(1, 1), (2, 2)]))
    epilogue = Epilogue(window, draw(st.sampled_from([None, 0.0, 0.25])), True)
    channels, n_filters = draw(st.integers(8, 20)), draw(st.integers(8, 40))
    rows, columns = (2 * draw(st.integers(2, 7)) for _ in range(2))
    if window == (2, 2):
        rows, columns = rows + draw(st.booleans()), columns + draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shapes = (draw(st.integers(1, 4)), channels, rows, columns), (n_filters, channels)
    # Small integers: sums are exact, so that ties are ties for everybody.
    images = rng.integers(-2, 3, shapes[0]).astype(np.float32)
    filters = rng.integers(-2, 3, (*shapes[1], 3, 3)).astype(np.float32)
    bias = rng.integers(-2, 3, n_filters).astype(np.float32)
    padded = np.add(images.shape[2:], [sum(pads) for pads in geometry.pads]) - 2
    assume(window == (2, 2) or not (padded % 2).any())
    return geometry, epilogue, images, filters, bias, rng


@FEW
@given(winograd_layers())
def test_winograds_filtering_equals_the_slow_sum(cpu, problem):
    check_layer(problem)


@pytest.mark.slow
@MANY
@given(winograd_layers())
def test_many_of_winograds_layers(cpu, problem):
    check_layer(problem)


def test_winograds_filtering_in_several_blocks(cpu, monkeypatch):
    monkeypatch.setattr(winograd, "_BLOCK", 16 * 5 * 60 * 4 * 2)
    rng = np.random.default_rng(0)
    images = rng.standard_normal((3, 20, 13, 12)).astype(np.float32)
    filters = rng.standard_normal((40, 20, 3, 3)).astype(np.float32)
    bias = rng.standard_normal(40).astype(np.float32)
    layer = Layer("float", 20, (13, 12), 40, (3, 3), epilogue=Epilogue((2, 2)))
    assert suits_winograd(layer)
    assert Winograd(layer).block_rows(cpu) < Winograd(layer).tiles[0]
    geometry, epilogue = Convolution(), Epilogue((2, 2), 0.0)
    out, _ = convolve_pooled(images, filters, bias, geometry, epilogue)
    assert_close(out, slow_layer(images, filters, bias, geometry, epilogue)[2])


@pytest.mark.parametrize(
    ("slope", "alike"),
    [((0, 1), [(0, 1), (2, 3)]), ((1, 0), [(0, 2), (1, 3)])]
    + [((1, 1), [(0, 3)]), ((1, -1), [(1, 2)])],
)
@pytest.mark.parametrize(("channels", "size"), [(16, 3), (1, 5), (3, 5), (16, 5)])
def test_equal_sums_stay_equal_before_a_pool(slope, alike, channels, size):
    """Images that are the same along an axis or a diagonal."""
    down, across = slope
    rng = np.random.default_rng(0)
    rows, columns = np.ogrid[:13, :12]
    # Constant where `across * row - down * column` is.
    stripes = rng.random((2, channels, 40))[:, :, across * rows - down * columns]
    images = np.ascontiguousarray(stripes, np.float32)
    filters = rng.standard_normal((24, channels, size, size)).astype(np.float32)
    bias = rng.standard_normal(24).astype(np.float32)
    layer = Layer(
        "float", channels, (13, 12), 24, (size, size), epilogue=Epilogue((2, 2))
    )
    assert suits_winograd(layer) == (size == 3)
    _, mask = convolve_pooled(
        images, filters, bias, Convolution(), Epilogue((2, 2), None, True)
    )
    for one, other in alike:
        assert np.array_equal(mask >> one & 1, mask >> other & 1)
    assert np.isin(mask, [0b0001, 0b0010, 0b0100, 0b1000]).any() == (down * across != 0)


def test_winograds_filtering_is_for_float32_alone():
    layer = Layer("double", 20, (12, 12), 40, (3, 3))
    assert not suits_winograd(layer)
    assert suits_winograd(replace(layer, element="float"))
    assert not suits_winograd(replace(layer, element="float", strides=(2, 2)))


def check_plain(problem):
    geometry, _, images, filters, _, rng = problem
    images = rng.standard_normal(images.shape).astype(images.dtype)
    filters = rng.standard_normal(filters.shape).astype(images.dtype)
    exact = [array.astype(np.float64) for array in (images, filters)]
    expected = reference.convolve(*exact, geometry)
    assert_close(convolve(images, filters, geometry), expected)
    given = rng.standard_normal(expected.shape).astype(images.dtype)
    size = filters.shape[2:]
    assert_close(
        convolve_filter_gradient(images, given, size, geometry),
        reference.convolve_filter_gradient(
            exact[0], given.astype(np.float64), size, geometry
        ),
    )
    size = images.shape[2:]
    assert_close(
        convolve_input_gradient(filters, given, size, geometry),
        reference.convolve_input_gradient(
            exact[1], given.astype(np.float64), size, geometry
        ),
    )


@FEW
@given(layers(largest=20))
def test_a_plain_convolution_and_its_gradients(cpu, problem):
    check_plain(problem)


@pytest.mark.slow
@MANY
@given(layers())
def test_many_plain_convolutions_and_their_gradients(cpu, problem):
    check_plain(problem)


def example(dtype=np.float32, channels=3, n_filters=20, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.standard_normal((19, channels, 12, 11)).astype(dtype)
    filters = rng.standard_normal((n_filters, channels, 3, 3)).astype(dtype)
    bias = rng.standard_normal(n_filters).astype(dtype)
    return images, filters, bias


@pytest.mark.parametrize("channels", [1, 20])
def test_the_same_bits_for_any_number_of_threads(cpu, channels):
    images, filters, bias = example(channels=channels)
    geometry, epilogue = Convolution(), Epilogue((2, 2), 0.0, True)
    results = []
    for count in (1, 2, 4):
        before = threads.set_threads(count)
        try:
            out, mask = convolve_pooled(images, filters, bias, geometry, epilogue)
            gradients = convolve_pooled_gradients(
                *(images, filters, out, mask, np.cos(out), geometry, epilogue),
                *(0.5, channels > 1),
            )
        finally:
            threads.set_threads(before)
        results.append([out, mask, *filter(lambda x: x is not None, gradients)])
    for others in results[1:]:
        for one, other in zip(results[0], others, strict=True):
            assert one.tobytes() == other.tobytes()


def test_the_same_bits_whatever_the_batch(cpu):
    images, filters, bias = example()
    arguments = (filters, bias, Convolution(), Epilogue((2, 2), 0.0))
    together, _ = convolve_pooled(images, *arguments)
    alone = [convolve_pooled(image[None], *arguments)[0] for image in images]
    assert np.array_equal(together, np.concatenate(alone))


def test_blank_images_give_the_bias_and_all_positions_tie(cpu):
    images = np.zeros((2, 1, 8, 8), np.float32)
    filters = np.ones((3, 1, 3, 3), np.float32)
    bias = np.array([-1, 0, 2], np.float32)
    out, mask = convolve_pooled(
        images, filters, bias, Convolution(), Epilogue((2, 2), 0.0, True)
    )
    assert (out == np.array([0, 0, 2])[:, None, None]).all()
    assert (mask == np.array([0, 15, 15])[:, None, None]).all()
    given = np.ones(out.shape, np.float32)
    gradients = convolve_pooled_gradients(
        *(images, filters, out, mask, given, Convolution()),
        *(Epilogue((2, 2), 0.0, True), 0.5),
    )
    # 2 images of 3 * 3 windows of 4 maxima, and half of each at zero.
    assert gradients.bias.tolist() == [0, 2 * 9 * 4 * 0.5, 2 * 9 * 4]


@pytest.mark.parametrize("channels", [1, 20])
def test_nan_stays_nan(cpu, channels):
    images, filters, bias = example(channels=channels)
    images[3, 0, 5, 5] = np.nan
    out, mask = convolve_pooled(
        images, filters, bias, Convolution(), Epilogue((2, 2), 0.0, True)
    )
    expected = np.zeros((19, 5, 4), bool)
    # Rows 3 to 5 and columns 3 to 5 of the convolution see it.
    expected[3, 1:3, 1:3] = True
    assert np.array_equal(np.isnan(out), np.broadcast_to(expected[:, None], out.shape))
    given = np.zeros(out.shape, np.float32)
    given[3, 7, 1, 1] = np.nan
    gradients = convolve_pooled_gradients(
        *(images, filters, out, mask, given, Convolution()),
        *(Epilogue((2, 2), 0.0, True), 0.5),
    )
    assert np.isnan(gradients.bias).tolist() == [f == 7 for f in range(20)]
    assert np.isnan(gradients.filters[7]).any()
    assert np.isfinite(np.delete(gradients.filters, 7, axis=0)).all()
    assert np.isnan(gradients.images[3]).any()
    assert np.isfinite(np.delete(gradients.images, 3, axis=0)).all()


def test_a_filter_that_is_not_finite_meets_blanks_as_well(cpu):
    images = np.zeros((1, 1, 40, 40), np.float32)
    filters = np.zeros((2, 1, 3, 3), np.float32)
    filters[1, 0, 1, 1] = np.inf
    out = convolve(images, filters)
    assert (out[0, 0] == 0).all()
    assert np.isnan(out[0, 1]).all()


def test_other_types_groups_and_small_sizes_are_numpys(monkeypatch):
    monkeypatch.setattr(convolution, "_SMALL", 1 << 19)

    def refuse(*arguments):
        raise AssertionError("a kernel was asked for")

    monkeypatch.setattr(convolution, "_forward_plan", refuse)
    images, filters, _ = example(channels=4)
    grouped = Convolution(groups=2)
    large = np.repeat(images, 30, axis=0)
    for args in [
        (images[:1], filters),
        (large.astype(int), filters.astype(int)),
        (large.astype(np.float64), filters),
        (large, filters[:, :2], grouped),
        (images[:0], filters),
    ]:
        assert np.array_equal(convolve(*args), reference.convolve(*args))
    with pytest.raises(AssertionError, match="a kernel was asked for"):
        convolve(large, filters)


def test_shapes_that_do_not_fit_are_refused_as_numpy_does():
    images, filters, bias = example()
    with pytest.raises(ValueError, match="do not fit filters"):
        convolve(images[:, :2], filters)
    with pytest.raises(ValueError, match="do not fit filters"):
        convolve_pooled(images[:, :2], filters, bias, Convolution(), Epilogue())
    gradient = np.zeros((19, 20, 3, 3), np.float32)
    with pytest.raises(ValueError, match="the output's gradient has shape"):
        convolve_filter_gradient(images, gradient, (3, 3))
    with pytest.raises(ValueError, match="the output's gradient has shape"):
        convolve_input_gradient(filters, gradient, (12, 11))


@pytest.mark.parametrize("cpu", [NATIVE, AVX2, SSE2, NEON], ids=lambda c: c.name)
def test_tiles_fit_in_the_registers(cpu):
    for filters in (1, 10, 32, 50, 128):
        for size in (1, 5, 10, 24):
            for window in ((1, 1), (2, 2), (3, 3)):
                layer = Layer(
                    *("float", 8, (size + 2, size + 2), filters, (3, 3)),
                    epilogue=Epilogue(window),
                )
                tile = choose_tile(layer, cpu, cpu.registers)
                assert tile.rows % window[0] == tile.columns % window[1] == 0
                registers = tile.accumulators + tile.vectors + 1
                assert registers <= max(cpu.registers, window[0] * window[1] + 2)


@pytest.mark.parametrize(
    ("cpu", "type_"), [(NEON, "<4 x float>"), (AVX512, "<16 x float>")]
)
def test_text_for_other_cpus_is_llvms(cpu, type_):
    """It is verified, not run."""
    import llvmlite.binding as llvm

    layer = Layer(
        "float", 3, (12, 12), 10, (3, 3), epilogue=Epilogue((2, 2), 0.0, True)
    )
    minimal = Winograd(replace(layer, channels=10))
    for function in (
        generate_forward(layer, cpu),
        generate_transformation(minimal, cpu),
        generate_winograd(minimal, cpu),
        generate_backward(Backward(layer), True, cpu),
        generate_backward(Backward(layer, to_images=False), False, cpu),
        generate_backward(
            Backward(replace(layer, channels=1), to_images=False), True, cpu
        ),
    ):
        assert type_ in function.text()
        llvm.parse_assembly(function.text()).verify()
