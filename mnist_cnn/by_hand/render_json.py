"""The table as JSON, and back: all of it, each formula with its symbols and numbers.

``table.schema.json``, beside this module, is the JSON Schema of the form. ``version``
counts up when a reader of the form before would go wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .columns import Cell, Column
from .errors import DescriptionError, HandCalculationError
from .formula import Formula, SizeFormula
from .rows import Row, Table, Tensor
from .windows import Unknown, Window, Windows

FORM = "mnist-cnn table"
VERSION = 1


def render_json(
    table: Table, columns: Sequence[Column] = (), *, parameters: bool = True
) -> str:
    """The table and its columns as JSON; the tensors are always there."""
    return json.dumps(table_to_data(table, columns), indent=2, ensure_ascii=False)


def table_to_data(table: Table, columns: Sequence[Column] = ()) -> dict[str, Any]:
    """The same as lists and dicts."""
    return {
        "form": FORM,
        "version": VERSION,
        "lasagne": table.lasagne,
        "total": table.total,
        "not_trainable": table.non_trainable_total,
        "layers": [_row_to_data(row) for row in table],
        "columns": [_column_to_data(column) for column in columns],
    }


def parse_json(text: str) -> tuple[Table, tuple[Column, ...]]:
    """The table and the columns that :func:`render_json` wrote.

    Every formula is computed anew and must come to the number written.

    Raises
    ------
    DescriptionError
        If the text is no such JSON, or of another version.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DescriptionError(f"this is not JSON: {error}") from None
    form = data.get("form") if isinstance(data, dict) else None
    if form != FORM:
        raise DescriptionError(
            f'this JSON holds no table: needed is "form": "{FORM}", got {form!r}'
        )
    if data.get("version") != VERSION:
        raise DescriptionError(
            f"this table has the version {data.get('version')!r}, needed is {VERSION}"
        )
    try:
        rows = tuple(_row_from_data(row) for row in data["layers"])
        columns = tuple(_column_from_data(column) for column in data["columns"])
        return Table(rows, data["lasagne"]), columns
    except HandCalculationError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__} {error}"
        raise DescriptionError(
            f"this table is not as the schema has it: {reason}"
        ) from (error)


# Formulas


def formula_to_data(formula: Formula) -> dict[str, Any]:
    """Its symbols, their numbers, and what it shows and comes to."""
    return {
        "symbols": formula.symbolic,
        "values": {
            symbol: formula_to_data(value) if isinstance(value, Formula) else value
            for symbol, value in formula.values.items()
        },
        "numbers": str(formula),
        "result": formula.value,
    }


def _formula_from_data(data: Mapping[str, Any]) -> Formula:
    values = {
        symbol: _formula_from_data(value) if isinstance(value, dict) else value
        for symbol, value in data["values"].items()
    }
    formula = Formula(data["symbols"], **values)
    if (str(formula), formula.value) != (data["numbers"], data["result"]):
        raise DescriptionError(
            f"the formula {formula} comes to {formula.value}, and the table says "
            f"{data['numbers']} and {data['result']}"
        )
    return formula


def _or_unknown(data: Any) -> Unknown | None:
    if isinstance(data, dict) and "unknown" in data:
        return Unknown(data["unknown"])
    return None


# Rows


def _row_to_data(row: Row) -> dict[str, Any]:
    return {
        "index": row.index,
        "name": row.name,
        "type": row.type,
        "inputs": list(row.inputs),
        "sources": list(row.sources),
        "input_shapes": [_list(shape) for shape in row.input_shapes],
        "output_shape": _list(row.output_shape),
        "size_formulas": [formula_to_data(axis) for axis in row.size_formula.axes],
        "size_is_obvious": row.size_formula.obvious,
        "parameters": row.parameters,
        "parameter_formula": formula_to_data(row.parameter_formula),
        "not_trainable": row.non_trainable,
        "unknown_because": row.unknown_because,
        "connections": {"unknown": row.connections.because}
        if isinstance(row.connections, Unknown)
        else formula_to_data(row.connections),
        "windows": {"unknown": row.windows.because}
        if isinstance(row.windows, Unknown)
        else [[_window_to_data(one) for one in axis] for axis in row.windows],
        "tensors": [
            {
                "name": tensor.name,
                "shape": list(tensor.shape),
                "count": tensor.count,
                "trainable": tensor.trainable,
                "shared_with": tensor.shared_with,
            }
            for tensor in row.tensors
        ],
    }


def _row_from_data(data: Mapping[str, Any]) -> Row:
    return Row(
        index=data["index"],
        name=data["name"],
        type=data["type"],
        output_shape=_tuple(data["output_shape"]),
        size_formula=SizeFormula(
            map(_formula_from_data, data["size_formulas"]),
            obvious=data["size_is_obvious"],
        ),
        parameters=data["parameters"],
        parameter_formula=_formula_from_data(data["parameter_formula"]),
        tensors=tuple(
            Tensor(
                one["name"], tuple(one["shape"]), one["trainable"], one["shared_with"]
            )
            for one in data["tensors"]
        ),
        inputs=tuple(data["inputs"]),
        unknown_because=data["unknown_because"],
        sources=tuple(data["sources"]),
        input_shapes=tuple(map(_tuple, data["input_shapes"])),
        connections=_or_unknown(data["connections"])
        or _formula_from_data(data["connections"]),
        windows=_or_unknown(data["windows"]) or _windows_from_data(data["windows"]),
    )


def _window_to_data(window: Window) -> dict[str, Any]:
    return {
        "axis": window.axis,
        "size": window.size,
        "stride": window.stride,
        "pad": window.pad,
        "dilation": window.dilation,
        "transposed": window.transposed,
    }


def _windows_from_data(data: Sequence[Sequence[Mapping[str, Any]]]) -> Windows:
    return tuple(tuple(Window(**one) for one in axis) for axis in data)


def _list(shape: Sequence[int | None] | None) -> list[int | None] | None:
    return None if shape is None else list(shape)


def _tuple(shape: Sequence[int | None] | None) -> tuple[int | None, ...] | None:
    return None if shape is None else tuple(shape)


# Columns


def _column_to_data(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "title": column.title,
        "unit": column.unit,
        "cells": [_cell_to_data(cell) for cell in column.cells],
        "total": None if column.total is None else _cell_to_data(column.total),
        "notes": list(column.notes),
    }


def _column_from_data(data: Mapping[str, Any]) -> Column:
    total = data["total"]
    return Column(
        name=data["name"],
        title=data["title"],
        unit=data["unit"],
        cells=tuple(map(_cell_from_data, data["cells"])),
        total=None if total is None else _cell_from_data(total),
        notes=tuple(data["notes"]),
    )


def _cell_to_data(cell: Cell) -> dict[str, Any]:
    axes = [] if cell.formula is None else getattr(cell.formula, "axes", [cell.formula])
    return {
        "value": list(cell.value) if isinstance(cell.value, tuple) else cell.value,
        "text": cell.text,
        "formulas": [formula_to_data(axis) for axis in axes],
        "unknown_because": cell.unknown_because,
    }


def _cell_from_data(data: Mapping[str, Any]) -> Cell:
    formulas = [_formula_from_data(one) for one in data["formulas"]]
    value = data["value"]
    formula: Formula | SizeFormula | None = formulas[0] if formulas else None
    if isinstance(value, list):
        value = tuple(value)
        formula = SizeFormula(formulas) if formulas else None
    return Cell(value, data["text"], formula, data["unknown_because"])
