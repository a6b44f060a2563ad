"""The command: what it prints, what it refuses, how it ends.

What people read is held by files in ``golden/``; with ``REWRITE_GOLDEN=1`` in the
environment they are written anew.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import theano
from mnist_cnn import __version__, by_hand, cli, comparison
from mnist_cnn.by_hand.read_short import read_short
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


# Networks of one's own

QUESTION = "1x28x28 conv32@5x5 pool2 conv32@3x3 pool2 dense256 dense10"
PROGRAM = """\
import lasagne.layers as ll

def build_cnn(input_var=None, size=28, classes=10):
    l = ll.InputLayer((None, 1, size, size), input_var, name='input')
    l = ll.Conv2DLayer(l, 32, 5, name='conv2d1')
    l = ll.MaxPool2DLayer(l, 2, name='maxpool1')
    l = ll.Conv2DLayer(l, 32, 3, name='conv2d2')
    l = ll.MaxPool2DLayer(l, 2, name='maxpool2')
    l = ll.DenseLayer(l, 256, name='dense')
    return ll.DenseLayer(l, num_units=classes, name='output')

def build_mlp(hidden):
    return ll.DenseLayer(ll.DenseLayer(ll.InputLayer((None, 784)), hidden), 10)
"""


@pytest.fixture
def networks(tmp_path):
    """Files that hold the question's network, each in another form."""
    pairs = by_hand.NETWORKS["question"]
    (tmp_path / "net.json").write_text(json.dumps(pairs), encoding="utf-8")
    (tmp_path / "net.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "net.txt").write_text(f"My net:\n\n{PROGRAM}\nWhy?\n", "utf-8")


@pytest.mark.parametrize(
    "arguments",
    [["net.json"], ["net.py", "--network", "build_cnn"]]
    + [["net.txt", "--network", "build_cnn"], ["net.py:build_cnn"]],
)
def test_layers_of_a_file_are_printed(call, networks, arguments):
    status, printed, errors = call("layers", *arguments)
    assert (status, errors) == (0, "")
    assert printed == (GOLDEN / "layers_question.txt").read_text(encoding="utf-8")


def test_layers_of_the_short_form_are_printed(call):
    status, printed, errors = call("layers", QUESTION)
    assert (status, errors) == (0, "")
    assert "832 + 9'248 + 205'056 + 2'570 = 217'706" in printed


def test_example_of_the_readme_is_what_layers_prints(call):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command, printed = re.search(
        r"^\$ mnist-cnn (layers .+)\n((?:.*\n)+?)```", readme, re.M
    ).groups()
    assert call(*shlex.split(command)) == (0, printed, "")


def test_layers_of_standard_input_are_printed():
    finished = run_command("layers", "-", input=QUESTION.encode())
    assert finished.returncode == 0
    assert b"217'706" in finished.stdout
    finished = run_command("layers", "-", input=PROGRAM.encode())
    assert finished.returncode == 2
    assert b"standard input: it holds 2 networks, say which (--network" in (
        finished.stderr
    )


def test_what_if_the_input_had_another_size(call, networks):
    chosen = ("net.py", "--network", "build_cnn")
    for arguments in [(), chosen]:
        status, printed, _ = call("layers", *arguments, "--input-size", "3x32x32")
        assert status == 0
        assert "(5*5*3+1)*32   =   2'432" in printed
    assert (
        call("layers", *chosen, "--input-size", "input=1x28x28")[1]
        == (call("layers", *chosen)[1])
    )


def test_a_value_that_the_code_lacks_is_given(call, networks):
    chosen = ("layers", "net.py", "--network", "build_mlp")
    status, printed, errors = call(*chosen)
    assert (status, printed) == (2, "")
    assert "line 13, return ll.DenseLayer" in errors
    assert "hidden is a parameter that no call gives a value" in errors
    assert "--define NAME=VALUE" in errors
    status, printed, errors = call(*chosen, "--define", "hidden=20")
    assert (status, errors) == (0, "")
    assert "15'700 + 210 = 15'910" in printed


def test_rules_of_a_version(call):
    old, new = (
        call("layers", "5x3 gru2", "--lasagne-version", version)[1]
        for version in ("0.1", "0.2")
    )
    assert "3*(3+2+1)*2+2 = 38" in old
    assert "3*(3+2+1)*2 = 36" in new


def test_verify_builds_the_network_and_says_whether_it_agrees(call, monkeypatch):
    status, printed, errors = call("layers", QUESTION, "--verify")
    assert (status, errors) == (0, "")
    assert "builds the same: size and parameters of all 7 layers" in printed
    status, printed, errors = call("layers", QUESTION, "--verify", "--format", "json")
    assert json.loads(printed)
    assert "builds the same" in errors

    from mnist_cnn import verification

    real = by_hand.calculate

    def calculate(network):
        table = real(network)
        rows = [replace(row, parameters=row.parameters + 1) for row in table]
        return replace(table, rows=tuple(rows))

    monkeypatch.setattr(verification.by_hand, "calculate", calculate)
    status, printed, _ = call("layers", QUESTION, "--verify")
    assert status == 1
    assert "DIFFER in 7 of 7 layers" in printed


def test_verify_says_what_is_not_installed():
    code = (
        "from mnist_cnn.cli import main; raise SystemExit(main(['layers', '--verify']))"
    )
    finished = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, check=False
    )
    assert finished.returncode == 2
    assert b"--verify builds the network with Lasagne, which cannot be" in (
        finished.stderr
    )
    assert b"Traceback" not in finished.stderr


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('[["InputLayer", {"shape": [null, -3]}]]', "input0: a size of shape=-3"),
        (
            '[["InputLayer", {"shape": [9, 1, 3, 3]}], ["MaxPool2DLayer", '
            '{"pool_size": 4}], ["DenseLayer", {"num_units": 2, "name": "d"}]]',
            "d: the output of maxpool2d1 has the shape 9x1x0x0",
        ),
        ('[["InputLayer", {"shape": [9]}], ["DensLayer", {}]]', "mean DenseLayer"),
        ('[["InputLayer", {"shape": [9]}], ["Mine", {}]]', '@rule("Mine")'),
        (
            '[["InputLayer", {"shape": [9]} 4]',
            "net: line 1, column 32: this is no JSON",
        ),
        (
            '[["InputLayer", {"shape": [9, 9]}], ["DenseLayer", {"num_units": 2, '
            '"incoming": "there"}]]',
            "dense1: it refers to 'there', and no layer before it has that name",
        ),
        (
            '[["InputLayer", {"shape": [9, 9]}], ["DenseLayer", {"num_units": 2, '
            '"name": "a", "incoming": "b"}], ["DenseLayer", {"num_units": 2, "name": '
            '"b", "incoming": "a"}]]',
            "a: it feeds itself: a <- b <- a",
        ),
        (
            "l = InputLayer((9, 9))\nl = DenseLayer(l, 2\n",
            "net: line 2, l = DenseLayer",
        ),
        (
            "l = DenseLayer(InputLayer((9, 9)), 10**10**10)",
            "10 ** 10 ** 10 is too large",
        ),
        ("l = DenseLayer(InputLayer((9, 9)), n)", "n is not defined in this text"),
        ("[" * 100_000, "nested"),
        ("(" * 100_000, "nested"),
        ('{"a":' * 100_000, "nested"),
        ("l = " + "-" * 100_000 + "1", "nested too deeply"),
        (" " * 10_000_000, "longer than 1,000,000 bytes"),
        ("l = \0", "line 1 holds a NUL character"),
        (b"l = '\xff'", "no text in UTF-8: see byte 5, 0xff"),
        ("", "makes no layer of Lasagne"),
        ("Dear all,\nhow many?\n", "line 1, Dear all,: this is no Python"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_bad_network_is_told_without_a_traceback(call, tmp_path, content, complaint):
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "net").write_bytes(data)
    status, printed, errors = call("layers", "net")
    assert (status, printed) == (2, "")
    assert complaint in errors
    assert errors.startswith("mnist-cnn: error: ")
    assert len(errors) < 1000


@pytest.mark.parametrize(
    "name", ["{0.__class__}", "%n%s", "<script>alert(1)</script>", "\ud800", "é" * 40]
)
def test_names_of_layers_are_printed_as_they_are(tmp_path, name):
    text = json.dumps([["InputLayer", {"shape": [None, 3], "name": name}]])
    (tmp_path / "net.json").write_text(text, encoding="utf-8")
    finished = run_command("layers", "net.json", env={"PYTHONIOENCODING": "utf-8"})
    assert (finished.returncode, finished.stderr) == (0, b"")
    shown = name.encode("utf-8", "backslashreplace")
    assert shown in finished.stdout


def measure(*arguments: str) -> float:
    """Processor seconds of a call of the command in a process of its own."""
    code = (
        "import sys, time\nfrom mnist_cnn.cli import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "print(time.process_time(), file=sys.stderr)"
    )
    return min(
        float(
            subprocess.run(
                [sys.executable, "-c", code, *arguments],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sys.path))},
                capture_output=True,
                check=True,
            ).stderr
        )
        for _ in range(5)
    )


@pytest.mark.slow
def test_layers_starts_at_once():
    assert measure("layers") < 0.3


@pytest.mark.slow
@pytest.mark.parametrize("form", ["json", "py", "txt"])
def test_a_thousand_layers_take_less_than_a_second(tmp_path, form):
    short = " ".join(["3x32x32", *["conv8@3+1 dropout"] * 250, *["dense9"] * 499])
    pairs = [[layer.type, dict(layer.arguments)] for layer in read_short(short).layers]
    calls = "".join(f"l = {kind}(l, **{given!r})\n" for kind, given in pairs[1:])
    text = {
        "json": json.dumps(pairs),
        "py": f"l = InputLayer((None, 3, 32, 32))\n{calls}",
        "txt": short,
    }[form]
    assert len(pairs) == 1000
    (tmp_path / f"net.{form}").write_text(text, encoding="utf-8")
    assert measure("layers", str(tmp_path / f"net.{form}")) < 1


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
