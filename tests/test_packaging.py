"""The two distributions: what is in them, what they ask for, what is pinned."""

import ast
import runpy
import shutil
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
ENGINE = ROOT / "theano_on_pytensor"
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = ("linux", "darwin", "win32")
DISTRIBUTION_OF = {"PIL": "pillow", "sklearn": "scikit-learn", "theano": "Theano"}

# theano.compat serves sklearn's old modules to programs that have sklearn, which
# brings joblib.
OPTIONAL = {"theano": {"joblib", "sklearn"}}


def copy_sources(root: Path, packages: list[str], destination: Path) -> Path:
    """What a wheel is built from, without an earlier build."""
    destination.mkdir()
    for file in root.iterdir():
        if file.is_file():
            shutil.copy(file, destination)
    ignored = shutil.ignore_patterns("__pycache__")
    for package in packages:
        shutil.copytree(root / package, destination / package, ignore=ignored)
    return destination


def build_wheel(sources: Path) -> Path:
    """Build with the installed setuptools, as pip without isolation does."""
    code = "from setuptools.build_meta import build_wheel; build_wheel('dist')"
    subprocess.run([sys.executable, "-c", code], cwd=sources, check=True)
    (wheel,) = (sources / "dist").glob("*.whl")
    return wheel


def read_member(wheel: Path, pattern: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if PurePosixPath(n).match(pattern))
        return archive.read(name).decode("utf-8")


def list_members(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def list_sources(root: Path, packages: list[str]) -> set[str]:
    return {
        file.relative_to(root).as_posix()
        for package in packages
        for file in (root / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def read_pins(name: str) -> tuple[list[str], list[Requirement]]:
    """The local paths and the requirements of a requirements file."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    entries = [line for line in lines if line and not line.startswith(("#", "-r"))]
    local = [entry for entry in entries if entry.startswith(".")]
    return local, [Requirement(entry) for entry in entries if entry not in local]


def pinned_versions(name: str, python: str, platform: str) -> dict[str, list[str]]:
    environment = {"python_version": python, "sys_platform": platform}
    pinned: dict[str, list[str]] = {}
    for pin in read_pins(name)[1]:
        if pin.marker is None or pin.marker.evaluate(environment):
            (specifier,) = pin.specifier
            assert specifier.operator == "==", pin
            pinned.setdefault(canonicalize_name(pin.name), []).append(specifier.version)
    return pinned


def imported_distributions(package: Path) -> set[str]:
    """The distributions outside the standard library that a package imports."""
    roots = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                roots |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                roots.add(node.module.partition(".")[0])
    roots -= sys.stdlib_module_names | OPTIONAL.get(package.name, set())
    roots -= {"mnist_cnn"} if package.name == "mnist_cnn" else set()
    return {canonicalize_name(DISTRIBUTION_OF.get(root, root)) for root in roots}


@pytest.fixture(scope="module")
def experiment_wheel(tmp_path_factory):
    sources = tmp_path_factory.mktemp("experiment") / "sources"
    return build_wheel(copy_sources(ROOT, ["mnist_cnn"], sources))


@pytest.fixture(scope="module")
def engine_wheel(tmp_path_factory):
    sources = tmp_path_factory.mktemp("engine") / "sources"
    return build_wheel(copy_sources(ENGINE, ["theano", "pytensor_nnet"], sources))


@pytest.fixture(scope="module")
def experiment(experiment_wheel) -> Message:
    return Parser().parsestr(read_member(experiment_wheel, "*.dist-info/METADATA"))


@pytest.fixture(scope="module")
def engine(engine_wheel) -> Message:
    return Parser().parsestr(read_member(engine_wheel, "*.dist-info/METADATA"))


def requirements_of(metadata: Message) -> dict[str, SpecifierSet]:
    asked = [Requirement(text) for text in metadata.get_all("Requires-Dist")]
    return {canonicalize_name(one.name): one.specifier for one in asked}


def test_experiment_ships_its_package_and_nothing_else(experiment_wheel):
    assert list_members(experiment_wheel) == list_sources(ROOT, ["mnist_cnn"])


def test_engine_ships_its_two_packages_and_nothing_else(engine_wheel):
    expected = list_sources(ENGINE, ["theano", "pytensor_nnet"])
    assert list_members(engine_wheel) == expected


def test_experiment_has_one_version(experiment):
    import mnist_cnn

    assert experiment["Name"] == "mnist-cnn"
    assert experiment["Version"] == mnist_cnn.__version__


def test_engine_says_that_it_is_not_the_genuine_theano(engine):
    assert (engine["Name"], engine["Version"]) == ("Theano", "1.0.5+pytensor")


def test_experiment_never_takes_the_genuine_theano(experiment):
    theano = requirements_of(experiment)["theano"]
    assert theano.contains("1.0.5+pytensor")
    assert not theano.contains("1.0.5")


def test_experiment_takes_the_packages_of_2015(experiment):
    asked = requirements_of(experiment)
    assert (str(asked["lasagne"]), str(asked["nolearn"])) == ("==0.1", "==0.6.1")


def test_experiment_has_its_command(experiment_wheel):
    entry_points = read_member(experiment_wheel, "*.dist-info/entry_points.txt")
    assert "mnist-cnn = mnist_cnn.cli:main" in entry_points.splitlines()


@pytest.mark.parametrize("name", ["LICENSE", "NOTICE"])
def test_experiment_ships_its_licence(experiment_wheel, name):
    with zipfile.ZipFile(experiment_wheel) as archive:
        members = [PurePosixPath(member).name for member in archive.namelist()]
    assert members.count(name) == 1


def test_both_distributions_have_one_licence():
    ours, engines = ROOT / "LICENSE", ENGINE / "LICENSE"
    assert engines.read_bytes() == ours.read_bytes()


def test_scripts_know_the_supported_pythons():
    versions = runpy.run_path(str(ROOT / "scripts" / "python_versions.py"))
    limits = (versions["name"](versions[limit]) for limit in ("OLDEST", "NEWEST"))
    assert tuple(limits) == (SUPPORTED[0], SUPPORTED[-1])


@pytest.mark.parametrize("distribution", ["experiment", "engine"])
def test_distributions_know_the_supported_pythons(distribution, request):
    metadata = request.getfixturevalue(distribution)
    allowed = SpecifierSet(metadata["Requires-Python"])
    released = [f"3.{minor}" for minor in range(30)]
    assert tuple(one for one in released if one in allowed) == SUPPORTED
    prefix = "Programming Language :: Python :: "
    named = {text for text in metadata.get_all("Classifier") if prefix in text}
    assert named == {prefix + one for one in ("3 :: Only", *SUPPORTED)}


@pytest.mark.parametrize("python", SUPPORTED)
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_is_pinned_once(name, python, platform):
    pinned = pinned_versions(name, python, platform)
    assert pinned
    assert {one: pins for one, pins in pinned.items() if len(pins) != 1} == {}


@pytest.mark.parametrize("python", SUPPORTED)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_pins_are_what_the_distributions_ask_for(experiment, engine, python, platform):
    pinned = pinned_versions("requirements.txt", python, platform)
    pinned["theano"] = [engine["Version"]]
    for metadata in (experiment, engine):
        for name, asked in requirements_of(metadata).items():
            assert asked.contains(pinned[name][0]), name


def test_requirements_install_both_distributions():
    assert read_pins("requirements.txt")[0] == [".", "./theano_on_pytensor"]


def test_development_includes_what_the_project_runs_on():
    text = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    assert "-r requirements.txt" in text.splitlines()


def test_experiment_asks_for_all_that_it_imports(experiment):
    imported = imported_distributions(ROOT / "mnist_cnn")
    assert imported <= requirements_of(experiment).keys()


def test_engine_asks_for_all_that_it_imports(engine):
    imported = imported_distributions(ENGINE / "pytensor_nnet")
    imported |= imported_distributions(ENGINE / "theano")
    assert imported - {"theano", "pytensor-nnet"} <= requirements_of(engine).keys()


@pytest.mark.parametrize(
    ("root", "package", "module", "version"),
    [
        (ROOT, "mnist_cnn", "__init__.py", '__version__ = "1"'),
        (ENGINE, "theano", "version.py", 'version = "1"'),
    ],
)
def test_deleted_module_does_not_come_back(tmp_path, root, package, module, version):
    sources = copy_sources(root, [], tmp_path / "sources")
    (sources / package).mkdir()
    for name in ("__init__.py", "deleted.py", module):
        (sources / package / name).touch()
    (sources / package / module).write_text(version, encoding="utf-8")
    assert f"{package}/deleted.py" in list_members(build_wheel(sources))
    (sources / package / "deleted.py").unlink()
    assert f"{package}/deleted.py" not in list_members(build_wheel(sources))
