"""The cache of compiled code: found again, never stale, never fatal."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import llvmlite
import numpy as np
import pytest

import pytensor_nnet
from pytensor_nnet.kernels.llvm import compiler
from pytensor_nnet.kernels.llvm.compiler import CPU, compile_function
from pytensor_nnet.kernels.llvm.ir import Function


def write(number):
    """A function that writes a number."""
    function = Function("write", {"out": "double*"})
    function.arguments["out"].store(function.zero("double") + float(number))
    return function


def run(number):
    out = np.zeros(1)
    compile_function(write(number))(out.ctypes.data)
    return float(out[0])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache."""
    folder = tmp_path / "not" / "there yet"
    monkeypatch.setattr(compiler, "cache_folder", lambda: folder)
    return folder


@pytest.fixture
def compilations(monkeypatch):
    """The functions compiled, not loaded."""
    seen = []
    original = compiler._compile

    def counted(text, cpu):
        seen.append(text)
        return original(text, cpu)

    monkeypatch.setattr(compiler, "_compile", counted)
    return seen


def test_code_is_compiled_once(folder, compilations):
    assert [run(3), run(3), run(4), run(3)] == [3, 3, 4, 3]
    assert len(compilations) == 2
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"short", None])
def test_a_damaged_file_is_compiled_anew(folder, compilations, damage):
    run(3)
    (file,) = folder.iterdir()
    good = file.read_bytes()
    bad = bytearray(good)
    bad[len(bad) // 2] ^= 1
    file.write_bytes(bytes(bad) if damage is None else damage)
    assert run(3) == 3
    assert len(compilations) == 2
    assert file.read_bytes() == good


def test_it_runs_where_nothing_can_be_written(tmp_path, monkeypatch, compilations):
    (tmp_path / "file").write_text("in the folder's place", encoding="utf-8")
    monkeypatch.setattr(compiler, "cache_folder", lambda: tmp_path / "file" / "kernels")
    assert [run(3), run(3)] == [3, 3]
    assert len(compilations) == 2


def test_it_runs_where_a_folder_has_the_file_s_name(folder, compilations):
    run(3)
    (file,) = folder.iterdir()
    file.unlink()
    file.mkdir()
    assert [run(3), run(3)] == [3, 3]
    assert len(compilations) == 3
    assert list(folder.iterdir()) == [file]


def test_a_full_disk_is_no_error_and_keeps_nothing(folder, monkeypatch, compilations):
    class FullDisk:
        def __init__(self, **arguments):
            self.file = original(**arguments)
            self.name = self.file.name

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, content):
            self.file.write(content[:100])
            raise OSError(errno.ENOSPC, "No space left on device")

    original = compiler.tempfile.NamedTemporaryFile
    monkeypatch.setattr(compiler.tempfile, "NamedTemporaryFile", FullDisk)
    assert [run(3), run(3)] == [3, 3]
    assert len(compilations) == 2
    assert list(folder.iterdir()) == []


def test_it_runs_for_a_user_without_a_home(monkeypatch, compilations):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(compiler, "cache_folder", no_home)
    assert run(3) == 3


def test_another_cpu_or_llvmlite_finds_nothing(monkeypatch):
    cpu = CPU("haswell", {"avx2": True, "fma": True}, "x86_64")
    keys = {
        compiler._key("text", cpu),
        compiler._key("other text", cpu),
        compiler._key("text", CPU("skylake", dict(cpu.features), "x86_64")),
        compiler._key("text", CPU("haswell", {"avx2": True}, "x86_64")),
    }
    for owner, name, value in [
        (llvmlite, "__version__", "0.0"),
        (compiler.llvm, "llvm_version_info", (1, 0, 0)),
        (compiler, "_PASSES", ("sroa",)),
        (compiler, "_MACHINE", {**compiler._MACHINE, "opt": 2}),
    ]:
        monkeypatch.setattr(owner, name, value)
        keys.add(compiler._key("text", cpu))
    assert len(keys) == 8


# Where the package lies, and what it compiled.
REPORT = """
import numpy as np
import pytensor_nnet
from pytensor_nnet.kernels.llvm import compiler
from pytensor_nnet.kernels.llvm.convolution import convolve
compiled = []
original = compiler._compile
compiler._compile = lambda *a: compiled.append(a) or original(*a)
images = np.ones((40, 8, 20, 20), "float32")
out = convolve(images, np.ones((8, 8, 3, 3), "float32"))
assert (out == 8 * 3 * 3).all()
print(pytensor_nnet.__file__, len(compiled))
"""


def test_code_outlives_a_new_installation(tmp_path):
    package = Path(pytensor_nnet.__file__).parent
    environment = {
        **os.environ,
        **dict.fromkeys(("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"), str(tmp_path)),
    }
    seen = []
    for name in ("one", "other"):
        shutil.copytree(package, tmp_path / name / package.name)
        path = os.pathsep.join([str(tmp_path / name), *filter(None, sys.path)])
        done = subprocess.run(
            [sys.executable, "-c", REPORT],
            env={**environment, "PYTHONPATH": path},
            capture_output=True,
            encoding="utf-8",
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        file, _, compiled = done.stdout.strip().rpartition(" ")
        assert Path(file).is_relative_to(tmp_path / name)
        seen.append(int(compiled))
    assert seen[0] > 0
    assert seen[1] == 0


def test_two_processes_at_once(tmp_path):
    """Both compile the same function, start to start, and both are right."""
    program = (
        "import sys\n"
        f"sys.path[:0] = {sys.path!r}\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import test_compiler\n"
        "print([test_compiler.run(n) for n in range(5)])\n"
    )
    environment = {
        **os.environ,
        **dict.fromkeys(("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"), str(tmp_path)),
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60)[0].decode() for process in processes]
    assert outputs[0].strip() == outputs[1].strip() == "[0.0, 1.0, 2.0, 3.0, 4.0]"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 5
    assert {file.suffix for file in files} == {".o"}


@pytest.mark.parametrize(
    ("platform", "variable", "parts"),
    [
        ("linux", "XDG_CACHE_HOME", ()),
        ("win32", "LOCALAPPDATA", ()),
        ("darwin", "HOME", ("Library", "Caches")),
    ],
)
def test_each_system_has_its_folder(monkeypatch, platform, variable, parts):
    root = Path("/a") / "place"
    monkeypatch.setattr(compiler.sys, "platform", platform)
    monkeypatch.setenv(variable, str(root))
    monkeypatch.setattr(compiler.Path, "home", lambda: root)
    assert compiler.cache_folder() == root.joinpath(*parts, "pytensor_nnet", "kernels")


def test_vector_registers_of_cpus():
    avx512 = {"avx512f": True, "avx512vl": True, "avx2": True, "fma": True}
    assert CPU("x", avx512, "x86_64").lanes("float") == 16
    assert CPU("x", {"avx2": True, "fma": True}, "x86_64").lanes("double") == 4
    assert CPU("x", {"avx2": True}, "x86_64").lanes("float") == 4
    assert CPU("x", {}, "arm64").registers == 32
