"""What the command line names: files, standard input, words, variables of programs."""

import io

import pytest

from mnist_cnn import by_hand
from mnist_cnn.by_hand.read_source import read_source

CODE = "l = DenseLayer(InputLayer((None, 7)), 3)\n"
PROGRAM = """\
import sys
from pathlib import Path
from lasagne.layers import DenseLayer, InputLayer
from nolearn.lasagne import NeuralNet
from beside import UNITS

Path("ran").write_text(__name__)
l_out = DenseLayer(InputLayer((None, 7), name='in'), UNITS, name='out')
outputs = [l_out]
net = NeuralNet([('in', InputLayer), ('out', DenseLayer)],
                in_shape=(None, 7), out_num_units=UNITS, update=None)
pairs = [(InputLayer, {'shape': (None, 7), 'name': 'in'}),
         (DenseLayer, {'num_units': UNITS, 'name': 'out'})]
number = 7


def build():
    return l_out


def fail():
    raise RuntimeError("no data")


def stop():
    sys.exit("no data")
"""


def table_of(source, name=None, **options):
    return by_hand.calculate(read_source(source, name, **options))


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "beside.py").write_text("UNITS = 3\n", encoding="utf-8")
    return tmp_path


def test_a_file():
    assert table_of("net.py").total == (7 + 1) * 3


def test_standard_input():
    table = table_of("-", standard_input=io.BytesIO(CODE.encode()))
    assert table.total == (7 + 1) * 3


@pytest.mark.parametrize(
    "text",
    [
        "7 dense3",
        "7\ndense3",
        '[["InputLayer", {"shape": [null, 7]}], ["DenseLayer", {"num_units": 3}]]',
        "[(InputLayer, {'shape': (None, 7)}), (DenseLayer, {'num_units': 3})]",
        f"\n{CODE}",
    ],
)
def test_text_in_place_of_a_file(text):
    assert table_of(text).total == (7 + 1) * 3


@pytest.mark.parametrize(("name", "total"), [(None, 217_706), ("blog", 160_362)])
def test_without_a_file_it_is_one_of_the_two(name, total):
    assert table_of(None, name).total == total


def test_sizes_and_values_are_read():
    code = "l = DenseLayer(InputLayer(shape, name='in'), args.units)\n"
    table = table_of(
        "-",
        standard_input=io.BytesIO(code.encode()),
        input_sizes=["in=7"],
        definitions=["args.units=3"],
    )
    assert table.total == (7 + 1) * 3
    assert table_of(None, input_sizes=["1x32x32"]).rows[0].size == (1, 32, 32)


@pytest.mark.parametrize("variable", ["l_out", "outputs", "net", "pairs", "build"])
def test_a_variable_of_a_program_that_is_run(own_folder, variable):
    table = table_of(f"program.py:{variable}", input_sizes=["in=9"])
    assert [row.name for row in table] == ["in", "out"]
    assert table.total == (9 + 1) * 3
    # Not as the main program.
    assert (own_folder / "ran").read_text() == "program"


def test_a_file_alone_is_not_run(own_folder):
    with pytest.raises(by_hand.DescriptionError):
        table_of("program.py")
    assert not (own_folder / "ran").exists()


@pytest.mark.parametrize(
    ("source", "options", "told"),
    [
        ("program.py:nothing", {}, "program.py:nothing: it has no nothing, but"),
        ("program.py:number", {}, "got a int, where a network is needed"),
        ("program.py:fail", {}, "running it ended with RuntimeError: no data"),
        ("program.py:stop", {}, "running it ended with SystemExit: no data"),
        ("absent.py:net", {}, "absent.py:net: there is no such file"),
        ("absent.py", {}, "absent.py: there is no such file, and the short form"),
        ("", {}, "cannot be read: |there is no such file"),
        (".", {}, "cannot be read: "),
        ("x" * 10_000, {}, "there is no such file"),
        ("net\0.py", {}, "there is no such file|NUL"),
        ("net.py", {"name": "m"}, "net.py: it holds no network called 'm': it has l"),
        ("net.py", {"input_sizes": ["7x"]}, "got '7x', where sizes are needed"),
        ("net.py", {"input_sizes": ["m=7"]}, "no input layer called 'm'"),
        ("net.py", {"definitions": ["n"]}, "got 'n', where a name and a value"),
        ("net.py", {"definitions": ["n=f()"]}, "where a name and a value are needed"),
        ("net.py", {"definitions": ["1=2"]}, "where a name and a value are needed"),
        ("net.py", {"lasagne": "2"}, "no rules for Lasagne '2'"),
        (None, {"name": "lenet"}, "no network 'lenet'; .* blog and question"),
        ("1x8x8 cov3", {}, "word 2, 'cov3': there is no cov: did you mean conv"),
    ],
)
def test_what_cannot_be_is_told(source, options, told):
    with pytest.raises(by_hand.DescriptionError, match=told) as caught:
        table_of(source, **options)
    assert len(str(caught.value)) < 12_000


def test_a_program_that_needs_what_is_not_installed(own_folder):
    (own_folder / "needs.py").write_text("import no_such_package\n", encoding="utf-8")
    with pytest.raises(by_hand.DescriptionError, match="the package no_such_package"):
        table_of("needs.py:net")
