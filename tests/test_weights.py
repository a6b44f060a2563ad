"""Weights written and read back, and what is refused."""

import pickle
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from mnist_cnn.weights import WeightsError, load_weights, save_weights


class Parameter:
    """As much of a Theano shared variable as weights need."""

    def __init__(self, name, value):
        self.name = name
        self.value = value

    def get_value(self, borrow=False):
        return self.value if borrow else self.value.copy()

    def set_value(self, value):
        self.value = value


def make_net(names=("conv.W", "conv.b", "dense.W"), dtype=np.float32, **shapes):
    """Parameters by name; a shape by name with ``_`` for the dot."""
    random = np.random.RandomState(len(names))
    known = {"conv_W": (4, 1, 3, 3), "conv_b": (4,), "dense_W": (16, 10)} | shapes
    parameters = [
        Parameter(
            name, random.normal(size=known[str(name).replace(".", "_")]).astype(dtype)
        )
        for name in names
    ]
    return SimpleNamespace(get_all_params=lambda: parameters)


def get_values(net):
    return [parameter.get_value() for parameter in net.get_all_params()]


def zero(net):
    for parameter in net.get_all_params():
        parameter.set_value(np.zeros_like(parameter.value))
    return net


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_come_back_bit_for_bit(tmp_path, dtype):
    net = make_net(dtype=dtype)
    saved = get_values(net)
    save_weights(net, tmp_path / "weights.npz")
    load_weights(zero(net), tmp_path / "weights.npz")
    for before, after in zip(saved, get_values(net), strict=True):
        assert after.dtype == dtype
        assert after.tobytes() == before.tobytes()


def test_nameless_parameters_come_back(tmp_path):
    net = make_net([None, None], **{"None": (3,)})
    saved = get_values(net)
    save_weights(net, tmp_path / "weights.npz")
    load_weights(zero(net), tmp_path / "weights.npz")
    np.testing.assert_array_equal(get_values(net), saved)


def test_float_type_stays_the_nets(tmp_path):
    save_weights(make_net(dtype=np.float64), tmp_path / "weights.npz")
    net = zero(make_net(dtype=np.float32))
    load_weights(net, tmp_path / "weights.npz")
    expected = [one.astype(np.float32) for one in get_values(make_net(dtype="f8"))]
    for value, one in zip(get_values(net), expected, strict=True):
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, one)


def test_file_is_what_the_documentation_says(tmp_path):
    net = make_net()
    save_weights(net, tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as file:
        assert sorted(file.files) == ["names", "param_000", "param_001", "param_002"]
        assert file["names"].tolist() == ["conv.W", "conv.b", "dense.W"]
        np.testing.assert_array_equal(file["param_002"], get_values(net)[2])


def test_nothing_but_the_file_is_left(tmp_path):
    save_weights(make_net(), tmp_path / "weights.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["weights.npz"]


def test_file_is_not_harmed_by_a_failure(tmp_path, monkeypatch):
    path = tmp_path / "weights.npz"
    save_weights(make_net(), path)
    before = path.read_bytes()

    def fail(output, **arrays):
        output.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="No space left"):
        save_weights(make_net(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (
            make_net(conv_b=(5,)),
            "its parameter 1 is conv.b (4), this network's is conv.b (5)",
        ),
        (
            make_net(dense_W=(10, 16)),
            "its parameter 2 is dense.W (16x10), this network's is dense.W (10x16)",
        ),
        (
            make_net(["conv.W", "bias", "dense.W"], bias=(4,)),
            "its parameter 1 is conv.b (4), this network's is bias (4)",
        ),
        (
            make_net(["conv.W", "conv.b"]),
            "its parameter 2 is dense.W (16x10), this network's is missing",
        ),
        (
            make_net(["conv.W", "conv.b", "dense.W", "out.b"], out_b=(10,)),
            "its parameter 3 is missing, this network's is out.b (10)",
        ),
    ],
    ids=["size", "shape", "name", "fewer", "more"],
)
def test_first_difference_of_another_network_is_named(tmp_path, other, difference):
    path = tmp_path / "weights.npz"
    save_weights(make_net(), path)
    before = get_values(other)
    with pytest.raises(WeightsError) as caught:
        load_weights(other, path)
    assert f"{path} holds the weights of another network: {difference}" in str(
        caught.value
    )
    for one, value in zip(before, get_values(other), strict=True):
        np.testing.assert_array_equal(value, one)


class Trap:
    """Tells when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


def write_pickle(path):
    path.write_bytes(pickle.dumps(Trap()))


def write_pickle_inside(path):
    np.savez(path, names=np.array(["a"]), param_000=np.array([Trap()], dtype=object))


def write_single_array(path):
    with path.open("wb") as output:
        np.save(output, np.zeros(3))


def write_other_arrays(path):
    np.savez(path, x=np.zeros(3))


def write_fewer_than_named(path):
    np.savez(path, names=np.array(["a", "b"]), param_000=np.zeros(3))


def write_scalar_names(path):
    np.savez(path, names=np.array(1), param_000=np.zeros(3))


def write_text(path):
    path.write_text("weights")


def write_nothing(path):
    path.touch()


def write_truncated(path):
    save_weights(make_net(), path)
    path.write_bytes(path.read_bytes()[:-100])


def write_flipped_bit(path):
    save_weights(make_net(), path)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        # Within the data of an array: behind its headers, before the next member.
        content[archive.getinfo("param_000.npy").header_offset + 200] ^= 1
    path.write_bytes(content)


def write_other_archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("names", "a")


@pytest.mark.parametrize(
    "write",
    [
        write_pickle,
        write_pickle_inside,
        write_single_array,
        write_other_arrays,
        write_fewer_than_named,
        write_scalar_names,
        write_text,
        write_nothing,
        write_truncated,
        write_flipped_bit,
        write_other_archive,
    ],
)
def test_file_that_holds_no_weights_is_named(tmp_path, write):
    path = tmp_path / "weights.npz"
    write(path)
    with pytest.raises(WeightsError) as caught:
        load_weights(make_net(), path)
    assert f"{path} holds no weights of this program: " in str(caught.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match="there is no file .*weights.npz"):
        load_weights(make_net(), tmp_path / "weights.npz")


def test_folder_is_no_file(tmp_path):
    with pytest.raises(WeightsError, match="cannot be read"):
        load_weights(make_net(), tmp_path)


@pytest.mark.parametrize(
    "array",
    [np.array([1, np.nan], "f4"), np.array([1, np.inf]), np.array([1, 2])],
    ids=["nan", "infinite", "integers"],
)
def test_numbers_that_cannot_serve_are_refused(tmp_path, array):
    path = tmp_path / "weights.npz"
    np.savez(path, names=np.array(["conv.b"]), param_000=array)
    with pytest.raises(WeightsError, match=r"conv\.b \(2\) is of type"):
        load_weights(make_net(["conv.b"], conv_b=(2,)), path)
