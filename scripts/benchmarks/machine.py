"""Says what machine a measurement was taken on."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

_SIMD = ("avx512f", "avx2", "avx", "sse2", "sve", "asimd", "neon")


def describe() -> dict[str, str | int]:
    """The CPU's model and family, its SIMD, cores, and the system."""
    fields = _read_cpuinfo()
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    family = " ".join(
        f"{name} {fields[name]}" for name in ("cpu family", "model") if name in fields
    )
    simd = next((name for name in _SIMD if name in flags), "unknown")
    return {
        "cpu": fields.get("model name") or _ask_system() or platform.processor(),
        "family": family,
        "simd": simd,
        "cores": count_cores(),
        "system": platform.platform(),
    }


def count_cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _read_cpuinfo() -> dict[str, str]:
    """The first core's entry, where the system is Linux."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return {}
    return dict(re.findall(r"^([^\t:]+)\s*: (.*)$", text.split("\n\n")[0], re.M))


def _ask_system() -> str:
    if sys.platform != "darwin":
        return ""
    command = ["sysctl", "-n", "machdep.cpu.brand_string"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()
