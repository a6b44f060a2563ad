"""Layers put in and taken out: what feeds what afterwards."""

import pytest

from mnist_cnn import by_hand
from mnist_cnn.by_hand.read_short import read_short
from mnist_cnn.explorer.answers import answer_edit
from mnist_cnn.explorer.edits import insert, remove
from mnist_cnn.explorer.state import read_state, write_state

CONV = {"num_filters": 4, "filter_size": 3}


def question():
    return by_hand.read_network(by_hand.NETWORKS["question"])


def branches():
    return by_hand.read_network(
        [
            ("InputLayer", {"name": "image", "shape": (None, 3, 8, 8)}),
            ("Conv2DLayer", {**CONV, "name": "left"}),
            ("Conv2DLayer", {**CONV, "name": "right", "incoming": "image"}),
            ("ElemwiseSumLayer", {"name": "sum", "incomings": ["left", "right"]}),
            ("DenseLayer", {"name": "out", "num_units": 2}),
        ]
    )


def feeding(network):
    """For each layer the names of what feeds it, also after the page has had it."""
    again = read_state(write_state(network))
    assert [one.inputs for one in again.layers] == [
        one.inputs for one in network.layers
    ]
    names = [one.name for one in network.layers]
    return {one.name: [names[i] for i in one.inputs] for one in network.layers}


def test_layers_are_put_behind_one():
    edited = insert(question(), 2, "conv16@3+same dropout0.2")
    table = by_hand.calculate(edited)
    assert [row.name for row in table][2:6] == [
        *("maxpool1", "conv2d3", "dropout4", "conv2d2")
    ]
    assert table["conv2d3"].parameters == (3 * 3 * 32 + 1) * 16
    assert table["conv2d2"].parameters == (3 * 3 * 16 + 1) * 32
    assert table.total == 217_706 + (3 * 3 * 32 + 1) * 16 - 3 * 3 * 16 * 32


def test_what_the_layer_fed_is_fed_by_the_new_one():
    assert feeding(insert(branches(), 1, "pad=conv5@1 BiasLayer")) == {
        "image": [],
        "left": ["image"],
        "pad": ["left"],
        "bias3": ["pad"],
        "right": ["image"],
        "sum": ["bias3", "right"],
        "out": ["sum"],
    }
    assert feeding(insert(branches(), 0, "dropout"))["right"] == ["dropout1"]
    assert feeding(insert(branches(), 4, "dense7"))["dense5"] == ["out"]


def test_a_new_layer_has_a_name_of_its_own():
    edited = insert(branches(), 1, "left=conv3@1 conv3@1")
    assert [one.name for one in edited.layers][1:4] == ["left", "left_2", "conv2d3"]


def test_what_fed_a_layer_feeds_what_it_fed():
    assert feeding(remove(branches(), 1)) == {
        "image": [],
        "right": ["image"],
        "sum": ["image", "right"],
        "out": ["sum"],
    }
    assert feeding(remove(branches(), 3))["out"] == ["left"]
    assert [one.name for one in remove(branches(), 4).layers][-1] == "sum"


def test_every_layer_but_the_input_can_be_taken_out_of_the_questions_network():
    names = [one.name for one in question().layers]
    for place in range(1, len(names)):
        edited = remove(question(), place)
        assert [one.name for one in edited.layers] == names[:place] + names[place + 1 :]
        by_hand.calculate(edited)


def test_putting_in_and_taking_out_leaves_what_there_was():
    for network in (question(), branches()):
        for place in range(len(network.layers)):
            assert remove(insert(network, place, "dropout"), place + 1) == network


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda: insert(question(), 7, "pool2"), "no layer number 7"),
        (lambda: remove(question(), -1), "no layer number -1"),
        (lambda: insert(question(), 1, " "), "conv2d1 gives 32x24x24"),
        (lambda: insert(question(), 1, "pol2"), "word 1, 'pol2': .*mean pool"),
        (lambda: insert(question(), 5, "conv3@3"), "word 1, .*the input has 0"),
        (
            lambda: insert(question(), 1, "ConcatLayer[incomings=['a']]"),
            "refers to 'a'",
        ),
        (lambda: remove(question(), 0), "cannot be removed: it feeds conv2d1"),
        (lambda: remove(read_short("1x8x8"), 0), "last layer"),
        (lambda: answer_edit({"state": write_state(question())}), "number of a layer"),
        (
            lambda: answer_edit({"state": write_state(question()), "remove": True}),
            "number of a layer",
        ),
    ],
)
def test_what_cannot_be_done_is_told(edit, told):
    with pytest.raises(by_hand.DescriptionError, match=told):
        edit()


def test_nothing_goes_behind_what_cannot_be_told():
    network = read_short("1x8x8 conv4@9 pool2 dense3")
    with pytest.raises(by_hand.DescriptionError, match="behind maxpool2d2, for its si"):
        insert(network, 2, "pool2")


def test_a_layer_whose_weights_another_has_stays():
    network = by_hand.read_network(
        [
            ("InputLayer", {"name": "image", "shape": (None, 7)}),
            ("DenseLayer", {"name": "one", "num_units": 7}),
            ("DenseLayer", {"name": "two", "num_units": 7, "W": "one"}),
        ]
    )
    with pytest.raises(by_hand.DescriptionError, match="two has its weights"):
        remove(network, 1)


def test_the_page_is_answered_with_the_state():
    state = write_state(question())
    answer = answer_edit({"state": state, "after": 4, "text": "dropout"})
    again = answer_edit({"state": answer["state"], "remove": 5})
    assert again == {"state": state}
