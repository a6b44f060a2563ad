"""scripts/run_upstream_tests: what it runs, what it tells, the data it makes.

The slow tests run Lasagne's examples, unmodified, from its sdist.
"""

import gzip
import os
import pickle
import re
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "run_upstream_tests"


@pytest.fixture(scope="module")
def script():
    """What the script defines."""
    return runpy.run_path(str(SCRIPT))


@pytest.fixture
def checkouts(tmp_path):
    """Folders laid out as Lasagne and nolearn are."""
    for suite in ("a/lasagne/tests", "b/nolearn/lasagne/tests", "c/tests"):
        (tmp_path / suite).mkdir(parents=True)
    return {name: tmp_path / name for name in "abc"}


def test_suite_of_a_checkout(script, checkouts):
    suites = {name: script["find_suite"](path) for name, path in checkouts.items()}
    assert suites == {"a": "lasagne/tests", "b": "nolearn/lasagne/tests", "c": None}


@pytest.mark.parametrize(
    ("names", "told"),
    [("c", "no tests of Lasagne or nolearn"), ("b", "give the folder of a checkout")],
)
def test_checkouts_that_cannot_be_tested_are_refused(checkouts, names, told):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *(str(checkouts[name]) for name in names)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


REPORT = """<testsuites><testsuite>
<testcase classname="tests.a" name="passes"/>
<testcase classname="tests.a" name="fails"><failure message="assert 1 == 2">
&gt; f()
E   AssertionError: assert 1 == 2
</failure></testcase>
<testcase classname="" name="tests.b"><error message="collection failure">
E   ImportError: cannot import name 'x' from 'y'
</error></testcase>
<testcase classname="tests.c" name="one"><skipped message="no CUDA"/></testcase>
<testcase classname="tests.c" name="two"><skipped message="no CUDA"/></testcase>
</testsuite></testsuites>"""


def test_summary_counts_and_tells_why(script, capsys):
    cases = list(ElementTree.fromstring(REPORT).iter("testcase"))
    assert script["summarize"]("Suite", cases) == 2
    assert capsys.readouterr().out.splitlines() == [
        "Suite: 1 passed, 2 failed, 2 skipped",
        "    skipped 2: no CUDA",
        "    failed tests.a.fails: AssertionError: assert 1 == 2",
        "    failed tests.b: ImportError: cannot import name 'x' from 'y'",
    ]


def test_reason_of_a_skip_without_one_is_read_from_the_source(script, tmp_path):
    lines = ["try:", "    f()", "except NotImplementedError:", "    pytest.skip()"]
    source = "\n".join([*lines, "pytest.skip()"])
    (tmp_path / "test_a.py").write_text(source, encoding="utf-8")

    def tell(line, message="Skipped"):
        skipped = ElementTree.Element("skipped", message=message)
        skipped.text = f"test_a.py:{line}: {message}"
        return script["tell_reason"](skipped, tmp_path)

    assert tell(4) == "the layer raised NotImplementedError"
    assert tell(5) == "Skipped"
    assert tell(4, "need --runslow") == "need --runslow"


def read_idx(path):
    data = gzip.decompress(path.read_bytes())
    sizes = np.frombuffer(data, ">i4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(sizes)).reshape(sizes)


def test_data_of_the_examples_is_mnist_in_both_forms(script, tmp_path):
    script["write_examples_data"](tmp_path)
    images = read_idx(tmp_path / "train-images-idx3-ubyte.gz")
    labels = read_idx(tmp_path / "train-labels-idx1-ubyte.gz")
    assert images.shape == (12000, 28, 28)
    assert labels.shape == (12000,)
    assert set(labels.tolist()) == set(range(10))
    with gzip.open(tmp_path / "mnist.pkl.gz") as file:
        (train, _), (valid, valid_labels), (test, test_labels) = pickle.load(file)
    assert (len(train), len(valid), len(test)) == (2000, 10000, 1000)
    np.testing.assert_allclose(valid[7].reshape(28, 28) * 255, images[2007], atol=1e-3)
    assert valid_labels.tolist() == labels[2000:].tolist()
    assert len(test_labels) == len(read_idx(tmp_path / "t10k-labels-idx1-ubyte.gz"))


@pytest.fixture(scope="module")
def examples(script, tmp_path_factory):
    """A folder with Lasagne 0.1's examples and their data."""
    folder = tmp_path_factory.mktemp("lasagne")
    try:
        sdist = script["fetch_sdist"](folder)
    except subprocess.CalledProcessError:
        pytest.skip("pip cannot download Lasagne's sdist")
    script["write_examples_data"](sdist / "examples")
    return sdist / "examples"


def run_example(folder, statement, *arguments):
    """What an example prints that runs with the same random numbers each time."""
    seeded = f"import numpy, runpy; numpy.random.seed(1); {statement}"
    done = subprocess.run(
        [sys.executable, "-c", seeded, *arguments],
        cwd=folder,
        env=os.environ | {"THEANO_FLAGS": "floatX=float32"},
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("model", ["mlp", "custom_mlp:2,100,0.1,0.2", "cnn"])
def test_example_with_digits_learns(examples, model):
    run = "runpy.run_path('mnist.py', run_name='__main__')"
    out = run_example(examples, run, model, "12")
    losses = [float(loss) for loss in re.findall(r"training loss:\s+(\S+)", out)]
    assert len(losses) == 12
    assert losses[-1] < losses[0]
    assert float(re.search(r"test accuracy:\s+(\S+) %", out)[1]) > 60


@pytest.mark.slow
def test_example_of_recurrent_layers_learns(examples):
    out = run_example(examples, "import recurrent; recurrent.main(num_epochs=2)")
    costs = [float(cost) for cost in re.findall(r"validation cost = (\S+)", out)]
    assert len(costs) == 2
    # The variance of the targets, sums of two numbers from 0 to 1, is 1/6.
    assert max(costs) < 1 / 6
