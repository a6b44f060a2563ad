"""Networks from the code of notebooks."""

import json

import pytest

from mnist_cnn import by_hand
from mnist_cnn.by_hand.read_source import read_source
from mnist_cnn.by_hand.read_text import read_text

CELLS = [
    ("markdown", "# A network\n\nl = DenseLayer(l, 3)"),
    ("code", "%matplotlib inline\nimport lasagne.layers as L"),
    ("code", "%%bash\nfor file in *; do echo $file; done"),
    ("code", "l = L.InputLayer((None, 7))\nl = L.DenseLayer(l, 5)"),
    ("code", "%%time\nl = L.DenseLayer(l, 2)\nl.get_params?"),
]
TOTAL = (7 + 1) * 5 + (5 + 1) * 2


def format_4(cells, language="python"):
    return {
        "cells": [
            {
                "cell_type": kind,
                "metadata": {},
                "source": source.splitlines(keepends=True),
                "outputs": [{"data": {"text/plain": "l = DenseLayer(l, 9)"}}],
            }
            for kind, source in cells
        ],
        "metadata": {"kernelspec": {"language": language}},
        "nbformat": 4,
        "nbformat_minor": 2,
    }


def format_3(cells):
    return {
        "metadata": {"name": ""},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [
            {
                "cells": [
                    {"cell_type": kind, "input": source, "language": "python"}
                    for kind, source in cells
                ]
            }
        ],
    }


@pytest.mark.parametrize("make", [format_3, format_4])
def test_the_code_of_all_cells_is_read(make):
    notebook = json.dumps(make(CELLS), indent=1)
    table = by_hand.calculate(read_text(notebook))
    assert [row.type for row in table] == ["InputLayer", "DenseLayer", "DenseLayer"]
    assert table.total == TOTAL


def test_a_file_may_hold_large_pictures(tmp_path):
    path = tmp_path / "net.ipynb"
    notebook = format_4(CELLS)
    notebook["cells"][1]["outputs"] = [{"data": {"image/png": "iVBOR" * 300_000}}]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert path.stat().st_size > 1_000_000
    assert by_hand.calculate(read_source(str(path))).total == TOTAL


@pytest.mark.parametrize(
    ("notebook", "told"),
    [
        (format_4(CELLS, "julia"), "a notebook in julia, not in Python"),
        (format_4(CELLS[:1]), "without a cell of Python code"),
        (format_4([("code", "x = 3")]), "makes no layer of Lasagne"),
        (
            format_4([("code", "x = 3"), ("code", "DenseLayer(InputLayer(s), 3)")]),
            "line 2, DenseLayer.*: s is not defined in this text",
        ),
        ({"nbformat": 4, "cells": [3, {"cell_type": "code", "source": 3}]}, "without"),
        ({"nbformat": 4, "cells": 3}, "without"),
        ([{"nbformat": 4}], "without"),
    ],
)
def test_what_is_wrong_is_told(notebook, told):
    with pytest.raises(by_hand.HandCalculationError, match=told):
        by_hand.calculate(read_text(json.dumps(notebook)))


def test_a_file_that_is_no_notebook_is_told_so(tmp_path):
    path = tmp_path / "net.ipynb"
    path.write_text("l = 3", encoding="utf-8")
    with pytest.raises(by_hand.DescriptionError, match=r"net\.ipynb: .*no notebook"):
        read_source(str(path))
    path.write_text("[" * 200_000, encoding="utf-8")
    with pytest.raises(by_hand.DescriptionError, match="too deeply|no notebook"):
        read_source(str(path))
