"""scripts/question.py: the question's call, keyword for keyword, and that it trains."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "question.py"
REFERENCE = ROOT / "tests" / "reference" / "reference.json"

# https://stackoverflow.com/questions/42786717, CC BY-SA
QUESTION = """
NeuralNet(
    layers=[('input', layers.InputLayer),        # Input Layer
            ('conv2d1', layers.Conv2DLayer),     # Convolutional Layer
            ('maxpool1', layers.MaxPool2DLayer), # 2D Max Pooling Layer
            ('conv2d2', layers.Conv2DLayer),     # Convolutional Layer
            ('maxpool2', layers.MaxPool2DLayer), # 2D Max Pooling Layer
            ('dense', layers.DenseLayer),        # Fully connected layer
            ('output', layers.DenseLayer),       # Output Layer
            ],
    # input layer
    input_shape=(None, 1, 28, 28),

    # layer conv2d1
    conv2d1_num_filters=32,
    conv2d1_filter_size=(5, 5),
    conv2d1_nonlinearity=lasagne.nonlinearities.rectify,

    # layer maxpool1
    maxpool1_pool_size=(2, 2),

    # layer conv2d2
    conv2d2_num_filters=32,
    conv2d2_filter_size=(3, 3),
    conv2d2_nonlinearity=lasagne.nonlinearities.rectify,

    # layer maxpool2
    maxpool2_pool_size=(2, 2),


    # Fully Connected Layer
    dense_num_units=256,
    dense_nonlinearity=lasagne.nonlinearities.rectify,

   # output Layer
    output_nonlinearity=lasagne.nonlinearities.softmax,
    output_num_units=10,

    # optimization method params
    update= momentum,
    update_learning_rate=0.01,
    update_momentum=0.9,
    max_epochs=10,
    verbose=1,
    )
"""


def read_keywords(source: str) -> list[tuple[str | None, str]]:
    """Keywords and values of the one NeuralNet call, in order."""
    [call] = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "NeuralNet"
    ]
    assert call.args == []
    return [(keyword.arg, ast.unparse(keyword.value)) for keyword in call.keywords]


def test_call_is_the_questions():
    keywords = read_keywords(SCRIPT.read_text(encoding="utf-8"))
    assert keywords == read_keywords(QUESTION)


def test_names_mean_what_they_meant():
    """The imports around the call, as of the day."""
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    imports = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert sorted(imports) == [
        "from lasagne import layers",
        "from lasagne.updates import momentum",
        "from mnist_cnn.dataset import load_mnist",
        "from nolearn.lasagne import NeuralNet",
        "import lasagne",
        "import sys",
    ]


def run(*command, **variables) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *map(str, command)],
        env={**os.environ, "PYTHONUTF8": "1", **variables},
        capture_output=True,
        encoding="utf-8",
    )


def test_where_nothing_is_installed_it_says_what_to_do():
    # Without site-packages.
    done = run("-I", "-S", SCRIPT)
    assert (done.returncode, done.stdout) == (2, "")
    assert "mnist-cnn is not installed for" in done.stderr
    assert "python -m pip install -r requirements.txt" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_folder_is_told_without_a_traceback(tmp_path):
    done = run(SCRIPT, MNIST_CNN_DATA=str(tmp_path / "nowhere"))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{tmp_path / 'nowhere'} does not exist" in done.stderr
    assert "Traceback" not in done.stderr


# As `python scripts/question.py`, with an empty cache and no network.
OFFLINE = """
import runpy, sys
from pathlib import Path
from mnist_cnn import dataset
dataset.find_cache = lambda: Path(sys.argv[2])
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.mark.slow
def test_it_prints_nolearns_text_and_trains(tmp_path):
    proxy = "http://127.0.0.1:9"
    done = run(
        "-c",
        OFFLINE,
        SCRIPT,
        tmp_path / "cache",
        MNIST_CNN_DATA="",
        https_proxy=proxy,
        HTTPS_PROXY=proxy,
    )
    assert done.returncode == 0, done.stderr
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))
    assert reference["layer_info_verbose1"] in done.stdout
    before, _, after = done.stdout.partition("epoch    trn loss")
    assert "NOT ALL OF MNIST" in before
    assert "NOT ALL OF MNIST" in after
    rows = [line.split() for line in after.splitlines() if len(line.split()) == 6]
    epochs = [int(cells[0]) for cells in rows if cells[0].isdecimal()]
    assert epochs == list(range(1, 11))
    [accuracy] = [
        float(line.split(": ")[1])
        for line in after.splitlines()
        if line.startswith("Test accuracy: ")
    ]
    # Chance is 0.1.
    assert accuracy > 0.9
