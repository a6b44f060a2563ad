"""What the page is answered: every number of it is the rules'."""

import json
from pathlib import Path

import pytest

from mnist_cnn import by_hand
from mnist_cnn.explorer import answers
from mnist_cnn.explorer.state import write_state

GOLDEN = Path(__file__).parents[1] / "by_hand" / "golden"


def question_state():
    return write_state(by_hand.read_network(by_hand.NETWORKS["question"]))


def changed(layer, **keywords):
    state = question_state()
    state["layers"][layer][1].update(keywords)
    return state


def ask(state, **more):
    return json.loads(answers.to_json(answers.answer_table({"state": state, **more})))


def test_start_holds_the_network_and_what_can_be_asked_for():
    network = by_hand.read_network(by_hand.NETWORKS["blog"])
    start = answers.answer_start(network)
    assert start["state"] == start["examples"]["blog"]
    assert "field" in start["columns"]
    assert "latex" in start["formats"]


def test_table_is_the_hand_calculations():
    answer = ask(question_state(), columns=["field"])
    table = by_hand.table(by_hand.NETWORKS["question"])
    assert answer["total"] == "217'706"
    assert answer["refused"] is None
    for layer, row in zip(answer["layers"], table, strict=True):
        assert layer["name"] == row.name
        assert layer["numbers"] == str(row.parameter_formula)
        assert layer["symbols"] == row.parameter_formula.symbolic
        assert layer["parameters"].replace("'", "") == str(row.parameters)
    assert answer["layers"][1]["size_equations"] == ["(i - (n - 1)) = (28-(5-1)) = 24"]
    assert answer["layers"][1]["tensors"][0] == {
        "name": "W", "text": "32x1x5x5 = 800", "note": ""
    }  # fmt: skip
    assert [cell["text"] for cell in answer["layers"][3]["cells"]] == ["10x10", "9x9"]


def test_a_change_shows_what_becomes_of_the_rows_behind():
    answer = ask(changed(1, num_filters=48), before=question_state())
    by_name = {layer["name"]: layer for layer in answer["layers"]}
    assert by_name["conv2d1"]["difference"] == "+416"
    assert by_name["conv2d1"]["parameters_before"] == "832"
    assert by_name["conv2d1"]["size_before"] == "32x24x24"
    assert by_name["conv2d2"]["difference"] == f"+{3 * 3 * 16 * 32:,}".replace(",", "'")
    assert by_name["conv2d2"]["size_before"] == ""
    assert by_name["dense"]["difference"] == ""
    assert answer["difference"] == "+5'024"
    assert ask(changed(5, num_units=255), before=question_state())["difference"] == (
        f"-{32 * 5 * 5 + 1 + 10}"
    )


def test_what_cannot_be_is_answered_with_reasons_and_the_rest_stays_editable():
    answer = ask(changed(3, filter_size=[13, 13]), before=question_state())
    refused = answer["refused"]
    assert answer["total"] == "?"
    assert refused["layer"] == "maxpool2"
    assert refused["layers"] == ["conv2d2"]
    assert "the filter takes 13" in refused["reasons"][0]
    assert "the smallest image that serves is 1x32x32" in refused["reasons"][-1]
    known = [layer["known"] for layer in answer["layers"]]
    assert known == [True] * 4 + [False] * 3
    assert answer["layers"][3]["impossible"]
    assert answer["layers"][5]["fields"][0] == {
        "keyword": "num_units", "kind": "number", "value": 256
    }  # fmt: skip


def test_other_refusals_name_the_layer():
    answer = ask(changed(1, num_filters=0))
    assert answer["refused"]["layers"] == ["conv2d1"]
    assert "num_filters=0" in answer["refused"]["message"]
    assert answer["refused"]["reasons"] == []


def test_a_state_before_that_cannot_be_is_passed_over():
    answer = ask(question_state(), before=changed(1, filter_size=[99, 99]))
    assert answer["difference"] == ""
    assert ask(question_state(), before={"layers": []})["difference"] == ""


def test_fields_offer_every_number_with_how_it_is_edited():
    layers = ask(question_state())["layers"]
    fields = {one["keyword"]: one for one in layers[1]["fields"]}
    assert fields["filter_size"] == {
        "keyword": "filter_size", "kind": "numbers", "value": [5, 5]
    }  # fmt: skip
    assert fields["num_filters"]["kind"] == "number"
    assert (fields["pad"]["kind"], fields["pad"]["value"]) == ("text", 0)
    assert (fields["b"]["kind"], fields["b"]["value"]) == ("none", True)
    assert (fields["untie_biases"]["kind"], fields["untie_biases"]["value"]) == (
        "flag",
        False,
    )
    pool = {one["keyword"]: one for one in layers[2]["fields"]}
    assert (pool["stride"]["kind"], pool["stride"]["value"]) == ("text", None)
    assert pool["ignore_border"]["value"] is True


def test_every_edit_that_the_page_offers_is_understood():
    """Each field's own value, sent back, changes nothing."""
    state = question_state()
    expected = ask(state)
    for index, layer in enumerate(expected["layers"]):
        for field in layer["fields"]:
            again = question_state()
            value = field["value"]
            if field["kind"] == "none":
                value = True if value else None
            again["layers"][index][1][field["keyword"]] = value
            if field["keyword"] == "num_groups":
                continue  # Lasagne 0.2's alone
            assert ask(again)["total"] == expected["total"], field


@pytest.mark.parametrize(
    "more",
    [
        {"columns": "field"},
        {"columns": [3]},
        {"columns": ["flops"]},
        {"batch": "many"},
        {"batch": 0},
        {"dtype": "int3"},
        {"state": None},
        {"state": {"layers": [["NoLayer", {}]]}},
    ],
)
def test_a_question_that_makes_no_sense_is_told(more):
    with pytest.raises(by_hand.HandCalculationError):
        answers.answer_table({"state": question_state(), **more})


# Reading


@pytest.mark.parametrize(
    "text",
    [
        "1x28x28 conv32@5x5 pool2 conv32@3x3 pool2 dense256 dense10",
        json.dumps(by_hand.NETWORKS["question"]),
        "net = NeuralNet(layers=[('in', InputLayer), ('out', DenseLayer)],\n"
        "  in_shape=(None, 1, 28, 28), out_num_units=10)",
    ],
)
def test_pasted_text_becomes_a_state(text):
    state = answers.answer_read({"text": text})["state"]
    assert ask(state)["total"] in ("217'706", "7'850")


def test_several_networks_are_asked_for_by_name():
    text = (
        "a = DenseLayer(InputLayer((None, 7)), 3)\n"
        "b = DenseLayer(InputLayer((None, 9)), 3)\n"
    )
    assert answers.answer_read({"text": text}) == {"names": ["a", "b"]}
    state = answers.answer_read({"text": text, "name": "b"})["state"]
    assert ask(state)["total"] == str((9 + 1) * 3)


@pytest.mark.parametrize("text", ["", "hello", "1x2 what", "x" * 3_000_000, None, 3])
def test_text_that_holds_no_network_is_told(text):
    with pytest.raises(by_hand.HandCalculationError):
        answers.answer_read({"text": text})


def test_pasted_code_is_not_run(tmp_path):
    trap = tmp_path / "trap"
    code = f"open({str(trap)!r}, 'w')\nl = DenseLayer(InputLayer((None, 7)), 3)\n"
    assert ask(answers.answer_read({"text": code})["state"])["total"] == "24"
    assert not trap.exists()


# Exporting and verifying


@pytest.mark.parametrize("form", answers.ENDINGS)
def test_export_is_what_the_command_writes(form):
    answer = answers.answer_export({"state": question_state(), "format": form})
    assert answer["file"] == f"network.{answers.ENDINGS[form]}"
    golden = GOLDEN / f"question.{answers.ENDINGS[form]}"
    assert answer["text"] == golden.read_text("utf-8")


def test_export_of_what_is_not_there_is_told():
    with pytest.raises(by_hand.OptionError, match="no form 'pdf'"):
        answers.answer_export({"state": question_state(), "format": "pdf"})
    with pytest.raises(by_hand.ImpossibleSizeError):
        state = changed(3, filter_size=[13, 13])
        answers.answer_export({"state": state, "format": "svg"})


def test_verified_against_lasagne():
    answer = answers.answer_verify({"state": question_state()})
    assert (answer["available"], answer["agrees"]) == (True, True)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (changed(5, num_units=10**9), "are not built here"),
        (changed(3, filter_size=[13, 13]), "nothing to verify"),
        (changed(1, num_groups=1), "0.1 does not take num_groups"),
    ],
)
def test_what_is_not_verified_says_why(state, told):
    answer = answers.answer_verify({"state": state})
    assert answer["available"] is False
    with pytest.raises(AssertionError, match=told):
        raise AssertionError(answer["text"])


def test_where_lasagne_is_not_installed_nothing_is_verified(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "mnist_cnn.verification", None)
    answer = answers.answer_verify({"state": question_state()})
    assert answer == {
        "available": False,
        "text": "Lasagne is not installed, so that nothing was verified.",
    }
