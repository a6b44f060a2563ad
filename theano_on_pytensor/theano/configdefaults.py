"""The settings of Theano, which of them are served, and ``theano.config``."""

import os
import struct
import sys
import warnings
from collections.abc import Callable, Mapping

from theano.configparser import (
    Setting,
    TheanoConfigParser,
    TheanoConfigWarning,
    parse_bool,
    parse_flags,
    read_theanorc,
    theanorc_paths,
)

__all__ = [
    "FORWARDED",
    "WITHOUT_EFFECT",
    "change_flags",
    "config",
    "local_bitwidth",
]

FORWARDED = frozenset(
    """
    DebugMode.check_c DebugMode.check_finite DebugMode.check_preallocated_output
    DebugMode.check_preallocated_output_ndim DebugMode.check_py
    DebugMode.check_strides DebugMode.patience DebugMode.warn_input_not_reused
    NanGuardMode.action NanGuardMode.big_is_error NanGuardMode.inf_is_error
    NanGuardMode.nan_is_error allow_gc base_compiledir cast_policy check_input
    check_stack_trace cmodule.age_thresh_use cmodule.compilation_warning
    cmodule.debug cmodule.preload_cache cmodule.remove_gxx_opt
    cmodule.warn_no_version compile.timeout compile.wait compiledir
    compiledir_format cxx cycle_detection floatX gcc.cxxflags
    nocleanup on_opt_error on_shape_error on_unused_input openmp
    openmp_elemwise_minsize optdb.max_use_ratio optdb.position_cutoff
    optimizer_verbose print_global_stats profile profile_memory profile_optimizer
    profiling.debugprint profiling.destination profiling.ignore_first_call
    profiling.min_memory_size profiling.min_peak_memory profiling.n_apply
    profiling.n_ops profiling.output_line_width profiling.time_thunks scan.allow_gc
    scan.allow_output_prealloc tensor.cmp_sloppy
    tensor.insert_inplace_optimizer_validate_nb traceback.compile_limit
    traceback.limit unpickle_function vm.lazy warn_float64
    """.split()  # noqa: SIM905
)
"""Settings that PyTensor keeps, under Theano's names."""

WITHOUT_EFFECT = {
    "assert_no_cpu_op": "ignore",
    "blas.check_openmp": True,
    "blas.ldflags": "",
    "cache_optimizations": False,
    "compute_test_value_opt": "off",
    "contexts": "",
    "conv.assert_shape": False,
    "ctc.root": "",
    "cublas.lib": "cublas",
    "cuda.disabled": False,
    "cuda.enabled": True,
    "cuda.include_path": "",
    "cuda.nvccflags": "",
    "cuda.root": "",
    "deterministic": "default",
    "dnn.base_path": "",
    "dnn.bin_path": "",
    "dnn.conv.algo_bwd": "",
    "dnn.conv.algo_bwd_data": "none",
    "dnn.conv.algo_bwd_filter": "none",
    "dnn.conv.algo_fwd": "small",
    "dnn.conv.precision": "as_input_f32",
    "dnn.conv.workmem": "",
    "dnn.conv.workmem_bwd": "",
    "dnn.enabled": "auto",
    "dnn.include_path": "",
    "dnn.library_path": "",
    "experimental.local_alloc_elemwise": True,
    "experimental.local_alloc_elemwise_assert": True,
    "experimental.mrg": False,
    "experimental.unpickle_gpu_on_cpu": False,
    "gpu.local_elemwise_fusion": True,
    "gpuarray.cache_path": "",
    "gpuarray.preallocate": 0,
    "gpuarray.sched": "default",
    "gpuarray.single_stream": True,
    "gpuarray.sync": False,
    "gpuelemwise.sync": True,
    "home": "",
    "init_gpu_device": "",
    "int_division": "int",
    "lib.amdlibm": False,
    "lib.cnmem": 0,
    "magma.enabled": False,
    "magma.include_path": "",
    "magma.library_path": "",
    "metaopt.optimizer_excluding": "",
    "metaopt.optimizer_including": "",
    "metaopt.verbose": 0,
    "numpy.seterr_all": "ignore",
    "numpy.seterr_divide": "None",
    "numpy.seterr_invalid": "None",
    "numpy.seterr_over": "None",
    "numpy.seterr_under": "None",
    "nvcc.compiler_bindir": "",
    "nvcc.cudafe": "heuristic",
    "nvcc.fastmath": False,
    "nvcc.flags": "",
    "optimizer_requiring": "",
    "pickle_test_value": True,
    "print_active_device": True,
    "print_test_value": False,
    "pycuda.init": False,
    "reoptimize_unpickled_function": False,
    "scan.debug": False,
    "tensor.local_elemwise_fusion": True,
    "unittests.rseed": 666,
    "warn.argmax_pushdown_bug": False,
    "warn.gpu_set_subtensor1": False,
    "warn.gpusum_01_011_0111_bug": False,
    "warn.identify_1pexp_bug": False,
    "warn.ignore_bug_before": "0.9",
    "warn.inc_set_subtensor1": False,
    "warn.inc_subtensor1_opt": True,
    "warn.reduce_join": False,
    "warn.round": False,
    "warn.signal_conv2d_interface": False,
    "warn.subtensor_merge_bug": False,
    "warn.sum_div_dimshuffle_bug": False,
    "warn.sum_sum_bug": False,
    "warn.vm_gc_bug": False,
}
"""Settings that a program may read and set, and that change nothing here."""

MODES = (
    *("Mode", "FAST_RUN", "FAST_COMPILE", "DebugMode", "DEBUG_MODE"),
    *("NanGuardMode", "ProfileMode", "PROFILE_MODE"),
)
LINKERS = (
    *("vm", "cvm", "py", "c", "c|py", "c|py_nogc", "vm_nogc", "cvm_nogc"),
    *("numba", "jax"),
)
OPTIMIZERS = (
    *("fast_run", "fast_compile", "fast_run_stable", "merge", "stabilize"),
    *("None", "o1", "o2", "o3", "o4", "unsafe"),
)
TEST_VALUES = ("off", "ignore", "warn", "raise", "pdb")
_PYTENSORS_VERBOSITY = {"low": "medium", "high": "high"}
"""Theano's least told the node and its inputs' shapes; PyTensor's tells neither."""

_DEVICES = ("cpu", "gpu", "opencl", "cuda")


def _one_of(options: tuple[str, ...]) -> Callable[[object], object]:
    def parse(value: object) -> object:
        if isinstance(value, str) and value not in options:
            raise ValueError(f"expected one of {', '.join(options)}")
        return value

    return parse


def _device(value: object) -> str:
    if not isinstance(value, str) or not value.startswith(_DEVICES):
        raise ValueError(f"expected a name that starts with {', '.join(_DEVICES)}")
    return value


def _number(value: object) -> float:
    return value if isinstance(value, int) else float(value)  # type: ignore[arg-type]


_PARSERS: dict[type, Callable[[object], object]] = {
    bool: parse_bool,
    int: _number,
    str: str,
}


def _settings() -> dict[str, Setting]:
    return {
        "compute_test_value": Setting("off", _one_of(TEST_VALUES)),
        "device": Setting("cpu", _device, frozen=True),
        "exception_verbosity": Setting("low", _one_of(("low", "high"))),
        "force_device": Setting(False, parse_bool, frozen=True),
        "linker": Setting("vm", _one_of(LINKERS)),
        "mode": Setting("Mode", _one_of(MODES)),
        "optimizer": Setting("o4", _one_of(OPTIMIZERS)),
        "optimizer_excluding": Setting("", str),
        "optimizer_including": Setting("", str),
        **{
            name: Setting(default, _PARSERS[type(default)])
            for name, default in WITHOUT_EFFECT.items()
        },
    }


def _set_up_pytensor(flags: Mapping[str, str]) -> None:
    """Import PyTensor with ``flags``, or set them where it is there already.

    Flags win over PyTensor's own defaults, and ``PYTENSOR_FLAGS`` over both.
    No C compiler is looked for unless ``cxx`` names one: every Op runs its
    ``perform``.
    """
    pytensor_flags = {name.replace(".", "__"): v for name, v in flags.items()}
    already = sys.modules.get("pytensor")
    if already is not None:
        for name, value in pytensor_flags.items():
            try:
                setattr(already.config, name, value)
            except Exception as error:
                warnings.warn(
                    f"THEANO_FLAGS: {name.replace('__', '.')}={value} comes too late, "
                    f"for pytensor was imported before theano: {error}",
                    TheanoConfigWarning,
                    stacklevel=3,
                )
        return
    users = os.environ.get("PYTENSOR_FLAGS")
    entries = [f"{name}={value!r}" for name, value in pytensor_flags.items()]
    joined = ",".join(["cxx=", *entries, *([users] if users else [])])
    os.environ["PYTENSOR_FLAGS"] = joined
    try:
        import pytensor  # noqa: F401
    finally:
        if users is None:
            del os.environ["PYTENSOR_FLAGS"]
        else:
            os.environ["PYTENSOR_FLAGS"] = users


def _warn_of_missing_device(device: str, force: bool) -> None:
    """What Theano did on a machine without a GPU.

    Raises
    ------
    OSError
        If the device was asked for with ``force_device=True``.
    """
    if device.startswith("cpu"):
        return
    message = f"device={device} was asked for, but Theano on PyTensor runs on the CPU"
    if force:
        raise OSError(
            f"{message}, and force_device=True forbids that; use device=cpu or "
            "leave force_device out"
        )
    warnings.warn(f"{message}; it goes on with the CPU", stacklevel=3)


def _load() -> TheanoConfigParser:
    flags = read_theanorc(theanorc_paths())
    flags.update(parse_flags(os.environ.get("THEANO_FLAGS", "")))
    settings = _settings()
    for name in sorted(flags.keys() - settings.keys() - FORWARDED):
        warnings.warn(
            f"Theano does not know the flag {name!r} (value {flags[name]!r}); "
            "it is ignored",
            TheanoConfigWarning,
            stacklevel=2,
        )
    loaded = TheanoConfigParser(settings, FORWARDED, flags)
    pytensor_flags = {n: v for n, v in flags.items() if n in FORWARDED}
    verbosity = _PYTENSORS_VERBOSITY[loaded.exception_verbosity]
    _set_up_pytensor({**pytensor_flags, "exception_verbosity": verbosity})
    settings["exception_verbosity"].on_change = lambda: setattr(
        sys.modules["pytensor"].config,
        "exception_verbosity",
        _PYTENSORS_VERBOSITY[loaded.exception_verbosity],
    )
    _warn_of_missing_device(loaded.device, loaded.force_device)
    return loaded


def local_bitwidth():
    """How many bits an address has: 32 or 64."""
    return 8 * struct.calcsize("P")


config = _load()


def change_flags(**flags):
    """Settings for the length of a ``with`` block or of a decorated function."""
    return config.change_flags(**flags)
