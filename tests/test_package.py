"""The package itself: what it offers, and that it loads nothing before it is used."""

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mnist_cnn

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).parent / "golden"
# What a network library or a numerical one would bring in.
HEAVY = {"lasagne", "nolearn", "numpy", "pytensor", "theano", "tqdm"}


def run_python(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def find_loaded(code: str) -> set[str]:
    """The heavy packages that are loaded once a fresh interpreter has run code."""
    report = f"import sys; print('loaded:', *(sys.modules.keys() & {HEAVY!r}))"
    finished = run_python("-c", f"{code}\n{report}")
    assert finished.returncode == 0, finished.stderr
    return set(finished.stdout.rpartition("loaded:")[2].split())


def test_all_is_sorted_and_there():
    assert mnist_cnn.__all__ == sorted(mnist_cnn.__all__)
    assert set(mnist_cnn.__all__) <= set(dir(mnist_cnn))
    for name in mnist_cnn.__all__:
        assert getattr(mnist_cnn, name) is not None


def test_all_is_what_is_promised():
    assert mnist_cnn.__all__ == [
        *("build_network", "by_hand", "capture_layer_info", "compare"),
        *("load_mnist", "run_experiment"),
    ]


@pytest.mark.parametrize("name", mnist_cnn.__all__)
def test_public_names_are_those_of_their_modules(name):
    offered = getattr(mnist_cnn, name)
    if name == "by_hand":
        assert offered is importlib.import_module("mnist_cnn.by_hand")
    else:
        module = importlib.import_module(offered.__module__)
        assert module.__name__.startswith("mnist_cnn.")
        assert getattr(module, name) is offered


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'mnist_cnn' has no attribute 'train'"):
        _ = mnist_cnn.train


@pytest.mark.parametrize(
    "code",
    [
        "import mnist_cnn; dir(mnist_cnn)",
        "import mnist_cnn; mnist_cnn.by_hand.table",
        "from mnist_cnn import by_hand",
        "from mnist_cnn.cli import main; main(['layers'])",
        "from mnist_cnn.cli import main; main(['layers', '--network', 'blog'])",
    ],
)
def test_nothing_heavy_is_loaded_for(code):
    assert find_loaded(code) == set()


def test_what_is_heavy_is_found():
    assert "numpy" in find_loaded("import mnist_cnn; mnist_cnn.load_mnist")


def test_command_works_in_a_bare_clone(tmp_path):
    shutil.copytree(
        ROOT / "mnist_cnn",
        tmp_path / "mnist_cnn",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    # -S leaves out what is installed, -I the environment and, with it, the folder.
    bare = ("-I", "-S", "-c")
    code = (
        "import runpy, sys; sys.path.insert(0, '.'); sys.argv[1:] = [{!r}]; "
        "runpy.run_module('mnist_cnn', run_name='__main__')"
    )
    finished = run_python(*bare, code.format("layers"), cwd=tmp_path)
    assert finished.stderr == ""
    expected = (GOLDEN / "layers_question.txt").read_text(encoding="utf-8")
    assert finished.stdout == expected
    # The ban works: where something has to be installed, the command says so.
    finished = run_python(*bare, code.format("compare"), cwd=tmp_path)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert "the package theano is not installed" in finished.stderr
    assert "Traceback" not in finished.stderr
