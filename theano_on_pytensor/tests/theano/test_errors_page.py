"""The ten errors of ``ERRORS.md``: each is gone, or the page says what to do."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROWS = [
    line.split("|")[1:3]
    for line in Path(__file__)
    .parents[2]
    .joinpath("ERRORS.md")
    .read_text(encoding="utf-8")
    .splitlines()
    if line.startswith("| `")
]


def run(code, **environment):
    """What a fresh interpreter prints, its errors included."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def what_to_do_about(message):
    [advice] = [advice for shown, advice in ROWS if message in shown]
    return advice


def test_there_are_ten():
    assert len(ROWS) == 10


def test_downsample_can_be_imported():
    assert "Gone" in what_to_do_about("downsample")
    from theano.tensor.signal import downsample

    assert callable(downsample.max_pool_2d)


def test_no_section_of_blas_is_asked_for():
    assert "Gone" in what_to_do_about("blas_opt_info")
    code = (
        "import sys, theano, theano.tensor as T\n"
        "x = T.dmatrix()\n"
        "print(theano.function([x], T.dot(x, x))([[3.0]]))\n"
        "print('numpy.distutils' in sys.modules, theano.config.blas.ldflags == '')\n"
    )
    assert run(code).split() == ["[[9.]]", "False", "True"]


def test_no_alias_that_numpy_dropped_is_used():
    assert "Gone" in what_to_do_about("has no attribute 'bool'")
    code = (
        "import theano, theano.tensor as T\n"
        "x = T.bmatrix()\n"
        "f = theano.function([x], [T.neq(x, 0), T.isnan(T.exp(x)), x.any()])\n"
        "print(f([[1, 0]])[0])\n"
    )
    assert "[[ True False]]" in run(code)
    own = "import theano, numpy as np; print(np.zeros(1, np.float), np.bool(1))"
    assert "[0.] True" in run(own)


@pytest.mark.parametrize("module", ["cross_validation", "grid_search"])
def test_what_scikit_learn_dropped_can_be_imported(module):
    pytest.importorskip("sklearn")
    assert "Gone" in what_to_do_about("sklearn.cross_validation")
    run(f"import theano, sklearn.{module}")


def test_a_gpu_is_warned_about_once():
    assert "Gone" in what_to_do_about("device=gpu")
    code = (
        "import theano, theano.sandbox.cuda, theano.tensor as T\n"
        "x = T.fvector()\n"
        "print(theano.function([x], x + 1)([1]), theano.config.device)\n"
    )
    said = run(code, THEANO_FLAGS="device=gpu,floatX=float32")
    assert "[2.] gpu" in said
    assert said.count("device=gpu was asked for") == 1


def test_lasagnes_cudnn_layers_work_where_a_gpu_is_asked_for():
    pytest.importorskip("lasagne")
    assert "device=gpu" in what_to_do_about("requires GPU support")
    run("import lasagne.layers.dnn", THEANO_FLAGS="device=gpu")


def test_names_of_lasagnes_head_are_told_where_to_get():
    advice = what_to_do_about("batch_norm")
    assert "github.com/Lasagne/Lasagne" in advice
    assert "PYTHONUTF8=1" in advice


def test_gof_is_there_without_a_compiler():
    assert "Gone" in what_to_do_about("no attribute 'gof'")
    assert "Op" in run("import theano; print(theano.gof.Op)", PATH="")


def test_a_pickle_of_python_2_is_read():
    assert "latin1" in what_to_do_about("UnicodeDecodeError")
    from theano.misc import pkl_utils

    # 'caf\xe9', a byte string, as Python 2 pickled it.
    assert pkl_utils.load(io.BytesIO(b"\x80\x02U\x04caf\xe9q\x00.")) == "caf\xe9"


def test_dead_hosts_have_a_way_round():
    assert "mirrors" in what_to_do_about("HTTP Error 404")


def test_the_runner_up_says_what_to_do():
    import numpy as np

    import theano
    import theano.tensor as T

    x = T.fvector("x")
    with pytest.raises(TypeError, match="allow_input_downcast=True"):
        theano.function([x], x)(np.zeros(2))
    f = theano.function([x], x, allow_input_downcast=True)
    assert f(np.zeros(2)).dtype == "float32"
