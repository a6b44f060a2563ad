"""Pickles with their arrays apart."""

import base64
import io
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import theano
from theano.misc.pkl_utils import dump, load

# What the genuine Theano 1.0.5 wrote for OBJECT, under Python 3.7.
GENUINE = base64.b64decode(
    "UEsDBBQAAAAIABdefF3wzTtGVwAAALAAAAAHAAAAYXJyYXlfMJvsF+obEMnIUMZQrZ6SWpxcpG6l"
    "oG6TZqGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CsaaOgq1CmQDLgYU8MEeynCA"
    "UBxQWgBKizgAAFBLAwQUAAAACAAXXnxdrJj/M0cAAACDAAAABwAAAGFycmF5XzGb7BfqGxDJyFDG"
    "UK2eklqcXKRupaBek2morqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RrGOpo6CrUKFAAu"
    "BkYmAFBLAwQUAAAACAAXXnxdnDutybAAAADeAAAAAwAAAHBrbGtgri1k0IhgZGBgKC9kjOAH0nkp"
    "iUVFiZV6YDLeoJApMIIVKJyYnpiZV8icAeSyALk5mcUlhSyxhawayXmluQWVesn5Ral6uaU5JZlg"
    "jVzFyYk5iUVchWwQea6UksqCVK5C9ggmoO40k0KOzo72Qs6gQi4Nb2aw/TaF3H5+fl7/gQBMeDOU"
    "FPIkOYMscyjkbSvkCyrkx+JAw0KBwFSwk/ISc1MLBSOYQczUkkKhUj0AUEsBAhQDFAAAAAgAF158"
    "XfDNO0ZXAAAAsAAAAAcAAAAAAAAAAAAAAICBAAAAAGFycmF5XzBQSwECFAMUAAAACAAXXnxdrJj/"
    "M0cAAACDAAAABwAAAAAAAAAAAAAAgIF8AAAAYXJyYXlfMVBLAQIUAxQAAAAIABdefF2cO63JsAAA"
    "AN4AAAADAAAAAAAAAAAAAACAgegAAABwa2xQSwUGAAAAAAMAAwCbAAAAuQEAAAAA"
)
WEIGHTS = np.arange(6.0).reshape(2, 3)
OBJECT = {
    "w": WEIGHTS,
    "again": WEIGHTS,
    "list": [np.float32(2), np.arange(3, dtype="int8")],
    "name": "net",
}


def dumped(obj):
    file = io.BytesIO()
    dump(obj, file)
    file.seek(0)
    return file


def assert_is_object(found):
    assert list(found) == list(OBJECT)
    assert found["again"] is found["w"]
    assert found["name"] == "net"
    assert found["list"][1].dtype == "int8"
    np.testing.assert_array_equal(found["w"], WEIGHTS)
    np.testing.assert_array_equal(found["list"][1], [0, 1, 2])


def test_what_the_genuine_theano_wrote_is_read():
    assert_is_object(load(io.BytesIO(GENUINE)))


def test_what_is_written_is_read_and_laid_out_as_theano_did():
    assert_is_object(load(dumped(OBJECT)))
    ours, genuine = np.load(dumped(OBJECT)), np.load(io.BytesIO(GENUINE))
    assert ours.files == genuine.files == ["array_0", "array_1", "pkl"]
    for name in ("array_0", "array_1"):
        np.testing.assert_array_equal(ours[name], genuine[name])


def test_numpy_finds_shared_variables_by_name():
    shared = [
        theano.shared(WEIGHTS, "w"),
        theano.shared(2 * WEIGHTS, "w"),
        theano.shared(3 * WEIGHTS),
    ]
    file = dumped(shared)
    arrays = np.load(file)
    assert arrays.files == ["w", "w_2", "array_0", "pkl"]
    np.testing.assert_array_equal(arrays["w_2"], 2 * WEIGHTS)
    file.seek(0)
    for found, expected in zip(load(file), shared, strict=True):
        assert found.name == expected.name
        np.testing.assert_array_equal(found.get_value(), expected.get_value())


def test_another_process_reads_it(tmp_path):
    path = tmp_path / "shared.zip"
    with path.open("wb") as file:
        dump(theano.shared(WEIGHTS, "w"), file)
    code = (
        "import sys\n"
        "from theano.misc.pkl_utils import load\n"
        "print(load(open(sys.argv[1], 'rb')).get_value().sum())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "15.0"


def test_a_plain_pickle_is_read_too():
    assert load(io.BytesIO(pickle.dumps([1, "two"]))) == [1, "two"]


def test_an_unknown_kind_of_array_is_refused():
    file = io.BytesIO(GENUINE)
    with zipfile.ZipFile(file) as genuine:
        text = genuine.read("pkl").replace(b"ndarray.", b"ndxxxxx.")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as changed:
        changed.writestr("pkl", text)
    with pytest.raises(pickle.UnpicklingError, match=r"ndxxxxx\.array_0"):
        load(file)
