"""What importing theano changes elsewhere in the process, and what it does not."""

import subprocess
import sys

import pytest


def run(code):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_says_which_theano_it_is():
    import theano

    assert theano.__version__ == "1.0.5+pytensor"
    assert theano.version.short_version == "1.0.5"


def test_blas_runs_on_one_thread():
    run(
        "import numpy as np, theano\n"
        "from threadpoolctl import threadpool_info\n"
        "blas = [p for p in threadpool_info() if p['user_api'] == 'blas']\n"
        "assert blas and all(p['num_threads'] == 1 for p in blas), blas\n"
    )


def test_pytensors_default_mode_becomes_theanos():
    run(
        "import theano, pytensor, pytensor.tensor as pt\n"
        "from pytensor_nnet.linker import NumpyLinker\n"
        "x = pt.dscalar('x')\n"
        "f = pytensor.function([x], x + 1)\n"
        "assert isinstance(f.maker.mode.linker, NumpyLinker)\n"
        "theano.config.mode = 'FAST_COMPILE'\n"
        "g = pytensor.function([x], x + 1)\n"
        "assert g.maker.mode is theano.compile.FAST_COMPILE\n"
    )


@pytest.mark.parametrize("flags", ["linker=py", "mode=FAST_COMPILE"])
def test_a_pytensor_mode_that_the_user_chose_stays(flags):
    run(
        f"import os; os.environ['PYTENSOR_FLAGS'] = {flags!r}\n"
        "import theano, pytensor\n"
        "theano.config.optimizer = 'fast_compile'\n"
        f"name, value = {flags!r}.split('=')\n"
        "assert getattr(pytensor.config, name) == value\n"
    )


def test_eval_runs_without_a_compiler_and_at_once():
    run(
        "import time, theano, theano.tensor as T\n"
        "begin = time.perf_counter()\n"
        "assert (T.exp(T.vector())[:0].sum() + 3.0) is not None\n"
        "x = T.dvector('x')\n"
        "assert (x * 2).eval({x: [1.0, 2.0]}).tolist() == [2.0, 4.0]\n"
        "assert time.perf_counter() - begin < 5\n"
        "import sys\n"
        "assert not any(name.startswith('numba') for name in sys.modules)\n"
    )


def test_importing_leaves_numpy_and_the_warning_filters_alone():
    run(
        "import warnings, numpy as np\n"
        "def state():\n"
        "    drawn = np.random.get_state()[1].tolist()\n"
        "    return np.geterr(), list(warnings.filters), drawn\n"
        "before = state()\n"
        "import theano\n"
        "assert before == state()\n"
    )


def test_importing_prints_nothing():
    assert run("import theano, theano.tensor") == ""


def test_pytensor_nnet_alone_changes_nothing():
    run(
        "import pytensor\n"
        "before = pytensor.config.mode\n"
        "import pytensor_nnet, sys, collections\n"
        "assert 'theano' not in sys.modules\n"
        "assert pytensor.config.mode == before == 'Mode'\n"
        "assert not hasattr(collections, 'Iterable')\n"
    )
