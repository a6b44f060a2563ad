"""scripts/reproduce and scripts/test: the environment they make, and what they run.

The slow tests work on a project of two stub distributions whose build needs
neither setuptools nor a network.
"""

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts"


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import environment

    return environment


@pytest.fixture
def python_versions(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import python_versions

    return python_versions


# The version of Python


@pytest.mark.parametrize(
    ("version", "supported"),
    [
        ((2, 7, 18, "final", 0), False),
        ((3, 10, 13, "final", 0), False),
        ((3, 11, 0, "final", 0), True),
        ((3, 14, 9, "final", 0), True),
        ((3, 15, 0, "alpha", 1), False),
        ((4, 0, 0, "final", 0), False),
    ],
)
def test_which_versions_serve(python_versions, version, supported):
    assert python_versions.is_supported(version) is supported


def test_other_version_is_told_which_serve(python_versions, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 7, 16, "final", 0))
    monkeypatch.setattr(sys, "argv", ["scripts/test", "--all"])
    with pytest.raises(SystemExit) as exit_:
        python_versions.require_supported()
    assert exit_.value.code == 2
    assert capsys.readouterr().err == (
        "This is Python 3.7; needed is one of 3.11 to 3.14.\n"
        "Call this script with one that is installed, as in:\n"
        "    python3.14 scripts/test --all\n"
    )


NEWER_SYNTAX = {
    "annotation": lambda node: (
        isinstance(node, ast.AnnAssign)
        or getattr(node, "annotation", None)
        or getattr(node, "returns", None)
    ),
    "f-string": lambda node: isinstance(node, ast.JoinedStr),
    "keyword-only argument": lambda node: getattr(node, "kwonlyargs", None),
    "named expression": lambda node: isinstance(node, ast.NamedExpr),
    "nonlocal": lambda node: isinstance(node, ast.Nonlocal),
    "raise from": lambda node: getattr(node, "cause", None),
    "star": lambda node: isinstance(node, ast.Starred),
}


def find_newer_syntax(source: str) -> set[str]:
    """What Python 2.7 cannot read, of the constructs likely to slip in."""
    nodes = list(ast.walk(ast.parse(source)))
    found = {name for name, uses in NEWER_SYNTAX.items() if any(map(uses, nodes))}
    return found if source.isascii() else {*found, "not ASCII"}


@pytest.mark.parametrize("name", ["reproduce", "test", "python_versions.py"])
def test_old_pythons_can_read_it(name):
    source = (SCRIPTS / name).read_text(encoding="utf-8")
    assert find_newer_syntax(source) == set()


@pytest.mark.parametrize(
    "source",
    [
        *("f'{x}'", "def f(x: int): 0", "def f() -> int: 0", "x: int", "[*x]"),
        *("(x := 1)", "'é'", "def f(*, x): 0", "raise x from y"),
    ],
)
def test_newer_syntax_is_found(source):
    assert find_newer_syntax(source)


def find_old_pythons() -> list[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    candidates = [f"python{version}" for version in ("2.7", "3.7", "3.10")]
    candidates += [str(path / "bin/python") for path in sorted(pyenv.glob("[23].*"))]
    check = "import sys; sys.exit(sys.version_info[:2] >= (3, 11))"

    def is_old(python: str) -> bool:
        if not shutil.which(python):
            return False
        return not subprocess.run([python, "-c", check], capture_output=True).returncode

    return [python for python in candidates if is_old(python)]


@pytest.mark.parametrize("name", ["reproduce", "test"])
def test_old_pythons_on_this_machine_are_refused(name, tmp_path):
    pythons = find_old_pythons()
    if not pythons:
        pytest.skip("no Python older than 3.11 runs here")
    shutil.copytree(SCRIPTS, tmp_path / "scripts")
    for python in pythons:
        command = [python, str(tmp_path / "scripts" / name)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (2, "")
        assert "needed is one of 3.11 to 3.14" in done.stderr


# What is up to date


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "package" / "part").mkdir(parents=True)
    (tmp_path / "package" / "a.py").write_text("a = 1\n")
    (tmp_path / "package" / "part" / "b.py").write_text("b = 1\n")
    (tmp_path / "setup.py").write_text("setup()\n")
    return tmp_path


def write(name: str, text: str):
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    "change",
    [
        write("package/a.py", "a = 2\n"),
        write("package/part/c.py", ""),
        write("setup.py", "setup() \n"),
        lambda folder: (folder / "package/a.py").unlink(),
        lambda folder: (folder / "package/a.py").rename(folder / "package/c.py"),
        lambda folder: (folder / "setup.py").unlink(),
    ],
    ids=["changed", "added", "single file", "deleted", "renamed", "single deleted"],
)
def test_fingerprint_tells_changes(environment, folder, change):
    before = environment.fingerprint(folder, ["package", "setup.py"])
    change(folder)
    assert environment.fingerprint(folder, ["package", "setup.py"]) != before


def test_fingerprint_tells_which_file_holds_what(environment, folder):
    before = environment.fingerprint(folder, ["package"])
    (folder / "package/a.py").write_text("b = 1\n")
    (folder / "package/part/b.py").write_text("a = 1\n")
    assert environment.fingerprint(folder, ["package"]) != before


def test_fingerprint_is_of_content_alone(environment, folder):
    before = environment.fingerprint(folder, ["package", "setup.py"])
    os.utime(folder / "package/a.py", (0, 0))
    (folder / "package/__pycache__").mkdir()
    (folder / "package/__pycache__/a.cpython-311.pyc").write_bytes(b"compiled")
    (folder / "README.md").write_text("not among those named")
    assert environment.fingerprint(folder, ["setup.py", "package"]) == before


def test_every_source_is_fingerprinted(environment):
    for paths in (*environment.LISTS.values(), *environment.DISTRIBUTIONS.values()):
        for path in paths:
            assert (ROOT / path).exists(), path


def test_only_what_changed_is_stale(environment):
    wanted = {"requirements.txt": "1", ".": "1", "./theano_on_pytensor": "1"}

    def find_stale(**changed):
        return environment.find_stale("requirements.txt", wanted, wanted | changed)

    assert find_stale() == []
    assert find_stale(**{".": "0"}) == ["."]
    assert find_stale(**{"requirements.txt": "0"}) == ["requirements.txt"]
    assert environment.find_stale("requirements.txt", wanted, {}) == list(wanted)


@pytest.fixture
def venv(environment, tmp_path):
    """A folder laid out as an environment, with this Python as its interpreter."""
    python = environment.find_python(tmp_path / "venv")
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return tmp_path / "venv"


def test_record_is_read_back(environment, venv):
    environment.write_record(venv, {"requirements.txt": "1"})
    assert environment.read_record(venv) == {"requirements.txt": "1"}


def test_no_record_is_known_without_a_file(environment, venv):
    assert environment.read_record(venv) == {}


def test_broken_record_is_unknown(environment, venv):
    environment.write_record(venv, {"requirements.txt": "1"})
    record = venv / environment.RECORD
    record.write_bytes(record.read_bytes()[:-2])
    assert environment.read_record(venv) == {}


def test_record_of_a_lost_interpreter_is_unknown(environment, venv):
    environment.write_record(venv, {"requirements.txt": "1"})
    environment.find_python(venv).unlink()
    assert environment.read_record(venv) == {}


def test_record_of_another_interpreter_is_unknown(environment, venv, tmp_path):
    environment.write_record(venv, {"requirements.txt": "1"})
    upgraded = tmp_path / "python"
    upgraded.touch()
    environment.find_python(venv).unlink()
    environment.find_python(venv).symlink_to(upgraded)
    assert environment.read_record(venv) == {}


# What is run


@pytest.mark.parametrize("status", [0, 3, 130])
def test_exit_status_is_passed_on(environment, status):
    command = [sys.executable, "-c", f"raise SystemExit({status})"]
    assert environment.run(command) == status


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_status_of_a_killed_command_is_that_of_a_shell(environment):
    command = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    assert environment.run(command) == 128 + signal.SIGKILL


def test_running_leaves_ctrl_c_as_it_was(environment):
    before = signal.getsignal(signal.SIGINT)
    environment.run([sys.executable, "-c", ""])
    assert signal.getsignal(signal.SIGINT) is before


# From nothing, on a stub project

BACKEND = """
import zipfile
from pathlib import Path

NAME, PACKAGES = {name!r}, {packages!r}

def build_wheel(folder, config_settings=None, metadata_directory=None):
    info = NAME + "-1.dist-info/"
    members = {{
        info + "METADATA": "Metadata-Version: 2.1\\nName: %s\\nVersion: 1\\n" % NAME,
        info + "WHEEL": "Wheel-Version: 1.0\\nGenerator: stub\\n"
        "Root-Is-Purelib: true\\nTag: py3-none-any\\n",
    }}
    for package in PACKAGES:
        for file in Path(package).rglob("*.py"):
            members[file.as_posix()] = file.read_text()
    members[info + "RECORD"] = "".join(name + ",,\\n" for name in members)
    with zipfile.ZipFile(Path(folder, NAME + "-1-py3-none-any.whl"), "w") as wheel:
        for name, text in members.items():
            wheel.writestr(name, text)
    return NAME + "-1-py3-none-any.whl"
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
EXPERIMENT = """
import sys, time
from theano import ENGINE
try:
    print("arguments", *sys.argv[1:], "engine", ENGINE, flush=True)
    time.sleep(60 if "--wait" in sys.argv else 0)
except KeyboardInterrupt:
    time.sleep(0.5)
    print("kept what there is")
    sys.exit(130)
sys.exit(3 if "--fail" in sys.argv else 0)
"""


class StubProject:
    """A project's folder with the real scripts and stubs for all else."""

    def __init__(self, root: Path):
        self.root = root
        self.elsewhere = root.parent / "elsewhere"
        self.elsewhere.mkdir()
        shutil.copytree(
            SCRIPTS, root / "scripts", ignore=shutil.ignore_patterns("__pycache__")
        )
        self._add(root, "stub_experiment", ["mnist_cnn", "pytest"])
        self._add(root / "theano_on_pytensor", "stub_engine", ["theano"])
        self.write("mnist_cnn/__main__.py", EXPERIMENT)
        self.write("pytest/__main__.py", "import sys; print('pytest', *sys.argv[1:])")
        self.write("theano_on_pytensor/theano/__init__.py", "ENGINE = 1")
        self.write("theano_on_pytensor/pytensor_nnet/__init__.py", "")
        self.write("requirements.txt", ".\n./theano_on_pytensor\n")
        self.write("requirements-dev.txt", "-r requirements.txt\n")

    def _add(self, folder: Path, name: str, packages: list[str]) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "pyproject.toml").write_text(PYPROJECT)
        (folder / "setup.py").touch()
        text = BACKEND.format(name=name, packages=packages)
        (folder / "backend.py").write_text(text)
        for package in packages:
            (folder / package).mkdir()

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_text(text)

    def start(self, script: str, *arguments: str) -> subprocess.Popen:
        """Call a script from another folder, so that it finds what is installed."""
        return subprocess.Popen(
            [sys.executable, self.root / "scripts" / script, *arguments],
            cwd=self.elsewhere,
            env={**os.environ, "PYTHONPATH": ""},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def call(self, script: str, *arguments: str) -> subprocess.CompletedProcess:
        with self.start(script, *arguments) as process:
            out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    @property
    def site_packages(self) -> Path:
        (found,) = self.root.glob(".venv/[Ll]ib/**/site-packages")
        return found


@pytest.fixture(scope="module")
def set_up(tmp_path_factory):
    project = StubProject(tmp_path_factory.mktemp("stub") / "project")
    return project, project.call("reproduce", "--epochs", "2")


@pytest.fixture
def project(set_up):
    return set_up[0]


@pytest.mark.slow
def test_first_call_makes_the_environment_and_runs(set_up):
    _, first = set_up
    assert first.stdout == "arguments reproduce --epochs 2 engine 1\n"
    assert "Making the virtual environment .venv" in first.stderr
    assert "Installing requirements.txt" in first.stderr
    assert first.returncode == 0


@pytest.mark.slow
def test_second_call_starts_at_once(project):
    start = time.monotonic()
    second = project.call("reproduce")
    assert time.monotonic() - start < 2
    assert (second.stdout, second.stderr) == ("arguments reproduce engine 1\n", "")


@pytest.mark.slow
def test_failure_is_passed_on(project):
    assert project.call("reproduce", "--fail").returncode == 3


@pytest.mark.slow
def test_changed_source_alone_is_installed_again(project):
    name = "theano_on_pytensor/theano/__init__.py"
    project.write(name, "ENGINE = 2")
    changed = project.call("reproduce")
    project.write(name, "ENGINE = 1")
    back = project.call("reproduce")
    assert changed.stdout == "arguments reproduce engine 2\n"
    assert "what has changed into .venv: ./theano_on_pytensor ..." in changed.stderr
    assert back.stdout == "arguments reproduce engine 1\n"


@pytest.mark.slow
def test_failing_installation_is_shown_whole_and_tried_again(project):
    project.write("requirements.txt", ".\n./theano_on_pytensor\n./no_such_folder\n")
    failed = project.call("reproduce")
    project.write("requirements.txt", ".\n./theano_on_pytensor\n")
    repaired = project.call("reproduce")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "no_such_folder" in failed.stderr
    assert "Setting up .venv failed" in failed.stderr
    assert (repaired.returncode, repaired.stdout) == (
        0,
        "arguments reproduce engine 1\n",
    )


def lose_record(project: StubProject) -> None:
    (record,) = project.root.glob(".venv/mnist-cnn-installed.json")
    record.unlink()


def lose_pip(project: StubProject) -> None:
    lose_record(project)
    for path in project.site_packages.glob("pip*"):
        shutil.rmtree(path)


def break_off_installation(project: StubProject) -> None:
    lose_record(project)
    (project.site_packages / "stub_engine-1.dist-info" / "RECORD").unlink()


def lose_interpreter(project: StubProject) -> None:
    for python in project.root.glob(".venv/*/python*"):
        if not python.is_dir():
            python.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("damage", [lose_pip, break_off_installation, lose_interpreter])
def test_broken_environment_is_made_anew(project, damage):
    damage(project)
    repaired = project.call("reproduce")
    assert "Making the virtual environment .venv" in repaired.stderr
    assert (repaired.returncode, repaired.stdout) == (
        0,
        "arguments reproduce engine 1\n",
    )


@pytest.mark.slow
def test_environment_of_another_hand_is_completed(project):
    lose_record(project)
    completed = project.call("reproduce")
    assert "Making the virtual environment" not in completed.stderr
    assert "Installing requirements.txt" in completed.stderr
    assert completed.stdout == "arguments reproduce engine 1\n"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_lets_the_run_keep_what_there_is(project):
    with project.start("reproduce", "--wait") as process:
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "kept what there is\n")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_while_setting_up_is_made_good(project):
    shutil.rmtree(project.root / ".venv")
    with project.start("reproduce") as process:
        process.stderr.readline()
        while not (project.root / ".venv").exists():
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.endswith("Interrupted; the next call goes on from here.\n")
    assert project.call("reproduce").stdout == "arguments reproduce engine 1\n"


@pytest.mark.slow
def test_tests_leave_out_what_is_slow_unless_asked(project):
    project.call("test")
    assert project.call("test").stdout == "pytest -m not slow\n"
    assert project.call("test", "--all").stdout == "pytest\n"
    assert project.call("test", "-k", "x").stdout == "pytest -m not slow -k x\n"


@pytest.mark.slow
def test_development_environment_serves_reproduce_too(project):
    project.call("test")
    assert project.call("reproduce").stderr == ""
