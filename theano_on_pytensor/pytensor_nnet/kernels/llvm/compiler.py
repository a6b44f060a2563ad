"""Compiles a module of LLVM's representation for this CPU, and keeps the code.

Compiled code is kept in the user's cache folder, under a key that names the
module's text, the CPU with its features, how it is compiled, and llvmlite's and
LLVM's versions: nothing stale is ever found. A file that is damaged is compiled
anew, and where no folder is writable the code is compiled in every process.
"""

import ctypes
import hashlib
import os
import struct
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from pytensor_nnet.kernels.llvm.ir import Function

__all__ = ["CPU", "Kernel", "cache_folder", "compile_function", "host", "load_module"]

_C_TYPES = {"i64": ctypes.c_int64, "float": ctypes.c_float, "double": ctypes.c_double}
# How a table of arguments holds them, eight bytes each.
_SLOTS = {"float": "f4x", "double": "d"}
_MACHINE = {"opt": 3, "codemodel": "jitdefault", "jit": True}
_PASSES = ("sroa", "simplify_cfg")
_DIGEST = hashlib.sha256
_DIGEST_BYTES = _DIGEST().digest_size


class CPU:
    """What a kernel's generator and compiler must know of a CPU.

    Parameters
    ----------
    name : str
        LLVM's name.
    features : dict of str to bool
        LLVM's names of instruction sets.
    architecture : str
        ``'x86_64'``, ``'aarch64'``, ...

    Attributes
    ----------
    vector_bytes : int
        Of a vector register.
    registers : int
        How many of those there are.
    permutes : bool
        Whether it is AVX2's permutations that move lanes to the front, for want
        of an instruction that does just that.
    """

    def __init__(self, name: str, features: dict[str, bool], architecture: str):
        self.name, self.architecture = name, architecture
        # Otherwise LLVM takes some CPUs' 64-byte vectors apart.
        self.features = {**features, "prefer-256-bit": False}
        if architecture in ("aarch64", "arm64"):
            self.vector_bytes, self.registers = 16, 32
            self.features = dict(features)
        elif features.get("avx512f") and features.get("avx512vl"):
            self.vector_bytes, self.registers = 64, 32
        elif features.get("avx2") and features.get("fma"):
            self.vector_bytes, self.registers = 32, 16
        else:
            self.vector_bytes, self.registers = 16, 16
        self.permutes = self.vector_bytes == 32

    def lanes(self, element: str) -> int:
        """How many ``'float'`` or ``'double'`` a vector register holds."""
        return self.vector_bytes // {"float": 4, "double": 8}[element]

    @property
    def feature_text(self) -> str:
        return ",".join(f"{'-+'[on]}{name}" for name, on in self.features.items())


@cache
def host() -> CPU:
    """The CPU that this process runs on."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return CPU(
        llvm.get_host_cpu_name(),
        dict(sorted(llvm.get_host_cpu_features().items())),
        llvm.get_process_triple().split("-")[0],
    )


def _target_machine(cpu: CPU) -> Any:
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=cpu.name, features=cpu.feature_text, **_MACHINE
    )


def optimize(module: Any, machine: Any) -> None:
    """Make registers of stack slots; the generators leave nothing else to do."""
    passes = llvm.create_new_function_pass_manager()
    for name in _PASSES:
        getattr(passes, f"add_{name}_pass")()
    builder = llvm.create_pass_builder(
        machine, llvm.create_pipeline_tuning_options(speed_level=2)
    )
    for function in module.functions:
        if not function.is_declaration:
            passes.run(function, builder)


def _compile(text: str, cpu: CPU) -> tuple[Any, bytes]:
    """An engine that holds the module's code, and the code as an object file."""
    module = llvm.parse_assembly(text)
    machine = _target_machine(cpu)
    optimize(module, machine)
    engine = llvm.create_mcjit_compiler(module, machine)
    kept = []
    engine.set_object_cache(lambda _, code: kept.append(bytes(code)), lambda _: None)
    engine.finalize_object()
    return engine, kept[0]


def _load(code: bytes, cpu: CPU) -> Any:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine(cpu))
    engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


def cache_folder() -> Path:
    """Where compiled kernels are kept; it need not exist."""
    if sys.platform == "win32":
        root = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches"
    else:
        root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root, "pytensor_nnet", "kernels")


def _key(text: str, cpu: CPU) -> str:
    parts = (text, cpu.name, cpu.feature_text, sys.platform, llvmlite.__version__)
    parts += (str(llvm.llvm_version_info), str(_MACHINE), str(_PASSES))
    return _DIGEST("\0".join(parts).encode()).hexdigest()[:32]


def _read(path: Path) -> bytes | None:
    """What :func:`_write` wrote; ``None`` where that is missing or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, code = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return code if digest == _DIGEST(code).digest() else None


def _write(path: Path, code: bytes) -> None:
    """Keep the code, in one step for all who read; or not, where none can write."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = tempfile.NamedTemporaryFile(dir=path.parent, delete=False)  # noqa: SIM115
        try:
            with file:
                file.write(_DIGEST(code).digest() + code)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
    except OSError:
        pass


def load_module(name: str, text: str) -> Any:
    """An engine that holds a module's code, compiled or from the cache."""
    cpu = host()
    path = None
    try:
        path = cache_folder() / f"{name}-{_key(text, cpu)}.o"
    except RuntimeError:  # a user without a home
        code = None
    else:
        code = _read(path)
    if code is not None:
        return _load(code, cpu)
    engine, code = _compile(text, cpu)
    if path is not None:
        _write(path, code)
    return engine


class Kernel:
    """A compiled function, to be called with integers, floats and addresses.

    A call does not hold Python's global lock, and checks nothing.

    Attributes
    ----------
    task : int
        The address of what :mod:`pytensor_nnet.kernels.llvm.threads` runs: a
        function of a table of arguments and a row's number.
    is_address : list of bool
        Of each argument.
    """

    def __init__(self, function: Function):
        types = function.types.values()
        self._engine = load_module(function.name, function.text())
        prototype = ctypes.CFUNCTYPE(
            None, *(_C_TYPES.get(type_, ctypes.c_void_p) for type_ in types)
        )
        self._call = prototype(self._engine.get_function_address(function.name))
        self.task = self._engine.get_function_address(f"{function.name}.task")
        self.is_address = [type_.endswith("*") for type_ in types]
        self._row = "".join(_SLOTS.get(type_, "q") for type_ in types)
        self._tables: dict[int, struct.Struct] = {}

    def __call__(self, *arguments: float) -> None:
        self._call(*arguments)

    def table(self, rows: Sequence[tuple[float, ...]]) -> bytes:
        """Arguments of as many calls as there are rows."""
        table = self._tables.get(len(rows))
        if table is None:
            table = self._tables[len(rows)] = struct.Struct("=" + self._row * len(rows))
        return table.pack(*chain.from_iterable(rows))


def compile_function(function: Function) -> Kernel:
    """The function's code, for this CPU."""
    return Kernel(function)
