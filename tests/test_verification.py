"""The hand calculation against what the installed Lasagne builds."""

import json
from dataclasses import replace
from pathlib import Path

import lasagne
import pytest

from mnist_cnn import by_hand, verification
from mnist_cnn.by_hand.read_text import read_text
from mnist_cnn.verification import VerificationError, verify

ZOO = json.loads(
    (Path(__file__).parent / "reference" / "layer_zoo.json").read_text("utf-8")
)
BUILT = [one for one in ZOO if one["error"] is None and one["lasagne"] == "0.1"]


def verify_text(text):
    return verify(read_text(text))


def test_the_questions_network_agrees():
    verified = verify(by_hand.read_network(by_hand.NETWORKS["question"]))
    assert verified.agrees
    assert str(verified) == (
        f"Lasagne {lasagne.__version__} builds the same: size and parameters of all 7 "
        "layers,\n217'706 learnable parameters in all."
    )


@pytest.mark.parametrize("network", BUILT[::4], ids=lambda network: network["id"])
def test_networks_of_the_zoo_agree(network):
    verified = verify(by_hand.read_network(network["layers"]))
    assert verified.agrees, str(verified)


def test_there_are_many_of_them():
    assert len(BUILT) == 117


def test_what_code_says_beside_sizes_is_built_too():
    verified = verify_text(
        """
l_in = InputLayer((None, 5, 4))
l_mask = InputLayer((None, 5))
l1 = GRULayer(l_in, 3, mask_input=l_mask)
l2 = CustomRecurrentLayer(
    l1, DenseLayer(InputLayer((None, 3)), 6), DenseLayer(InputLayer((None, 6)), 6))
l3 = LSTMLayer(l2, 3, peepholes=False, learn_init=True)
l4 = ReshapeLayer(l3, (-1, 3))
l5 = DenseLayer(l4, 3, b=None, W=lasagne.init.Normal())
l6 = DenseLayer(l5, 3, W=l5.W)
l6.params[l6.b].remove('trainable')
l7 = ElemwiseSumLayer([l5, l6])
l8 = ElemwiseMergeLayer([l6, l7], merge_function=T.mul)
l9 = SliceLayer(l8, slice(0, 2))
"""
    )
    assert verified.agrees, str(verified)
    assert verified.table.total is not None


def test_a_difference_is_told_with_both_numbers(monkeypatch):
    table = by_hand.table(by_hand.NETWORKS["question"])
    wrong = replace(table.rows[5], parameters=205_000)
    lying = replace(table, rows=(*table.rows[:5], wrong, *table.rows[6:]))
    monkeypatch.setattr(verification.by_hand, "calculate", lambda network: lying)
    verified = verify(by_hand.read_network(by_hand.NETWORKS["question"]))
    assert not verified.agrees
    assert [row.agrees for row in verified.rows].count(False) == 1
    assert "DIFFER in 1 of 7 layers" in str(verified)
    assert (
        "  dense: by hand 256 with 205'000 parameters; Lasagne: 256 with 205'056 "
        "parameters"
    ) in str(verified)


def test_what_lasagne_refuses_is_a_difference(monkeypatch):
    class Refusing(lasagne.layers.MaxPool2DLayer):
        def __init__(self, incoming, pool_size, **keywords):
            raise ValueError("no such\n pool today")

    monkeypatch.setattr(lasagne.layers, "MaxPool2DLayer", Refusing)
    verified = verify_text("1x8x8 conv2@3 pool2 dense3")
    assert not verified.agrees
    text = str(verified)
    assert (
        "maxpool2d2: by hand 2x3x3 with 0 parameters; Lasagne: ValueError: no such "
        "pool today"
    ) in text
    assert "dense3: by hand 3 with 57 parameters; Lasagne: not built" in text


@pytest.mark.skipif(
    not lasagne.__version__.startswith("0.1"), reason="0.2 multiplies what it knows"
)
def test_a_size_that_lasagne_cannot_tell_is_a_difference():
    verified = verify_text("3x8x8 FlattenLayer[outdim=1] dropout")
    assert not verified.agrees
    assert "flatten1: by hand  with 0 parameters; Lasagne: TypeError" in str(verified)


def test_what_is_not_known_by_hand_does_not_agree():
    network = read_text("1x8x8 conv2@3")
    table = by_hand.calculate(network)
    row = replace(table.rows[1], output_shape=None, parameters=None)
    verified = verification.VerifiedRow(row, verification.Built((None, 2, 6, 6), 20, 0))
    assert not verified.agrees
    assert "by hand ? with ? parameters" in str(verified)


def test_another_version_cannot_be_verified():
    other = "0.2" if lasagne.__version__.startswith("0.1") else "0.1"
    network = replace(read_text("1x8x8 conv2@3"), lasagne=other)
    with pytest.raises(VerificationError, match=f"cannot verify what {other} does"):
        verify(network)


def test_a_layer_that_needs_a_gpu_cannot_be_verified():
    code = "l = Conv2DDNNLayer(InputLayer((None, 1, 8, 8)), 2, 3, name='conv')"
    with pytest.raises(VerificationError, match="conv: .* has no Conv2DDNNLayer"):
        verify_text(code)
