"""Who may know whom: each rule of the design is a test.

A scanner reads the imports of every module from its source: at the top or inside
a function, absolute or relative, ``import_module`` and ``__import__`` among them.
"""

import ast
import sys
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENGINE = ROOT / "theano_on_pytensor"
COMPUTED = "<computed at run time>"


@dataclass(frozen=True, order=True)
class Import:
    """``module`` (in dots) imports ``name`` (in dots) at ``line``."""

    module: str
    name: str
    line: int

    def __str__(self) -> str:
        return f"{self.module}, line {self.line}: {self.name}"


def name_module(file: Path, root: Path) -> str:
    """``a.b`` for ``a/b.py`` and for ``a/b/__init__.py``."""
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def name_package(file: Path, root: Path) -> list[str]:
    """The package whose names a single leading dot means in this file."""
    return list(file.relative_to(root).parent.parts)


def read_imports(file: Path, root: Path) -> Iterator[Import]:
    """Every import of a file; ``from a import b`` is one of ``a.b``."""
    module, package = name_module(file, root), name_package(file, root)

    def resolve(level: int, name: str) -> str:
        above = package[: len(package) - level + 1] if level else []
        return ".".join([*above, *filter(None, [name])])

    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = resolve(node.level, node.module or "")
            names = [f"{source}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and name_called(node) in IMPORTERS:
            argument = node.args[0] if node.args else None
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                tail = argument.value.lstrip(".")
                names = [resolve(len(argument.value) - len(tail), tail)]
            else:
                names = [COMPUTED]
        else:
            continue
        yield from (Import(module, name, node.lineno) for name in names)


IMPORTERS = {"import_module", "__import__"}


def name_called(call: ast.Call) -> str:
    """``f`` for both ``f(...)`` and ``a.f(...)``."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def list_files(root: Path, *packages: str) -> list[Path]:
    """The files of packages and modules, named in dots; there is at least one each."""
    found = []
    for package in packages:
        path = root.joinpath(*package.split("."))
        files = sorted(path.rglob("*.py")) or [path.with_suffix(".py")]
        assert all(file.is_file() for file in files), f"nothing to read for {package}"
        found += files
    return found


def scan(root: Path, *packages: str) -> list[Import]:
    files = list_files(root, *packages)
    return [found for file in files for found in read_imports(file, root)]


def is_within(name: str, packages: Iterable[str]) -> bool:
    """Whether a dotted name is one of the packages or lies in one."""
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def find_forbidden(imports: Iterable[Import], packages: Iterable[str]) -> list[str]:
    return [str(found) for found in imports if is_within(found.name, packages)]


def find_foreign(imports: Iterable[Import], packages: Iterable[str]) -> list[str]:
    """Imports of neither the standard library nor the packages."""
    known = [*sys.stdlib_module_names, *packages]
    return [str(found) for found in imports if not is_within(found.name, known)]


# The experiment

BY_HAND, LAYER_INFO = "mnist_cnn.by_hand", "mnist_cnn.layer_info"


def test_by_hand_knows_the_standard_library_alone():
    assert find_foreign(scan(ROOT, BY_HAND), [BY_HAND]) == []


# Not output_shape, which a row of the table has too, nor get_output_shape_for: that a
# class has its own says that a base's rule does not hold for it. The test after the
# next one hides Lasagne's.
RESULTS_OF_LASAGNE = {
    "count_params",
    "get_all_param_values",
    "get_output",
    "get_output_for",
    "get_output_shape",
    "get_value",
}


def find_names(file: Path, names: set[str]) -> list[str]:
    """Attributes, variables and whole strings (as for ``getattr``) of a file."""
    found = []
    for node in ast.walk(ast.parse(file.read_bytes())):
        match node:
            case (
                ast.Attribute(attr=name) | ast.Name(id=name) | ast.Constant(value=name)
            ):
                if isinstance(name, str) and name in names:
                    found.append(f"{file.name}, line {node.lineno}: {name}")
    return found


def test_by_hand_reads_no_result_of_lasagne():
    files = list_files(ROOT, BY_HAND)
    assert [one for file in files for one in find_names(file, RESULTS_OF_LASAGNE)] == []


def hide_results(layer, monkeypatch) -> None:
    """Leave a Lasagne layer its hyper-parameters; its weights say nothing."""
    stand_ins = {id(weights): object() for weights in layer.params}
    for name, value in list(vars(layer).items()):
        if id(value) in stand_ins:
            monkeypatch.setattr(layer, name, stand_ins[id(value)])
    tags = [(stand_ins[id(weights)], tags) for weights, tags in layer.params.items()]
    monkeypatch.setattr(layer, "params", OrderedDict(tags))

    def refuse(layer):
        raise AssertionError(f"by_hand read the output shape of {layer.name}")

    monkeypatch.setattr(type(layer), "output_shape", property(refuse), raising=False)
    monkeypatch.setattr(type(layer), "input_shape", property(refuse), raising=False)
    monkeypatch.setattr(type(layer), "get_output_shape_for", refuse)


def test_by_hand_gets_along_without_lasagnes_results(monkeypatch):
    from mnist_cnn import build_network, by_hand

    net = build_network(verbose=0)
    net.initialize()
    for layer in net.layers_.values():
        hide_results(layer, monkeypatch)
    assert by_hand.table(net).total == 217_706
    assert by_hand.table(net.layers_["output"]).total == 217_706


def test_layer_info_asks_nolearn_alone():
    allowed = ["lasagne", "nolearn", "mnist_cnn.errors"]
    assert find_foreign(scan(ROOT, LAYER_INFO), allowed) == []


def test_comparison_is_the_only_room_where_the_two_meet():
    meeting = set()
    for file in list_files(ROOT, "mnist_cnn"):
        names = [found.name for found in read_imports(file, ROOT)]
        if all(
            any(is_within(n, [one]) for n in names) for one in (BY_HAND, LAYER_INFO)
        ):
            meeting.add(name_module(file, ROOT))
    # The package itself only hands out what its modules offer.
    assert meeting - {"mnist_cnn"} == {"mnist_cnn.comparison"}


def test_modules_do_not_import_from_the_package_that_hands_them_out():
    modules = {name_module(file, ROOT) for file in list_files(ROOT, "mnist_cnn")}
    allowed = modules | {"mnist_cnn.__version__"}
    inner = [one for one in scan(ROOT, "mnist_cnn") if one.module != "mnist_cnn"]
    ours = [one for one in inner if is_within(one.name, ["mnist_cnn"])]
    assert [str(one) for one in ours if one.name.count(".") == 1] == [
        str(one) for one in ours if one.name.count(".") == 1 and one.name in allowed
    ]


def test_experiment_knows_pytensor_by_theano_alone():
    forbidden = ["pytensor", "pytensor_nnet"]
    assert find_forbidden(scan(ROOT, "mnist_cnn"), forbidden) == []


def test_only_the_package_itself_computes_what_it_imports():
    computed = [one for one in scan(ROOT, "mnist_cnn") if one.name == COMPUTED]
    assert {one.module for one in computed} <= {"mnist_cnn"}


# The engine


def test_engine_knows_nothing_above_it():
    imports = scan(ENGINE, "theano", "pytensor_nnet")
    assert find_forbidden(imports, ["lasagne", "nolearn", "mnist_cnn"]) == []


def test_numerics_do_not_know_theano():
    assert find_forbidden(scan(ENGINE, "pytensor_nnet"), ["theano"]) == []


def test_kernels_know_arrays_alone():
    forbidden = ["pytensor", *(f"pytensor_nnet.{name}" for name in ("ops", "rewrites"))]
    imports = scan(ENGINE, "pytensor_nnet.kernels")
    assert find_forbidden(imports, forbidden) == []


def test_ops_do_not_know_the_rewrites():
    imports = scan(ENGINE, "pytensor_nnet.ops")
    assert find_forbidden(imports, ["pytensor_nnet.rewrites"]) == []


def test_numerics_compute_no_import():
    assert find_forbidden(scan(ENGINE, "pytensor_nnet"), [COMPUTED]) == []


# The scripts


def read_script(name: str) -> list[Import]:
    return list(read_imports(ROOT / "scripts" / name, ROOT / "scripts"))


@pytest.mark.parametrize(
    "name", ["environment.py", "python_versions.py", "reproduce", "test"]
)
def test_scripts_that_install_know_the_standard_library_alone(name):
    assert find_foreign(read_script(name), ["environment", "python_versions"]) == []


def test_question_takes_nothing_but_the_data():
    ours = [
        one for one in read_script("question.py") if is_within(one.name, ["mnist_cnn"])
    ]
    assert {one.name for one in ours} <= {
        "mnist_cnn.load_mnist",
        "mnist_cnn.dataset.load_mnist",
    }


# Printing


def find_printing(file: Path) -> list[int]:
    """The lines that print, or write to the process's own streams."""
    lines = []
    for node in ast.walk(ast.parse(file.read_bytes())):
        match node:
            case ast.Call(func=ast.Name(id="print")):
                lines.append(node.lineno)
            case ast.Attribute(
                value=ast.Attribute(value=ast.Name(id="sys"), attr="stdout" | "stderr"),
                attr="write" | "writelines" | "buffer",
            ):
                lines.append(node.lineno)
    return lines


def find_printers(root: Path, *packages: str) -> set[str]:
    files = list_files(root, *packages)
    return {name_module(file, root) for file in files if find_printing(file)}


def test_nothing_of_the_experiment_prints_but_its_command_line():
    assert find_printers(ROOT, "mnist_cnn") <= {"mnist_cnn.cli"}


def test_numerics_print_nothing():
    assert find_printers(ENGINE, "pytensor_nnet") == set()


# The scanner catches what it is for


@pytest.fixture
def plant(tmp_path):
    """Write a module of a tree that has otherwise no import, and scan the tree."""

    def scan_planted(name: str, source: str) -> set[str]:
        for file in ("house/__init__.py", "house/cellar/__init__.py", name):
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(source if file == name else "", "utf-8")
        return {found.name for found in scan(tmp_path, "house")}

    return scan_planted


@pytest.mark.parametrize(
    ("source", "imported"),
    [
        ("import attic", "attic"),
        ("import attic.box as box", "attic.box"),
        ("from attic import box", "attic.box"),
        ("from attic import *", "attic.*"),
        ("def f():\n    import attic", "attic"),
        ("class A:\n    def f(self):\n        from attic import box", "attic.box"),
        ("if TYPE_CHECKING:\n    import attic", "attic"),
        ("try:\n    import attic\nexcept ImportError:\n    pass", "attic"),
        ("importlib.import_module('attic.box')", "attic.box"),
        ("import_module('attic')", "attic"),
        ("lambda: __import__('attic')", "attic"),
        ("importlib.import_module('.stairs', __package__)", "house.cellar.stairs"),
        ("importlib.import_module(name)", COMPUTED),
        ("from . import stairs", "house.cellar.stairs"),
        ("from .stairs import step", "house.cellar.stairs.step"),
        ("from .. import roof", "house.roof"),
        ("from ..roof import tile", "house.roof.tile"),
    ],
)
def test_scanner_finds_every_form_of_import(plant, source, imported):
    assert imported in plant("house/cellar/wine.py", source)


def test_scanner_resolves_dots_from_a_package_itself(plant):
    assert plant("house/cellar/__init__.py", "from . import wine") == {
        "house.cellar.wine"
    }


@pytest.mark.parametrize("source", ["def f():\n    from attic import box", ""])
def test_rules_report_a_planted_violation_alone(tmp_path, plant, source):
    plant("house/cellar/wine.py", source)
    imports = scan(tmp_path, "house.cellar")
    reported = ["house.cellar.wine, line 2: attic.box"] if source else []
    assert find_forbidden(imports, ["attic"]) == reported
    assert find_foreign(imports, ["house"]) == reported


def test_scanner_refuses_to_scan_nothing(tmp_path):
    with pytest.raises(AssertionError, match="nothing to read for house"):
        scan(tmp_path, "house")


def test_a_name_is_not_within_another_that_it_starts_with():
    assert is_within("theano.tensor", ["theano"])
    assert is_within("theano", ["theano"])
    assert not is_within("theanova", ["theano"])
    assert not is_within("theano", ["theano.tensor"])


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("print('x')", [1]),
        ("def f():\n    print('x', file=g)", [2]),
        ("import sys\nsys.stderr.write('x')", [2]),
        ("printed = fingerprint('print')", []),
        ("stream.write('x')", []),
    ],
)
def test_printing_is_found(tmp_path, source, lines):
    (tmp_path / "module.py").write_text(source)
    assert find_printing(tmp_path / "module.py") == lines


@pytest.mark.parametrize(
    "source", ["lasagne.layers.get_output_shape(x)", "getattr(weights, 'get_value')"]
)
def test_results_of_lasagne_are_found(tmp_path, source):
    (tmp_path / "module.py").write_text(source)
    assert find_names(tmp_path / "module.py", RESULTS_OF_LASAGNE)
