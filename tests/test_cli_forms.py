"""The command's forms of output: ``layers`` in each, ``explain`` and ``formula``."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from mnist_cnn import cli
from mnist_cnn.by_hand.columns import COLUMNS

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).parent / "by_hand" / "golden"
TOO_LARGE = "1x28x28 conv4@5 pool2 conv4@13 dense10"


@pytest.fixture(autouse=True)
def own_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def call(capsys):
    """Call the command; gives its exit status, output and errors."""

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            status = cli.main(arguments)
        except SystemExit as exit_:  # argparse
            status = exit_.code
        return status, *capsys.readouterr()

    return call


def golden(name: str) -> str:
    return (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("ending", cli.ENDINGS)
def test_layers_in_every_form(call, ending, tmp_path):
    form = cli.ENDINGS[ending]
    more = ("--columns", "connections,field", "--columns", "share,lost")
    expected = golden(f"question{ending}"), golden(f"question_more{ending}")
    assert call("layers", "--format", form) == (0, expected[0], "")
    shown = call("layers", "-f", form, *more, "--parameters")
    assert shown == (0, expected[1], "")
    assert call("layers", "--output", f"table{ending}") == (0, "", "")
    assert (tmp_path / f"table{ending}").read_text("utf-8") == expected[0]
    assert os.listdir(tmp_path) == [f"table{ending}"]


def test_format_named_counts_more_than_the_ending(call, tmp_path):
    assert call("layers", "-f", "csv", "-o", "table.html")[0] == 0
    text = (tmp_path / "table.html").read_text("utf-8")
    assert next(csv.reader(io.StringIO(text)))[0] == "index"


def test_columns_take_batch_and_type(call):
    asked = ("--columns", "all", "--batch", "128", "--dtype", "float64")
    data = json.loads(call("layers", "-f", "json", *asked)[1])
    assert {column["name"] for column in data["columns"]} >= set(COLUMNS)
    activations = data["columns"][1]
    assert activations["cells"][1]["value"] == 128 * 32 * 24 * 24 * 8


def test_output_that_is_there_is_replaced_whole(call, tmp_path):
    (tmp_path / "table.txt").write_text("before " * 1000, encoding="utf-8")
    assert call("layers", "-o", "table.txt")[0] == 0
    assert (tmp_path / "table.txt").read_text("utf-8") == golden("question.txt")


def test_what_programs_read_is_utf8_on_any_console():
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, sys.path)),
        "PYTHONIOENCODING": "cp1252",
    }
    done = subprocess.run(
        [sys.executable, "-m", "mnist_cnn", "layers", "-f", "html"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode("utf-8") == golden("question.html")


def test_explain_derives_a_row_or_all(call):
    assert call("explain") == (0, golden("explain_question.txt"), "")
    status, shown, _ = call("explain", "dense")
    assert status == 0
    assert "(n + 1)*m = (32*5*5+1)*256 = 205'056" in shown
    assert shown in golden("explain_question.txt") + "\n"


def test_explain_says_why_a_network_cannot_be(call):
    status, shown, errors = call("explain", "dense4", TOO_LARGE)
    assert (status, errors) == (0, "")
    assert "the smallest image that serves is 1x30x30" in shown
    assert call("explain", "all", TOO_LARGE)[1].endswith(shown)


def test_layers_says_where_to_read_why(call):
    status, _, errors = call("layers", TOO_LARGE)
    assert status == 2
    assert "mnist-cnn explain all NETWORK" in errors


def test_formula_is_answer_2s(call):
    status, shown, errors = call("formula")
    assert (status, errors) == (0, "")
    assert golden("formula_question.txt") in shown
    assert golden("same_padding.txt") in shown
    assert call("formula", "--latex")[1] == golden("formula_question.tex")
    assert call("formula", "-o", "formula.txt") == (0, "", "")
    assert Path("formula.txt").read_text("utf-8") == shown


def test_formula_of_another_network(call):
    shown = call("formula", "1x28x28 conv20@5 pool2 conv50@5 pool2 dense500 dense10")[1]
    assert "= 431'080" in shown


@pytest.mark.skipif(os.name == "nt", reason="sends a process SIGINT")
def test_explore_serves_until_it_is_ended():
    with subprocess.Popen(
        [sys.executable, "-m", "mnist_cnn", "explore", "--no-browser", "--port", "0"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sys.path))},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            address = process.stdout.readline().split()[0]
            with urllib.request.urlopen(f"{address}api/start", timeout=30) as answer:
                assert json.load(answer)["state"]["layers"][1][0] == "Conv2DLayer"
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["layers", "--format", "pdf"], "invalid choice: 'pdf'"),
        (["layers", "--columns", "flops"], "there is no column 'flops'"),
        (["layers", "--batch", "0"], "--batch: got '0'"),
        (["layers", "--columns", "all", "--dtype", "int3"], "the type 'int3'"),
        (["layers", "--output", "no/such/file"], "cannot be written"),
        (["layers", "--output", "."], "cannot be written"),
        (["explain", "dens"], "did you mean 'dense'"),
        (["explore", "--port", "70000"], "port 70000 cannot be had"),
        (["explore", "--port", "-1"], "--port: got '-1'"),
        (["formula", "2x9x9 BatchNormLayer"], "it is a BatchNormLayer"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistake_is_told_and_nothing_is_left(call, tmp_path, arguments, complaint):
    status, shown, errors = call(*arguments)
    assert (status, shown) == (2, "")
    assert complaint in errors
    assert "Traceback" not in errors
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("command", ["layers", "explain", "formula", "explore"])
def test_help_says_what_a_network_may_be(call, command):
    status, shown, _ = call(command, "--help")
    assert status == 0
    assert "NETWORK is one of" in shown
