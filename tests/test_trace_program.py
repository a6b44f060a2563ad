"""scripts/trace_program: what it keeps of a program, and how it compares."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "trace_program"
PROGRAM = """
import sys
import numpy as np
import theano
import theano.tensor as T

x = T.dvector("x")
w = theano.shared(np.zeros(3), "w")
loss = ((x - w) ** 2).sum()
rate = float(sys.argv[1])
train = theano.function([x], loss, updates=[(w, w - rate * T.grad(loss, w))])
other = theano.function([x], loss)
while True:
    other(np.ones(3))
    train(np.ones(3))
"""


def trace(*arguments):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("program")
    path = folder / "program.py"
    path.write_text(PROGRAM, encoding="utf-8")
    run = trace("--updates", 3, "--out", folder / "kept.json", path, 0.25)
    assert run.returncode == 0, run.stderr
    return path, folder / "kept.json"


def test_the_first_updates_are_kept(program):
    kept = json.loads(program[1].read_text(encoding="utf-8"))
    # Each step halves the distance, and its square is quartered.
    assert kept["losses"] == [[[3.0]], [[0.75]], [[0.1875]]]
    (of_w,) = kept["updated"]
    assert of_w[0] == 3 * (1 - 0.5**3)


def test_the_same_program_agrees_with_itself(program):
    path, kept = program
    run = trace("--updates", 3, "--against", kept, path, 0.25)
    assert run.returncode == 0, run.stderr
    assert "losses 0.0e+00, updated 0.0e+00" in run.stdout


def test_another_one_does_not(program):
    path, kept = program
    run = trace("--updates", 3, "--against", kept, path, 0.125)
    assert run.returncode == 1
    assert "largest relative difference" in run.stdout


def test_a_program_without_updates_fails():
    run = trace("-c", "import theano")
    assert run.returncode == 1
    assert run.stdout.startswith("0 updates")
