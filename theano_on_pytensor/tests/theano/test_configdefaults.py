"""``THEANO_FLAGS`` and ``.theanorc``, each in a process of its own."""

import json
import os
import subprocess
import sys

import pytest
from pytensor.configdefaults import config as pytensor_config

import theano
from theano.configdefaults import FORWARDED, WITHOUT_EFFECT

PREAMBLE = """
import json, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import theano
messages = [str(w.message) for w in caught if issubclass(w.category, UserWarning)]
"""


def start(code, tmp_path, **environment):
    """Run ``code`` after an import of theano, in an empty home folder."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in ("THEANO_FLAGS", "THEANORC", "PYTENSOR_FLAGS")
    }
    clean.update(HOME=str(tmp_path), USERPROFILE=str(tmp_path), **environment)
    return subprocess.run(
        [sys.executable, "-c", PREAMBLE + code],
        env=clean,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def ask(expression, tmp_path, **environment):
    """The value of an expression, and the warnings of the import."""
    code = f"print(json.dumps([{expression}, messages]))"
    done = start(code, tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_without_flags_all_is_as_theano_had_it(tmp_path):
    expression = (
        "[theano.config.floatX, theano.config.device, theano.config.mode, "
        "theano.config.force_device, theano.config.on_unused_input, "
        "str(theano.tensor.matrix().dtype)]"
    )
    expected = ["float64", "cpu", "Mode", False, "raise", "float64"]
    assert ask(expression, tmp_path) == [expected, []]


def test_flags_of_the_environment(tmp_path):
    expression = (
        "[theano.config.floatX, theano.config.mode, theano.config.openmp, "
        "theano.config.scan.allow_gc, theano.config.blas.ldflags, "
        "str(theano.tensor.matrix().dtype)]"
    )
    flags = (
        "floatX=float32,mode=FAST_COMPILE,openmp=False,scan.allow_gc=True,"
        "blas.ldflags='-lm, -lf77'"
    )
    expected = ["float32", "FAST_COMPILE", False, True, "-lm, -lf77", "float32"]
    assert ask(expression, tmp_path, THEANO_FLAGS=flags) == [expected, []]


def test_theanorc_and_the_environment_wins(tmp_path):
    (tmp_path / ".theanorc").write_text(
        "[global]\nfloatX = float32\noptimizer = fast_compile\n"
        "[nvcc]\nfastmath = True\n",
        encoding="utf-8",
    )
    expression = (
        "[theano.config.floatX, theano.config.optimizer, theano.config.nvcc.fastmath]"
    )
    assert ask(expression, tmp_path) == [["float32", "fast_compile", True], []]
    values, _ = ask(expression, tmp_path, THEANO_FLAGS="floatX=float64")
    assert values == ["float64", "fast_compile", True]


def test_compiledir_is_pytensors(tmp_path):
    folder = tmp_path / "compiled"
    expression = "[str(theano.config.compiledir)]"
    [compiledir], messages = ask(
        expression, tmp_path, THEANO_FLAGS=f"base_compiledir={folder}"
    )
    assert compiledir.startswith(str(folder))
    assert messages == []


def test_an_unknown_flag_is_named(tmp_path):
    flags = "floatX=float32,fast_and_loose=True"
    floatx, messages = ask("theano.config.floatX", tmp_path, THEANO_FLAGS=flags)
    assert floatx == "float32"
    [message] = messages
    assert "'fast_and_loose'" in message


def test_an_invalid_value_is_an_error_that_names_it(tmp_path):
    for flag, value in [("floatX", "float31"), ("mode", "FAST"), ("device", "tpu")]:
        done = start("", tmp_path, THEANO_FLAGS=f"{flag}={value}")
        assert done.returncode != 0
        assert value in done.stderr
        assert flag in done.stderr


@pytest.mark.parametrize("device", ["gpu", "gpu0", "cuda", "cuda1", "opencl0:0"])
def test_a_gpu_is_warned_about_once_and_the_cpu_serves(tmp_path, device):
    read, messages = ask(
        "[theano.config.device, theano.tensor.exp(0.0).eval().item()]",
        tmp_path,
        THEANO_FLAGS=f"device={device}",
    )
    assert read == [device, 1.0]
    [message] = messages
    assert f"device={device}" in message
    assert "CPU" in message


def test_a_gpu_that_is_forced_is_an_error(tmp_path):
    done = start("", tmp_path, THEANO_FLAGS="device=gpu,force_device=True")
    assert done.returncode != 0
    assert "device=gpu" in done.stderr
    assert "force_device=True" in done.stderr
    done = start("", tmp_path, THEANO_FLAGS="device=cpu,force_device=True")
    assert done.returncode == 0


def test_pytensors_own_flags_are_honoured_and_win(tmp_path):
    expression = (
        "[theano.config.floatX, theano.config.on_unused_input, "
        "__import__('os').environ.get('PYTENSOR_FLAGS')]"
    )
    users = "floatX=float32"
    values, _ = ask(expression, tmp_path, PYTENSOR_FLAGS=users)
    assert values == ["float32", "raise", users]
    values, _ = ask(
        expression,
        tmp_path,
        PYTENSOR_FLAGS=users,
        THEANO_FLAGS="floatX=float64,on_unused_input=ignore",
    )
    assert values == ["float32", "ignore", users]
    assert ask(expression, tmp_path)[0] == ["float64", "raise", None]


def test_flags_reach_a_pytensor_imported_before(tmp_path):
    code = (
        "import pytensor, theano\n"
        "print(pytensor.config.floatX, theano.config.on_unused_input)\n"
    )
    environment = {**os.environ, "THEANO_FLAGS": "floatX=float32,on_unused_input=warn"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.split() == ["float32", "warn"]


@pytest.mark.parametrize("name", sorted(FORWARDED))
def test_forwarded_settings_exist_in_this_pytensor(name):
    value = theano.config._get(name)
    assert value == getattr(pytensor_config, name.replace(".", "__"))


@pytest.mark.parametrize("name", sorted(WITHOUT_EFFECT))
def test_settings_without_effect_can_be_read_and_set(name):
    *sections, last = name.split(".")
    holder = theano.config
    for section in sections:
        holder = getattr(holder, section)
    before = getattr(holder, last)
    assert before == WITHOUT_EFFECT[name]
    other = {bool: not before, int: 0.5, str: "another"}[type(before)]
    setattr(holder, last, str(other))
    assert theano.config._get(name) == other
    setattr(holder, last, before)


def test_floatx_set_in_a_program_counts_from_then_on():
    with theano.config.change_flags(floatX="float32"):
        assert theano.tensor.vector().dtype == "float32"
        assert pytensor_config.floatX == "float32"
    assert theano.tensor.vector().dtype == theano.config.floatX


def test_errors_tell_as_much_as_theanos():
    assert theano.config.exception_verbosity == "low"
    assert pytensor_config.exception_verbosity == "medium"
    with theano.config.change_flags(exception_verbosity="high"):
        assert pytensor_config.exception_verbosity == "high"
    assert pytensor_config.exception_verbosity == "medium"
    with pytest.raises(ValueError, match="'medium'"):
        theano.config.exception_verbosity = "medium"
