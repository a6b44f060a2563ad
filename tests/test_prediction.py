"""Images as MNIST's, whatever they were, and what a run's network says of them."""

import gzip
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from mnist_cnn import prediction
from mnist_cnn.dataset import find_small_set, load_small_set
from mnist_cnn.prediction import (
    PredictionError,
    centre,
    convert,
    find_ground,
    find_threshold,
    fit,
    predict,
    read_images,
)
from mnist_cnn.weights import WeightsError, save_weights


@pytest.fixture(scope="module")
def digits():
    """Forty digits of MNIST, (40, 28, 28) bytes."""
    images = load_small_set(find_small_set(), "").test_images[:40, 0]
    return np.rint(images * 255).astype(np.uint8)


def write_idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim])
    return header + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def take_photo(digit, *, side=300, paper=200.0, ink=60.0, noise=0.0, light=None):
    """A digit written on paper, in the middle of 480x640 pixels.

    `light` gives the light's share at (y, x), both from -1 to 1.
    """
    large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    written = np.zeros((480, 640))
    top, left = (480 - side) // 2, (640 - side) // 2
    written[top : top + side, left : left + side] = np.asarray(large) / 255
    levels = paper + (ink - paper) * written
    if light is not None:
        y, x = np.mgrid[-1:1:480j, -1:1:640j]
        levels = levels * light(y, x)
    levels = levels + np.random.RandomState(0).normal(0, noise, levels.shape)
    return np.clip(levels, 0, 255).astype(np.uint8)


# Images


def test_image_of_mnist_is_taken_as_it_is(digits, tmp_path):
    for digit in digits:
        Image.fromarray(digit).save(tmp_path / "digit.png")
        [read] = read_images(tmp_path / "digit.png")
        np.testing.assert_array_equal(read.pixels, digit)
        assert read.conversion == ""
        assert (read.source, read.index) == (tmp_path / "digit.png", 0)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_idx_file_holds_many(digits, tmp_path, compress):
    path = tmp_path / "digits"
    path.write_bytes(compress(write_idx(digits)))
    read = read_images(str(path))
    np.testing.assert_array_equal([one.pixels for one in read], digits)
    assert [one.index for one in read] == list(range(40))
    assert {one.source for one in read} == {path}
    assert {one.conversion for one in read} == {""}


# How far a converted picture may be from the image that it shows, as the mean
# difference of a pixel of 255. To shift the digits by a pixel makes more than 15 of
# it, to take others more than 40: so says the second test from here.
PHOTOS = {
    "black on white": (dict(paper=255, ink=0), 7),
    "on grey paper": (dict(), 7),
    "on a board": (dict(paper=40, ink=220), 8),
    "grainy": (dict(noise=20), 8),
    "light from a side": (dict(light=lambda y, x: 0.65 - 0.35 * x), 8),
    "dark corners": (dict(light=lambda y, x: 1 - 0.3 * (x**2 + y**2)), 8),
    "small": (dict(side=120), 12),
}


def distance(ours, theirs) -> float:
    return float(np.mean(np.abs(np.asarray(ours, float) - np.asarray(theirs, float))))


@pytest.mark.parametrize("kind", PHOTOS)
def test_photo_becomes_the_image_that_it_shows(digits, kind):
    arguments, nearest = PHOTOS[kind]
    converted = [convert(take_photo(digit, **arguments))[0] for digit in digits]
    assert distance(converted, digits) < nearest


def test_distances_of_photos_mean_something(digits):
    others, shifted = (np.roll(digits, 1, axis) for axis in (0, 2))
    assert distance(shifted, digits) > 15
    assert distance(others, digits) > 40


def test_inverted_image_is_turned_back(digits):
    converted = [convert(255 - digit)[0] for digit in digits]
    assert distance(converted, digits) < 5


@pytest.mark.parametrize("inverted", [False, True])
def test_picture_cropped_to_the_ink_is_converted(digits, inverted):
    converted = []
    for digit in digits:
        rows, columns = np.nonzero(digit.any(1))[0], np.nonzero(digit.any(0))[0]
        cut = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        converted.append(convert(255 - cut if inverted else cut)[0])
    # A stroke along a border may be taken for the ground.
    distances = [distance(*pair) for pair in zip(converted, digits, strict=True)]
    assert np.median(distances) < 5
    assert np.mean(np.array(distances) > 20) < 0.1


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (
            take_photo(np.pad(np.full((20, 6), 255, np.uint8), ((4, 4), (11, 11)))),
            # Of 300 pixels for 28, the bar has 6 of 28 in width and 20 in height.
            r"^inverted, cropped from 640x480 to its ink, scaled to [67]x20, "
            "centred in 28x28$",
        ),
        (
            take_photo(
                np.pad(np.full((6, 20), 255, np.uint8), ((11, 11), (4, 4))),
                paper=40,
                ink=220,
                light=lambda y, x: 1 + 0.15 * x,
            ),
            r"^cropped from 640x480 to its ink, scaled to 20x[67], centred in 28x28$",
        ),
        (
            take_photo(
                np.pad(np.full((20, 20), 255, np.uint8), 4),
                light=lambda y, x: 0.7 - 0.3 * x,
            ),
            r"^inverted, its light evened, cropped from 640x480 to its ink, "
            "scaled to 20x20, centred in 28x28$",
        ),
    ],
    ids=["upright bar", "flat bar", "uneven light"],
)
def test_words_say_what_was_done(picture, words):
    assert re.search(words, convert(picture)[1])


@settings(deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 2, 255]),
)
def test_whatever_is_drawn_becomes_an_image(rows, columns, seed, top):
    random = np.random.RandomState(seed)
    grey = random.randint(0, top + 1, (rows, columns)).astype(np.uint8)
    assume(grey.min() < grey.max())
    try:
        pixels, _ = convert(grey)
    except PredictionError as error:
        assert "shows nothing" in str(error)
        return
    assert pixels.shape == (28, 28)
    assert pixels.dtype == np.uint8
    assert pixels.any()


# The parts of a conversion


def find_threshold_slowly(grey):
    """The threshold with the least variance within the classes, tried one by one."""
    best, best_within = 0, np.inf
    for threshold in range(int(grey.min()), int(grey.max())):
        parts = grey[grey <= threshold], grey[grey > threshold]
        within = sum(part.size * part.astype(float).var() for part in parts)
        if within < best_within * (1 - 1e-9):
            best, best_within = threshold, within
    return best


@settings(deadline=None)
@given(st.lists(st.integers(0, 255), min_size=2, max_size=30))
def test_threshold_parts_best(levels):
    grey = np.array(levels, np.uint8)
    assume(grey.min() < grey.max())
    found, best = find_threshold(grey), find_threshold_slowly(grey)
    parts = [
        sum(part.size * part.astype(float).var() for part in (low, high))
        for low, high in (
            (grey[grey <= threshold], grey[grey > threshold])
            for threshold in (found, best)
        )
    ]
    assert parts[0] == pytest.approx(parts[1], rel=1e-6, abs=1e-6)


def test_ground_follows_the_light():
    y, x = np.mgrid[-1:1:50j, -1:1:70j]
    light = 120 + 40 * x - 20 * y - 30 * x * y + 25 * y * y
    drawn = light.copy()
    drawn[10:40, 20:50] = 0
    # And one stroke up to the border.
    drawn[:10, 30:34] = 0
    assert np.abs(find_ground(np.rint(drawn).astype(np.uint8)) - light).max() < 2


def test_ground_under_even_light_is_the_borders_median():
    grey = np.full((30, 40), 90, np.uint8)
    grey[10:20, :30] = 7
    np.testing.assert_array_equal(find_ground(grey), np.full((30, 40), 90.0))


@pytest.mark.parametrize(
    ("shape", "fitted"),
    [
        ((200, 100), (20, 10)),
        ((100, 200), (10, 20)),
        ((5, 5), (20, 20)),
        # 20 * 3 / 400 = 0.15: a line stays one.
        ((400, 3), (20, 1)),
    ],
)
def test_longer_side_becomes_twenty_pixels(shape, fitted):
    ink = fit(np.full(shape, 200, np.uint8))
    assert ink.shape == fitted
    assert ink.max() == 255


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_centre_of_mass_is_the_images_centre(rows, columns, seed):
    ink = np.random.RandomState(seed).randint(0, 256, (rows, columns)).astype(np.uint8)
    assume(ink.any())
    placed = centre(ink)
    assert placed.sum() == ink.sum()
    for axis, length in enumerate(ink.shape):
        mass = placed.sum(1 - axis, dtype=float)
        middle = (mass * np.arange(28)).sum() / mass.sum()
        # Half a pixel from 14, where the borders do not stop it.
        at_border = mass[0] or mass[-1] or length == 20
        assert abs(middle - 14) <= 0.5 + 1e-9 or at_border


def test_digits_of_mnist_are_centred_so(digits):
    for digit in digits:
        rows, columns = np.nonzero(digit.any(1))[0], np.nonzero(digit.any(0))[0]
        cut = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        np.testing.assert_array_equal(centre(cut), digit)


# Modes and formats


@pytest.fixture
def save(tmp_path):
    def save_picture(image, name="picture.png", **options):
        image.save(tmp_path / name, **options)
        return tmp_path / name

    return save_picture


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA"])
def test_grey_in_any_mode_is_taken_as_it_is(save, mode):
    grey = np.zeros((28, 28), np.uint8)
    grey[5:22, 12:16] = 255
    [read] = read_images(save(Image.fromarray(grey).convert(mode)))
    np.testing.assert_array_equal(read.pixels, grey)
    assert read.conversion == ""


def test_sixteen_bits_are_reduced(save):
    levels = np.zeros((28, 28), np.uint16)
    levels[5:22, 12:16] = 65535
    [read] = read_images(save(Image.fromarray(levels)))
    np.testing.assert_array_equal(read.pixels, levels // 257)
    assert read.conversion == "reduced to 256 greys"


def test_colours_are_made_grey(save, digits):
    shares = digits[0][..., None] / 255
    picture = (
        np.array([255, 240, 200]) * (1 - shares) + np.array([30, 30, 120]) * shares
    )
    [read] = read_images(save(Image.fromarray(picture.astype(np.uint8))))
    assert read.conversion.startswith("made grey, inverted, cropped from 28x28")
    assert distance(read.pixels, digits[0]) < 5


@pytest.mark.parametrize(
    ("strokes", "laid_on"), [(0, "laid on white, inverted"), (255, "laid on black")]
)
def test_transparent_ground_is_filled(save, digits, strokes, laid_on):
    """Whatever colour the transparent pixels have beneath."""
    picture = np.full((28, 28, 2), strokes, np.uint8)
    picture[..., 1] = digits[0]
    [read] = read_images(save(Image.fromarray(picture, "LA")))
    assert read.conversion.startswith(laid_on)
    assert distance(read.pixels, digits[0]) < 5


def test_photo_is_turned_upright(save, digits):
    upright = Image.fromarray(take_photo(digits[0]))
    [expected] = read_images(save(upright, "upright.png"))
    exif = Image.Exif()
    # 6: the camera was turned; to see it upright, turn it clockwise by 90 degrees.
    exif[prediction.ORIENTATION] = 6
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    [read] = read_images(save(turned, "turned.jpg", exif=exif, quality=95))
    assert read.conversion == f"turned upright, {expected.conversion}"
    assert distance(read.pixels, expected.pixels) < 3


# What is refused


def write_labels(path):
    path.write_bytes(write_idx(np.array([1, 2, 3], np.uint8)))


def write_no_images(path):
    path.write_bytes(write_idx(np.zeros((0, 28, 28), np.uint8)))


def write_truncated_idx(path):
    path.write_bytes(write_idx(np.ones((2, 28, 28), np.uint8))[:-1])


def write_truncated_png(path):
    noise = np.random.RandomState(0).randint(0, 256, (64, 64)).astype(np.uint8)
    Image.fromarray(noise).save(path, "png")
    path.write_bytes(path.read_bytes()[:-500])


def write_text(path):
    path.write_text("seven")


def write_blank(path):
    Image.new("L", (28, 28), 255).save(path, "png")


def write_transparent(path):
    Image.new("RGBA", (28, 28), (200, 0, 0, 0)).save(path, "png")


def write_speck(path):
    grey = np.full((600, 600), 255, np.uint8)
    grey[300, 300] = 0
    Image.fromarray(grey).save(path, "png")


def write_blank_among_others(path):
    images = np.zeros((3, 28, 28), np.uint8)
    images[:2, 5:22, 12:16] = 255
    path.write_bytes(write_idx(images))


REFUSED = {
    write_labels: "is an IDX file of the shape 3, needed are images",
    write_no_images: "is an IDX file of the shape 0x28x28, needed are images",
    write_truncated_idx: "bytes long, needed are",
    write_truncated_png: "cannot be read as a picture",
    write_text: "cannot be read as a picture: cannot identify image file",
    write_blank: "shows nothing: all its pixels are 255",
    write_transparent: "shows nothing: all its pixels are 255",
    write_speck: "shows nothing as thick as a stroke",
    write_blank_among_others: "image 2: shows nothing: all its pixels are 0",
    lambda path: None: "there is no such file",
    lambda path: path.mkdir(): "cannot be read",
}


@pytest.mark.parametrize(("write", "problem"), REFUSED.items())
def test_what_is_no_image_is_named(tmp_path, write, problem):
    path = tmp_path / "image"
    write(path)
    with pytest.raises(PredictionError) as caught:
        read_images(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert problem in str(caught.value)


def test_all_images_that_cannot_be_read_are_named_before_the_run(tmp_path):
    write_text(tmp_path / "b.png")
    names = [tmp_path / name for name in ("a.png", "b.png")]
    with pytest.raises(PredictionError) as caught:
        predict(names, tmp_path / "no-run")
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == list(map(str, names))


def test_images_are_read_without_theano():
    program = (
        "import sys, mnist_cnn.prediction\n"
        "print([n for n in ('theano', 'lasagne', 'nolearn') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


# Runs


NO_OVERRIDES: dict[str, str] = {}


def write_run(folder, net, network="question", overrides=NO_OVERRIDES):
    folder.mkdir()
    run = {"network": network, "seed": 1, "overrides": overrides}
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    save_weights(net, folder / "weights.npz")
    return folder


def build(network="question", seed=1, **overrides):
    """A net with initialised layers, its weights drawn from the seed."""
    import lasagne

    from mnist_cnn.network import build_network

    before = lasagne.random.get_rng()
    lasagne.random.set_rng(np.random.RandomState(seed))
    try:
        net = build_network(network, verbose=0, **overrides)
        net.initialize_layers()
    finally:
        lasagne.random.set_rng(before)
    return net


@pytest.fixture
def images(tmp_path, digits):
    path = tmp_path / "digits.idx"
    path.write_bytes(write_idx(digits[:7]))
    return path


@pytest.mark.parametrize("network", ["question", "blog"])
def test_predictions_are_nolearns(tmp_path, images, digits, network, monkeypatch):
    """Without dropout, and in batches of which the last is not full."""
    monkeypatch.setattr(prediction, "NUM_IMAGES_AT_ONCE", 3)
    net = build(network)
    found = predict([images], write_run(tmp_path / "run", net, network))
    net.initialize()
    batch = digits[:7, None].astype(np.float32) / np.float32(255)
    expected = net.predict_proba(batch)
    np.testing.assert_allclose(
        [one.probabilities for one in found], expected, rtol=1e-5
    )
    assert [one.digit for one in found] == net.predict(batch).tolist()
    for index, one in enumerate(found):
        assert (one.source, one.index, one.conversion) == (images, index, "")
        assert one.probability == max(one.probabilities)
        assert sum(one.probabilities) == pytest.approx(1, abs=1e-5)


def test_images_keep_their_order(tmp_path, images, digits):
    picture = tmp_path / "photo.png"
    Image.fromarray(take_photo(digits[0])).save(picture)
    run = write_run(tmp_path / "run", build())
    found = predict([picture, images, picture], run)
    assert [(one.source, one.index) for one in found] == [
        (picture, 0),
        *((images, index) for index in range(7)),
        (picture, 0),
    ]
    assert found[0] == found[-1]
    assert "cropped from 640x480" in found[0].conversion


def test_network_with_other_sizes_is_built_again(tmp_path, images):
    run = write_run(
        tmp_path / "run",
        build(dense_num_units=16, conv2d1_filter_size=(3, 3)),
        overrides={
            "dense_num_units": "16",
            "conv2d1_filter_size": "(3, 3)",
            # Of no consequence here, and not to be told from its repr.
            "on_epoch_finished": "[<function stop at 0x7f>]",
            "verbose": "2",
        },
    )
    assert len(predict([images], run)) == 7


def test_layer_that_cannot_be_built_again_is_named(tmp_path, images):
    run = write_run(
        tmp_path / "run",
        build(),
        overrides={"dense_nonlinearity": "<function tanh at 0x7f>"},
    )
    with pytest.raises(PredictionError, match="dense_nonlinearity was <function tanh"):
        predict([images], run)


def test_weights_of_another_network_are_refused(tmp_path, images):
    run = write_run(tmp_path / "run", build("blog"), "question")
    # 5x5 filters there, 3x3 here.
    with pytest.raises(WeightsError, match=r"conv2d2\.W \(32x32x5x5\), .*32x32x3x3"):
        predict([images], run)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "there is no file"),
        ("{", "does not describe a run: JSONDecodeError"),
        ("[]", "does not describe a run: TypeError"),
        ("{}", "does not describe a run: KeyError: 'network'"),
        ('{"network": "question", "overrides": 1}', "does not describe a run"),
    ],
)
def test_folder_that_is_no_run_is_named(tmp_path, images, content, problem):
    run = tmp_path / "run"
    run.mkdir()
    if content is not None:
        (run / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(PredictionError) as caught:
        predict([images], run)
    assert f"{run / 'run.json'}" in str(caught.value)
    assert problem in str(caught.value)


def test_run_without_weights_is_named(tmp_path, images):
    run = write_run(tmp_path / "run", build())
    (run / "weights.npz").unlink()
    with pytest.raises(WeightsError, match=r"there is no file .*weights\.npz"):
        predict([images], run)
