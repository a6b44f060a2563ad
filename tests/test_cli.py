"""The command: what it prints, what it refuses, how it ends.

What people read is held by files in ``golden/``; with ``REWRITE_GOLDEN=1`` in the
environment they are written anew.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import theano
from mnist_cnn import __version__, by_hand, cli, comparison
from mnist_cnn.dataset import Mnist
from mnist_cnn.network import NETWORKS, build_network

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).parent / "golden"
NO_DATA = "no-such-folder"


@pytest.fixture(autouse=True)
def own_place(tmp_path, monkeypatch):
    """Work in an empty folder, and leave settings and environment as they were."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("THEANO_FLAGS", "")
    monkeypatch.setenv("THEANORC", "")
    before = theano.config.floatX
    yield
    theano.config.floatX = before


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


def run_command(*arguments: str, **options) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    return subprocess.run(
        [sys.executable, "-m", "mnist_cnn", *arguments],
        env=environment | options.pop("env", {}),
        capture_output=True,
        check=False,
        **options,
    )


def assert_is_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("REWRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")


# What is printed


@pytest.mark.parametrize("network", NETWORKS)
def test_layers_prints_the_table_by_hand(call, network):
    status, printed, errors = call("layers", "--network", network)
    assert (status, errors) == (0, "")
    assert_is_golden(f"layers_{network}.txt", printed)


def test_layers_of_the_question_are_printed_by_default(call):
    assert call("layers") == call("layers", "--network", "question")


def test_table_of_the_readme_is_what_layers_prints():
    golden = (GOLDEN / "layers_question.txt").read_text(encoding="utf-8")
    assert golden in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("network", NETWORKS)
def test_networks_by_hand_are_nolearns(network):
    """The plain networks, which ``layers`` counts, are those that are trained."""
    plain = by_hand.table(by_hand.NETWORKS[network])
    assert str(plain) == str(by_hand.table(build_network(network)))
    assert by_hand.NETWORKS.keys() == NETWORKS.keys()


@pytest.mark.parametrize("network", NETWORKS)
def test_compare_prints_both_and_a_verdict(call, network):
    status, printed, errors = call("compare", "--network", network)
    assert (status, errors) == (0, "")
    assert_is_golden(f"compare_{network}.txt", printed)


def test_difference_gives_status_1_and_both_values(call, monkeypatch):
    class Lying(type(by_hand.table(build_network()))):
        total = 217_705

    table = by_hand.table(build_network())
    monkeypatch.setattr(
        comparison.by_hand, "table", lambda net: Lying(table.rows, table.lasagne)
    )
    status, printed, _ = call("compare")
    assert status == 1
    assert "(217'706 printed, 217'705 by hand)" in printed
    assert "DIFFER" in printed


def test_version_is_printed(call):
    assert call("--version") == (0, f"mnist-cnn {__version__}\n", "")


def test_help_lists_commands_and_exit_statuses(call):
    status, printed, _ = call("--help")
    assert status == 0
    for word in ("reproduce", "layers", "compare", "predict", "130"):
        assert word in printed


# The main job


@pytest.fixture
def few_digits(monkeypatch):
    """A small set in the place of MNIST: 200 images to train, 50 to test."""
    random = np.random.default_rng(1)

    def draw(number: int) -> tuple[np.ndarray, np.ndarray]:
        images = random.random((number, 1, 28, 28), dtype=np.float32)
        return images, np.arange(number, dtype=np.int32) % 10

    data = Mnist(*draw(200), *draw(50), "noise", {"noise": "0"}, "These are no digits!")
    asked = []

    def load(data_, data_dir):
        asked.append((data_, data_dir))
        return data

    monkeypatch.setattr("mnist_cnn.experiment.load_mnist", load)
    return asked


def test_reproduce_does_the_main_job(call, few_digits, tmp_path):
    status, printed, errors = call("reproduce", "--epochs", "2", "--out", "here")
    assert (status, errors) == (0, "")
    assert few_digits == [("auto", None)]
    assert theano.config.floatX == "float32"
    layer_info = (tmp_path / "here" / "layer_info.txt").read_text(encoding="utf-8")
    golden = (GOLDEN / "layers_question.txt").read_text(encoding="utf-8")
    in_order = [
        layer_info.rstrip("\n"),
        golden,
        "Print and hand agree",
        "noise: 200 images to train, 50 to test",
        "* These are no digits! *",
        "  epoch    trn loss",
        "      2  ",
        "Test accuracy: 0.",
        str(tmp_path / "here"),
        "* These are no digits! *",
    ]
    rest = printed
    for text in in_order:
        assert text in rest, text
        rest = rest.partition(text)[2]
    assert printed.count("# Neural Network") == 1


def test_frame_keeps_lines_and_their_indents():
    words = "not-there " * 9
    assert cli._frame(f"No MNIST:\n  {words}").splitlines() == [
        "*" * 75,
        f"* {'No MNIST:':71} *",
        f"* {'  ' + ' '.join(['not-there'] * 7):71} *",
        f"* {'    not-there not-there':71} *",
        "*" * 75,
    ]


def test_reproduce_takes_its_options(call, few_digits, tmp_path):
    status, printed, _ = call(
        *("reproduce", "--network", "blog", "--epochs", "1", "--seed", "3"),
        *("--data", "full", "--data-dir", "digits", "--threads", "2"),
    )
    assert status == 0
    assert few_digits == [("full", "digits")]
    assert os.environ["OMP_NUM_THREADS"] == "2"
    assert "160'362" in printed
    [folder] = (tmp_path / "runs").iterdir()
    record = (folder / "run.json").read_text(encoding="utf-8")
    for entry in ('"network": "blog"', '"seed": 3', '"threads": "2"'):
        assert entry in record


@pytest.mark.parametrize(
    ("outcome", "status"), [("finished", 0), ("diverged", 1), ("interrupted", 130)]
)
def test_exit_status_tells_the_outcome(call, few_digits, monkeypatch, outcome, status):
    from mnist_cnn import experiment

    def run(*arguments, **options):
        done = real(*arguments, **options)
        return replace(done, outcome=outcome, stopped=f"It {outcome}.")

    from dataclasses import replace

    real = experiment.run_experiment
    monkeypatch.setattr(experiment, "run_experiment", run)
    ended, printed, _ = call("reproduce", "--epochs", "1")
    assert ended == status
    assert f"It {outcome}." in printed


# floatX


@pytest.mark.parametrize(
    ("flags", "theanorc", "expected"),
    [
        ("", "", "float32"),
        ("mode=FAST_RUN", "[global]\nmode = FAST_RUN\n", "float32"),
        ("floatX=float64", "", "float64"),
        ("", "[global]\nfloatX = float64\n", "float64"),
    ],
)
def test_float_type_is_float32_unless_told(tmp_path, flags, theanorc, expected):
    (tmp_path / "theanorc").write_text(theanorc, encoding="utf-8")
    code = (
        "from mnist_cnn.cli import main; main(['compare'])\n"
        "import theano; print(theano.config.floatX)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ
        | {"THEANO_FLAGS": flags, "THEANORC": str(tmp_path / "theanorc")},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert finished.stdout.splitlines()[-1] == expected
    assert finished.stderr == ""


# Prediction


@pytest.fixture
def trained(call, few_digits) -> str:
    assert call("reproduce", "--epochs", "1", "--out", "trained")[0] == 0
    return "trained"


def test_predict_tells_a_digit_for_each_image(call, trained, tmp_path):
    images = np.zeros((2, 28, 28), np.uint8)
    images[:, 4:24, 13:16] = 255
    header = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in images.shape)
    (tmp_path / "two-images").write_bytes(header + images.tobytes())
    status, printed, errors = call("predict", "two-images", "--weights", trained)
    assert (status, errors) == (0, "")
    lines = printed.splitlines()
    assert len(lines) == 2
    for index, line in enumerate(lines):
        pattern = rf"two-images\[{index}\]: \d  probability [01]\.\d{{4}}"
        assert re.fullmatch(pattern, line)


def test_predict_refuses_the_weights_of_another_network(call, trained, tmp_path):
    record = tmp_path / trained / "run.json"
    text = record.read_text(encoding="utf-8")
    record.write_text(text.replace('"question"', '"blog"'), encoding="utf-8")
    (tmp_path / "image").write_bytes(
        bytes([0, 0, 8, 3, *(0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28)]) + b"\0\1" * 392
    )
    status, printed, errors = call("predict", "image", "--weights", trained)
    assert (status, printed) == (2, "")
    assert "weights of another network" in errors


# Refused


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "required: COMMAND"),
        (["train"], "invalid choice: 'train'"),
        (["reproduce", "--epochs", "0"], "--epochs: got '0', needed is a whole number"),
        (["reproduce", "--epochs", "two"], "--epochs: got 'two'"),
        (["reproduce", "--seed", "-1"], "--seed: got '-1'"),
        (["reproduce", "--threads", "0"], "--threads: got '0'"),
        (["reproduce", "--network", "lenet"], "invalid choice: 'lenet'"),
        (["layers", "--network", "lenet"], "there is no network 'lenet'"),
        (["reproduce", "--data", "some"], "invalid choice: 'some'"),
        (["reproduce", "--seed", str(2**32)], "seed is 4294967296"),
        (["reproduce", "--data-dir", NO_DATA], f"{NO_DATA} does not exist"),
        (["reproduce", "--out", "file"], "is there already"),
        (["reproduce", "--out", "file/run"], "cannot be written to"),
        (["predict", "--weights", "."], "required: IMAGE"),
        (["predict", "file"], "required: --weights"),
        (["predict", "file", "--weights", "."], "cannot be read as a picture"),
        (["predict", "nothing", "--weights", "."], "there is no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistake_is_told_without_a_traceback(call, tmp_path, arguments, complaint):
    (tmp_path / "file").write_text("neither", encoding="utf-8")
    status, _, errors = call(*arguments)
    assert status == 2
    assert complaint in errors
    assert "Traceback" not in errors
    assert sorted(os.listdir(tmp_path)) == ["file"]


def test_interrupt_before_the_training_gives_130(call, few_digits, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("mnist_cnn.experiment.load_mnist", interrupt)
    status, _, errors = call("reproduce")
    assert status == 130
    assert "interrupted" in errors
    assert not Path("runs").exists()


# The process


def test_output_is_utf8_free_of_what_a_console_of_256_characters_lacks():
    for arguments in (["layers"], ["compare", "--network", "blog"], ["--help"]):
        finished = run_command(*arguments, env={"PYTHONIOENCODING": "cp1252"})
        assert finished.returncode == 0, finished.stderr
        assert finished.stdout.isascii()


def test_reader_that_stops_reading_causes_no_traceback():
    code = (
        "import os, sys\n"
        "from mnist_cnn.cli import main\n"
        "reader, writer = os.pipe()\n"
        "os.close(reader)\n"
        "os.dup2(writer, 1)\n"
        "sys.exit(main(['layers']))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False
    )
    assert finished.stderr == b""
    assert finished.returncode == 1


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends a process SIGINT")
@pytest.mark.skipif(
    not os.environ.get("MNIST_CNN_DATA"),
    reason="needs MNIST: MNIST_CNN_DATA names no folder of its IDX files",
)
def test_ctrl_c_keeps_what_there_is_and_gives_130(tmp_path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-m", "mnist_cnn", "reproduce", "--out", "run"],
        env=environment,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        for line in process.stdout:
            if re.fullmatch(r" +1 .*s\n", line):
                break
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        printed = process.stdout.read()
        assert process.wait(60) == 130
    assert "Interrupted in epoch 2" in printed
    assert (tmp_path / "run" / "weights.npz").exists()
