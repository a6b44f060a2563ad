"""The project's virtual environment, ``.venv``: made, kept up to date, used.

Of the standard library alone, for nothing is installed yet. What is installed
is recorded in ``.venv`` by a hash of what it was installed from, so that a call
with nothing to do costs reading the sources once.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from python_versions import NEWEST, OLDEST

ROOT = Path(__file__).resolve().parent.parent
RECORD = "mnist-cnn-installed.json"
INTERRUPTED = 130

# What each local distribution is built from, and what each list of requirements
# depends on. A folder stands for all that is in it.
DISTRIBUTIONS = {
    ".": ("mnist_cnn",),
    "./theano_on_pytensor": (
        "theano_on_pytensor/pytensor_nnet",
        "theano_on_pytensor/theano",
    ),
}
REQUIREMENTS = (
    "requirements.txt",
    "pyproject.toml",
    "setup.py",
    "theano_on_pytensor/pyproject.toml",
    "theano_on_pytensor/setup.py",
)
LISTS = {
    "requirements.txt": REQUIREMENTS,
    "requirements-dev.txt": (*REQUIREMENTS, "requirements-dev.txt"),
}

# Run by the environment's Python: it is a supported one, has pip, and no
# package's installation broke off, for pip writes RECORD last.
_CHECK = f"""
import sys
from importlib.metadata import distributions, files
complete = files("pip") and all(found.files is not None for found in distributions())
sys.exit(not (complete and {OLDEST} <= sys.version_info[:2] <= {NEWEST}))
"""


class SetupError(Exception):
    """The environment could not be made; the message holds all that was said."""


def fingerprint(root: Path, names: Iterable[str]) -> str:
    """A hash of the named files and of every file in the named folders.

    Compiled modules do not count; a name that does not exist counts as empty.
    """
    digest = hashlib.sha256()
    for name in sorted(names):
        path = root / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and file.suffix != ".pyc":
                content = file.read_bytes()
                header = f"{file.relative_to(root).as_posix()}\0{len(content)}\0"
                digest.update(header.encode() + content)
    return digest.hexdigest()


def fingerprints(root: Path) -> dict[str, str]:
    """What there is to install: a hash for each list and local distribution."""
    return {
        name: fingerprint(root, paths)
        for name, paths in {**LISTS, **DISTRIBUTIONS}.items()
    }


def find_python(venv: Path) -> Path:
    """The environment's interpreter, there or not."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def read_record(venv: Path) -> dict[str, str]:
    """The fingerprints of what is installed; empty where that is not known.

    It is not known where the interpreter is gone or is another one than
    :func:`write_record` found, as after an upgrade of Python.
    """
    python = find_python(venv)
    try:
        record = json.loads((venv / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    known = python.exists() and record["interpreter"] == os.path.realpath(python)
    return record["installed"] if known else {}


def write_record(venv: Path, installed: Mapping[str, str]) -> None:
    """Record the fingerprints of what is installed, all or nothing."""
    interpreter = os.path.realpath(find_python(venv))
    record = {"interpreter": interpreter, "installed": dict(installed)}
    unfinished = venv / f"{RECORD}.unfinished"
    unfinished.write_text(json.dumps(record, indent=1), encoding="utf-8")
    unfinished.replace(venv / RECORD)


def find_stale(
    requirements: str, wanted: Mapping[str, str], installed: Mapping[str, str]
) -> list[str]:
    """Those of a list of requirements and the local distributions that changed.

    >>> find_stale("r.txt", {"r.txt": "1", ".": "1"}, {"r.txt": "1", ".": "0"})
    ['.']
    """
    names = [requirements, *DISTRIBUTIONS]
    return [name for name in names if installed.get(name) != wanted.get(name)]


def prepare(requirements: str, root: Path = ROOT) -> Path:
    """Bring ``.venv`` up to date and return its interpreter.

    Parameters
    ----------
    requirements
        ``"requirements.txt"`` or ``"requirements-dev.txt"``.

    Raises
    ------
    SetupError
        If the environment cannot be made or something cannot be installed.
    """
    venv = root / ".venv"
    python = find_python(venv)
    wanted = fingerprints(root)
    installed = read_record(venv)
    stale = find_stale(requirements, wanted, installed)
    if not stale:
        return python
    start = time.monotonic()
    if not installed and not _is_complete(python):
        _make(venv, root)
    (venv / RECORD).unlink(missing_ok=True)
    install = [python, "-m", "pip", "install", "--no-input"]
    if requirements in stale:
        _say(f"Installing {requirements} into .venv (takes a minute or two) ...")
        _call([*install, "-r", requirements], root)
        listed = set(LISTS[requirements])
        lists = [name for name, paths in LISTS.items() if listed.issuperset(paths)]
        done = [*lists, *DISTRIBUTIONS]
    else:
        _say(f"Installing what has changed into .venv: {', '.join(stale)} ...")
        rebuild = ["--no-deps", "--no-build-isolation", "--force-reinstall"]
        _call([*install, *rebuild, *stale], root)
        done = stale
    write_record(venv, installed | {name: wanted[name] for name in done})
    _say(f"The environment is ready after {time.monotonic() - start:.0f} s.")
    return python


def run(command: Sequence[str | Path], cwd: Path | None = None) -> int:
    """Run a command on this terminal and return its exit status.

    Ctrl-C is the command's own to handle; this waits for it to end. A command
    that a signal ended has 128 + the signal's number, as in a shell.
    """
    previous = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        status = subprocess.Popen(command, cwd=cwd).wait()
    finally:
        signal.signal(signal.SIGINT, previous)
    return status if status >= 0 else 128 - status


def main(requirements: str, arguments: Sequence[str], cwd: Path | None = None) -> int:
    """Prepare the environment, run ``python ARGUMENTS`` in it, return the status."""
    try:
        python = prepare(requirements)
    except KeyboardInterrupt:
        _say("Interrupted; the next call goes on from here.")
        return INTERRUPTED
    except SetupError as error:
        _say(str(error))
        return 1
    return run([python, *arguments], cwd)


def _is_complete(python: Path) -> bool:
    if not python.exists():
        return False
    return (
        subprocess.run([python, "-I", "-c", _CHECK], capture_output=True).returncode
        == 0
    )


def _make(venv: Path, root: Path) -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    _say(f"Making the virtual environment .venv with Python {version} ...")
    _call([sys.executable, "-m", "venv", "--clear", venv], root)


def _call(command: Sequence[str | Path], cwd: Path) -> None:
    """Run a step of the set-up; what it says is shown whole if it fails.

    On a terminal its last line is shown while it runs. In UTF-8 whatever the
    locale, for Lasagne's setup.py reads its files in the locale's encoding.
    """
    said = []
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout:
            said.append(line)
            _show_progress(line.strip())
    _show_progress("")
    if process.returncode:
        shown = " ".join(map(str, command))
        raise SetupError(
            f"{''.join(said)}\nSetting up .venv failed (exit status "
            f"{process.returncode}) in:\n    {shown}\n"
            "Once the cause is gone, call this script again."
        )


def _show_progress(line: str) -> None:
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{line[:width]:{width}}\r")
        sys.stderr.flush()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
