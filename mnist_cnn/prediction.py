"""Which digits images show, told by the network of a run.

Pictures that are not as MNIST's are made so first: see :func:`read_images`. Nothing
here trains, and nothing is written.
"""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageFilter, ImageOps

from .dataset import DatasetError, read_idx, scale
from .errors import ExperimentError
from .weights import load_weights

if TYPE_CHECKING:
    from nolearn.lasagne import NeuralNet

SIZE = 28
"""Rows and columns of an image of MNIST."""

INK_SIZE = 20
"""Rows or columns, whichever are more, of the digit in it."""

LARGEST_SIDE = 280
"""A larger picture is made smaller first: 10 pixels for one of MNIST's."""

NUM_IMAGES_AT_ONCE = 500

UNEVEN_LIGHT = 16
"""How far the ground's brightness may vary, of 255, before it is told."""

ORIENTATION = ExifTags.Base.Orientation

Grey = npt.NDArray[np.uint8]


class PredictionError(ExperimentError):
    """An image cannot be read or shows nothing, or a folder is not that of a run."""


@dataclass(frozen=True, eq=False)
class Digit:
    """An image as the network takes it.

    Attributes
    ----------
    source : Path
        The file it is from.
    index : int
        Its position in that file, from 0.
    pixels : ndarray of uint8
        Shape (28, 28), bright strokes on dark ground.
    conversion : str
        How it was made so, in words; empty where it was so already.
    """

    source: Path
    index: int
    pixels: Grey
    conversion: str


@dataclass(frozen=True)
class Prediction:
    """What a network says of an image.

    Attributes
    ----------
    source : Path
        The file it is from.
    index : int
        Its position in that file, from 0.
    digit : int
        The most probable digit.
    probability : float
        The network's probability for it, 0 to 1.
    probabilities : tuple of float
        Those for 0, 1, ..., 9.
    conversion : str
        How the image was made as MNIST's, in words; empty where it was so already.
    """

    source: Path
    index: int
    digit: int
    probability: float
    probabilities: tuple[float, ...]
    conversion: str


def predict(
    images: Iterable[str | os.PathLike[str]],
    weights: str | os.PathLike[str],
    *,
    build: Callable[..., NeuralNet] | None = None,
) -> list[Prediction]:
    """Predict the digit that each image shows.

    Parameters
    ----------
    images : iterable of path
        Pictures, or IDX files of many: see :func:`read_images`.
    weights : path
        The folder of a run, which holds ``run.json`` and ``weights.npz``.
    build : callable, optional
        Builds the run's network from its name and overrides; by default
        :func:`mnist_cnn.network.build_network`.

    Returns
    -------
    list of Prediction
        In the order of `images`; for an IDX file, one for each image in it.

    Raises
    ------
    PredictionError
        If images cannot be read or show nothing (all are named), or if the folder is
        not that of a run whose network can be built again.
    WeightsError
        If the weights are those of another network.
    """
    digits, problems = [], []
    for path in images:
        try:
            digits += read_images(path)
        except PredictionError as error:
            problems.append(str(error))
    if problems:
        raise PredictionError("\n".join(problems))
    net = load_run(weights, build)
    batch = scale(np.stack([digit.pixels for digit in digits]))
    return [
        Prediction(
            digit.source,
            digit.index,
            int(row.argmax()),
            float(row.max()),
            tuple(map(float, row)),
            digit.conversion,
        )
        for digit, row in zip(digits, compute_probabilities(net, batch), strict=True)
    ]


# The network


def load_run(
    folder: str | os.PathLike[str], build: Callable[..., NeuralNet] | None = None
) -> NeuralNet:
    """Build the network of a run and give it the run's weights.

    Returns
    -------
    nolearn.lasagne.NeuralNet
        Its layers are initialised, its training functions not compiled.

    Raises
    ------
    PredictionError
        If the folder holds no ``run.json`` of a run, or if the run's layers were
        changed in a way that the file cannot tell (by a function, say).
    WeightsError
        If the weights are those of another network.
    """
    path = Path(folder) / "run.json"
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        network, overrides = str(run["network"]), dict(run.get("overrides", {}))
    except FileNotFoundError as error:
        raise PredictionError(
            f"there is no file {path}; needed is the folder of a run, as "
            "mnist-cnn reproduce makes them"
        ) from error
    except OSError as error:
        raise PredictionError(f"{path} cannot be read: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise PredictionError(
            f"{path} does not describe a run: {type(error).__name__}: {error}"
        ) from error
    if build is None:
        from .network import build_network

        build = build_network
    readable, unreadable = _read_overrides(overrides)
    net = build(network, **{"verbose": 0, **readable})
    prefixes = ("layers", *(f"{name}_" for name, _ in net.layers))
    lost = [name for name in unreadable if name.startswith(prefixes)]
    if lost:
        raise PredictionError(
            f"the network of {path} cannot be built again: in it "
            + ", ".join(f"{name} was {overrides[name]}" for name in lost)
        )
    net.initialize_layers()
    load_weights(net, path.with_name("weights.npz"))
    return net


def _read_overrides(written: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Those keywords whose value can be told from its ``repr``, and the others."""
    readable, unreadable = {}, []
    for name, text in written.items():
        try:
            readable[name] = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            unreadable.append(name)
    # What was printed then need not be printed now.
    readable.pop("verbose", None)
    return readable, unreadable


def compute_probabilities(
    net: NeuralNet, images: npt.NDArray[np.float32]
) -> npt.NDArray[np.floating[Any]]:
    """What a net with initialised layers gives for images, without dropout.

    Parameters
    ----------
    images : ndarray
        Shape (n, 1, 28, 28).

    Returns
    -------
    ndarray
        Shape (n, 10): for each image, the probability of each digit.
    """
    import lasagne

    import theano

    layers = list(net.layers_.values())
    variable = layers[0].input_var
    # nolearn would compile its training functions too.
    function = theano.function(
        [variable],
        lasagne.layers.get_output(layers[-1], deterministic=True),
        allow_input_downcast=True,
    )
    starts = range(0, len(images), NUM_IMAGES_AT_ONCE)
    return np.concatenate(
        [function(images[start:][:NUM_IMAGES_AT_ONCE]) for start in starts]
    )


# Images


def read_images(path: str | os.PathLike[str]) -> list[Digit]:
    """Read a picture, or an IDX file of many, as images like MNIST's.

    An image of 28x28 grey pixels with a dark border is taken as it is. Any other is
    converted as MNIST was made (http://yann.lecun.com/exdb/mnist/): made grey,
    inverted if its strokes are darker than its border, the ground made black under
    any even light, cropped to the ink, scaled to fit in 20x20 pixels with its
    proportions kept, and placed in 28x28 so that the centre of mass is at the centre.

    Parameters
    ----------
    path : path
        A picture in any format that Pillow reads, or IDX with the shape
        (n, rows, columns), compressed (``.gz``) or not.

    Raises
    ------
    PredictionError
        If it cannot be read, or an image shows nothing. The file is named.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise PredictionError(f"{path}: there is no such file") from error
    except OSError as error:
        raise PredictionError(f"{path}: cannot be read: {error.strerror}") from error
    if content[:2] in (b"\x00\x00", b"\x1f\x8b"):
        return _read_idx_images(content, path)
    return [_read_picture(path)]


def _read_idx_images(content: bytes, path: Path) -> list[Digit]:
    try:
        images = read_idx(content, str(path))
    except DatasetError as error:
        raise PredictionError(str(error)) from error
    if images.ndim != 3 or images.size == 0:
        shape = "x".join(map(str, images.shape))
        raise PredictionError(
            f"{path}: is an IDX file of the shape {shape}, needed are images: "
            "(n, rows, columns)"
        )
    digits = []
    for index, grey in enumerate(images):
        try:
            digits.append(Digit(path, index, *convert(grey)))
        except PredictionError as error:
            raise PredictionError(f"{path}: image {index}: {error}") from error
    return digits


def _read_picture(path: Path) -> Digit:
    try:
        with Image.open(path) as image:
            image.load()
            grey, steps = make_grey(image)
        pixels, conversion = convert(grey, steps)
    except (
        Image.DecompressionBombError,
        OSError,
        SyntaxError,
        ValueError,
    ) as error:
        raise PredictionError(
            f"{path}: cannot be read as a picture: {error}; needed is PNG or another "
            "format that Pillow reads, or IDX"
        ) from error
    except PredictionError as error:
        raise PredictionError(f"{path}: {error}") from error
    return Digit(path, 0, pixels, conversion)


def make_grey(image: Image.Image) -> tuple[Grey, list[str]]:
    """A picture's brightness, shape (rows, columns), and what was done, in words.

    A photo is turned upright; what is transparent becomes white under dark strokes
    and black under bright ones.
    """
    steps = []
    if image.getexif().get(ORIENTATION, 1) != 1:
        image = ImageOps.exif_transpose(image)
        steps.append("turned upright")
    if image.mode.startswith(("I", "F")):
        levels = np.asarray(image).astype(float)
        low, high = levels.min(), levels.max()
        levels = (levels - low) / (high - low or 1) * 255
        return np.rint(levels).astype(np.uint8), [*steps, "reduced to 256 greys"]
    brightness, alpha = np.moveaxis(np.asarray(image.convert("LA")), -1, 0)
    if image.mode not in ("1", "L", "LA") and has_colour(image):
        steps.append("made grey")
    if alpha.min() == 255:
        return brightness, steps
    strokes = np.average(brightness, weights=alpha) if alpha.any() else 0
    ground = 255 if strokes < 128 else 0
    steps.append(f"laid on {'white' if ground else 'black'}")
    share = alpha / 255
    mixed = brightness * share + ground * (1 - share)
    return np.rint(mixed).astype(np.uint8), steps


def has_colour(image: Image.Image) -> bool:
    """Whether a pixel of a picture is anything but grey."""
    colours = np.asarray(image.convert("RGB"))
    return bool((colours != colours[..., :1]).any())


def convert(grey: Grey, steps: Iterable[str] = ()) -> tuple[Grey, str]:
    """Make an image like MNIST's.

    Parameters
    ----------
    grey : ndarray of uint8
        Shape (rows, columns).
    steps : iterable of str
        What was done to it already.

    Returns
    -------
    pixels : ndarray of uint8
        Shape (28, 28): bright strokes on dark ground.
    conversion : str
        The steps, in words; empty where there were none.

    Raises
    ------
    PredictionError
        If nothing is drawn: all pixels are equal.
    """
    if grey.min() == grey.max():
        raise PredictionError(f"shows nothing: all its pixels are {grey.min()}")
    steps = list(steps)
    if max(grey.shape) > LARGEST_SIDE:
        image = Image.fromarray(grey)
        image.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.BOX)
        # Grains that are no stroke must not count as ink.
        small = np.asarray(image.filter(ImageFilter.MedianFilter(5)))
    else:
        small = grey
    ground = find_ground(small)
    is_bright = bool(np.mean(small - ground) < 0)
    if grey.shape == (SIZE, SIZE) and not is_bright:
        return grey, ", ".join(steps)
    if is_bright:
        steps.append("inverted")
    if np.ptp(ground) > UNEVEN_LIGHT:
        steps.append("its light evened")
    # What a stroke takes of the light on bright ground, what it adds to dark one.
    strength = (
        1 - small / np.maximum(ground, 1)
        if is_bright
        else (small - ground) / np.maximum(255 - ground, 1)
    )
    ink = extract_ink(np.rint(np.clip(strength, 0, 1) * 255).astype(np.uint8))
    steps.append(f"cropped from {grey.shape[1]}x{grey.shape[0]} to its ink")
    fitted = fit(ink)
    steps.append(f"scaled to {fitted.shape[1]}x{fitted.shape[0]}")
    steps.append(f"centred in {SIZE}x{SIZE}")
    return centre(fitted), ", ".join(steps)


def find_ground(grey: Grey) -> npt.NDArray[np.float64]:
    """The brightness that each pixel would have with nothing drawn there.

    It is the border's median or, where it deviates less than half as much from the
    border, a surface of second degree, for light falls off slowly. Both are what has
    the least absolute deviations: a stroke that touches the border hardly moves it.

    Returns
    -------
    ndarray
        Shape (rows, columns), from 0 to 255.
    """
    y, x = np.meshgrid(
        *(np.linspace(-1, 1, side) for side in grey.shape), indexing="ij"
    )
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    is_border = np.maximum(abs(x), abs(y)) == 1
    known, levels = terms[is_border], grey[is_border].astype(float)
    median = np.median(levels)
    spread = abs(levels - median).mean()
    flat = np.full(grey.shape, median)
    if spread == 0:
        return flat
    deviations = np.ones_like(levels)
    for _ in range(20):
        # Least squares become least absolute deviations: weights 1/|deviation|.
        root = 1 / np.sqrt(np.maximum(deviations, 1))
        factors = np.linalg.lstsq(known * root[:, None], levels * root, rcond=None)[0]
        deviations = abs(levels - known @ factors)
    if deviations.mean() > spread / 2:
        return flat
    return np.clip(terms @ factors, 0, 255)


def find_threshold(grey: Grey) -> int:
    """The grey that best parts dark from bright pixels: those up to it are dark.

    Of all thresholds it has the greatest variance between the two classes: Otsu, "A
    threshold selection method from gray-level histograms" (1979). Dark and bright
    must both be there.
    """
    counts = np.bincount(grey.ravel(), minlength=256).astype(float)
    greys = np.arange(256)
    num_dark = np.cumsum(counts)
    num_bright = num_dark[-1] - num_dark
    sum_dark = np.cumsum(counts * greys)
    sum_bright = sum_dark[-1] - sum_dark
    parted = (num_dark > 0) & (num_bright > 0)
    between = np.zeros(256)
    distance = sum_bright[parted] / num_bright[parted] - (
        sum_dark[parted] / num_dark[parted]
    )
    between[parted] = num_dark[parted] * num_bright[parted] * distance**2
    return int(between.argmax())


def extract_ink(grey: Grey) -> Grey:
    """Bright strokes alone, on black, cropped to them.

    From the ground's mean on, half the way to the threshold is black: the grain of
    paper. From the strokes' mean on, all is white.
    """
    if grey.max() == grey.min():
        raise PredictionError("shows nothing as thick as a stroke within its border")
    threshold = find_threshold(grey)
    ground, strokes = grey[grey <= threshold].mean(), grey[grey > threshold].mean()
    black = (ground + threshold) / 2
    levels = np.clip((grey - black) / max(strokes - black, 1), 0, 1)
    is_ink = grey > threshold
    rows, columns = np.nonzero(is_ink.any(1))[0], np.nonzero(is_ink.any(0))[0]
    cropped = levels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.rint(cropped * 255).astype(np.uint8)


def fit(ink: Grey) -> Grey:
    """Scale to 20 pixels on the longer side; the brightest becomes white."""
    rows, columns = ink.shape
    longer = max(rows, columns)
    size = tuple(max(1, round(INK_SIZE * side / longer)) for side in (columns, rows))
    # Bicubic filtering smooths as it makes smaller: MNIST's grey edges.
    scaled = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC))
    return np.rint(scaled * (255 / max(int(scaled.max()), 1))).astype(np.uint8)


def centre(ink: Grey) -> Grey:
    """Place an image of at most 20x20 in 28x28, its centre of mass at (14, 14).

    Positions count from 0, as in MNIST, whose digits have it there to half a pixel.
    """
    placed = np.zeros((SIZE, SIZE), np.uint8)
    starts = []
    for axis, length in enumerate(ink.shape):
        mass = ink.sum(axis=1 - axis, dtype=float)
        middle = (mass @ np.arange(length)) / mass.sum()
        starts.append(min(max(round(SIZE / 2 - middle), 0), SIZE - length))
    top, left = starts
    placed[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return placed
