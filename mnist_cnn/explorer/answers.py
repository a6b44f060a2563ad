"""What the page is answered: all of it from the rules, as plain data.

A question is what the page sent, as data from JSON; an answer is data for JSON. What
people may have done wrong is a :class:`HandCalculationError`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from inspect import signature
from typing import Any

from ..by_hand.columns import COLUMNS, DTYPES, Cell, Column, measure
from ..by_hand.description import (
    LayerDescription,
    Network,
    format_count,
    format_shape,
)
from ..by_hand.errors import DescriptionError, HandCalculationError, OptionError
from ..by_hand.explanation import Explanation, explain_row
from ..by_hand.forms import FORMATS, render
from ..by_hand.formula import Formula
from ..by_hand.impossible import describe_smallest_image, find_impossible
from ..by_hand.networks import NETWORKS
from ..by_hand.notes import remarks
from ..by_hand.read import read_network
from ..by_hand.read_definitions import shorten
from ..by_hand.read_text import find_networks, read_text
from ..by_hand.rows import Row, Table
from ..by_hand.rules import find_rule
from ..by_hand.walk import attempt
from .edits import insert, remove
from .state import read_state, write_state

Question = Mapping[str, Any]
Answer = dict[str, Any]

MOST_VERIFIED = 20_000_000
"""A network of more parameters is not built to be verified."""

ENDINGS = {
    "text": "txt",
    "markdown": "md",
    "latex": "tex",
    "html": "html",
    "svg": "svg",
    "json": "json",
    "csv": "csv",
}
_LONGEST_LIST = 6
_NUMBERS_OR_WORDS = ("pad", "crop", "stride")


def answer_start(network: Network) -> Answer:
    """What the page starts with: a network, and what can be asked for."""
    return {
        "state": write_state(network),
        "examples": {
            name: write_state(read_network(definition))
            for name, definition in NETWORKS.items()
        },
        "columns": list(COLUMNS),
        "dtypes": list(DTYPES),
        "formats": list(FORMATS),
    }


def answer_table(question: Question) -> Answer:
    """The table of a network, and what changed since the one it started from.

    The question has "state", perhaps "before" (another state), and "columns", "batch"
    and "dtype" as :func:`~mnist_cnn.by_hand.columns.measure` takes them.
    """
    network = read_state(question.get("state"))
    table, refused = attempt(network)
    before = _before(question)
    columns = _measure(table, question)
    reference = {row.name: row for row in before} if before is not None else {}
    return {
        "total": format_count(table.total) if refused is None else "?",
        "difference": _difference(
            table.total if refused is None else None,
            None if before is None else before.total,
        ),
        "lasagne": table.lasagne,
        "layers": [
            _layer(
                layer,
                table.rows[index] if index < len(table) else None,
                columns,
                reference.get(layer.name),
            )
            | {"is_new": before is not None and layer.name not in reference}
            for index, layer in enumerate(network.layers)
        ],
        "columns": [{"title": one.title, "unit": one.unit} for one in columns],
        "totals": [_cell(one.total or Cell()) for one in columns],
        "refused": _refusal(network, table, refused),
        "notes": remarks(table),
    }


def _before(question: Question) -> Table | None:
    """The table of the state before, if it has one."""
    if question.get("before") is None:
        return None
    try:
        table, refused = attempt(read_state(question["before"]))
    except HandCalculationError:
        return None
    return table if refused is None else None


def _measure(table: Table, question: Question) -> tuple[Column, ...]:
    names, batch = question.get("columns", []), question.get("batch", 1)
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise OptionError(f"columns={names!r}, where a list of names is needed")
    if not isinstance(batch, int):
        raise OptionError(f"batch={batch!r}, where a number of images is needed")
    dtype = question.get("dtype", "float32")
    return measure(table, names, batch=batch, dtype=str(dtype))


def _layer(
    layer: LayerDescription,
    row: Row | None,
    columns: tuple[Column, ...],
    before: Row | None,
) -> Answer:
    """One layer: what can be edited, and what comes of it if anything does."""
    answer: Answer = {
        "name": layer.name,
        "type": layer.type,
        "fields": _fields(layer),
        "known": row is not None,
    }
    if row is None:
        return answer
    size = "?" if row.size is None else format_shape(row.size)
    explanation = explain_row(row)
    answer |= {
        "size": size,
        "size_equations": list(
            dict.fromkeys(_equation(axis) for axis in row.size_formula.axes)
        ),
        "parameters": format_count(row.parameters),
        "symbols": row.parameter_formula.symbolic,
        "numbers": str(row.parameter_formula),
        "share_is_zero": row.parameters == 0,
        "tensors": [
            {
                "name": tensor.name,
                "text": str(tensor),
                "note": f"is {tensor.shared_with}"
                if tensor.shared_with
                else ("" if tensor.trainable else "not trainable"),
            }
            for tensor in row.tensors
        ],
        "steps": _steps(explanation),
        "cells": [_cell(column.cells[row.index]) for column in columns],
        "impossible": [str(one) for one in find_impossible(Table((row,)))],
        "unknown_because": row.unknown_because,
    }
    if before is not None:
        size_before = "?" if before.size is None else format_shape(before.size)
        answer["size_before"] = "" if size_before == size else size_before
        answer["difference"] = _difference(row.parameters, before.parameters)
        answer["parameters_before"] = format_count(before.parameters)
    return answer


def _equation(formula: Formula) -> str:
    value = "?" if formula.value is None else formula.value
    shown = formula.symbolic, str(formula), str(value)
    return " = ".join(dict.fromkeys(shown))


def _steps(explanation: Explanation) -> list[Answer]:
    return [
        {"words": one.words, "equation": one.equation, "meanings": one.meanings}
        for one in explanation.steps
    ]


def _cell(cell: Cell) -> Answer:
    return {
        "text": cell.text,
        "formula": str(cell.formula or ""),
        "why": cell.unknown_because,
    }


def _difference(now: int | None, before: int | None) -> str:
    """``+3'200``; empty where nothing changed or nothing is known."""
    if now is None or before is None or now == before:
        return ""
    sign = "+" if now > before else "-"
    return f"{sign}{format_count(abs(now - before))}"


def _refusal(
    network: Network, table: Table, refused: HandCalculationError | None
) -> Answer | None:
    if refused is None:
        return None
    reasons = [f"{one.layer}: {one}" for one in find_impossible(table)]
    if reasons:
        reasons.append(describe_smallest_image(network))
    return {
        "layer": refused.layer,
        "message": f"{refused}.",
        "reasons": [one for one in reasons if one],
        "layers": [one.layer for one in find_impossible(table)] or [refused.layer],
    }


# What can be edited


def _fields(layer: LayerDescription) -> list[Answer]:
    """The hyper-parameters a page can offer, each with how it is edited.

    A "number" is a whole number, "numbers" are several, one for each axis; a "flag" is
    yes or no, and "none" says that a value is there or not (``b=None``); "text" is a
    number, several or a word; "other", whatever JSON says, is offered where given.
    """
    rule = find_rule(layer.lineage)
    if rule is None:
        return []
    defaults = {
        name: parameter.default
        for name, parameter in signature(rule.derive).parameters.items()
        if name in rule.optional
    }
    fields = []
    for keyword in rule.keywords:
        given = keyword in layer.arguments
        value = layer.arguments.get(keyword, defaults.get(keyword))
        kind = _kind(keyword, value)
        if kind == "none":
            value = value is not None
        if kind and (given or kind != "other"):
            shown = list(value) if isinstance(value, tuple) else value
            if isinstance(shown, slice):
                shown = {"slice": [shown.start, shown.stop, shown.step]}
            fields.append({"keyword": keyword, "kind": kind, "value": shown})
    return fields


def _kind(keyword: str, value: object) -> str:
    if keyword in ("b", "beta", "gamma"):
        return "none"
    if isinstance(value, bool):
        return "flag"
    if keyword in _NUMBERS_OR_WORDS:
        return "text"
    if isinstance(value, int):
        return "number"
    if isinstance(value, (tuple, list)) and _are_numbers(value):
        return "numbers"
    if isinstance(value, (str, tuple, list, slice)):
        return "other"
    return ""


def _are_numbers(value: Sequence[object]) -> bool:
    return 0 < len(value) <= _LONGEST_LIST and all(
        one is None or type(one) is int for one in value
    )


# The other questions


def answer_read(question: Question) -> Answer:
    """The state of a network in a text: code, JSON or the short form; never run.

    Where the text holds several, the answer has their names, to be asked again with
    one as "name".
    """
    text, name = question.get("text"), question.get("name")
    if not isinstance(text, str):
        raise DescriptionError("paste the network as text")
    if name is None:
        names = [one.name for one in find_networks(text)]
        if len(names) > 1:
            return {"names": names}
    network = read_text(text, None if name is None else str(name))
    attempt(network)
    return {"state": write_state(network)}


def answer_edit(question: Question) -> Answer:
    """The state with layers put in or taken out.

    The question has "state" and the position of a layer: "remove", or "after" with
    "text", what to put behind it in the short form.
    """
    network = read_state(question.get("state"))
    place = question.get("remove", question.get("after"))
    if type(place) is not int:
        raise DescriptionError(
            f"got {shorten(place)}, where the number of a layer is needed"
        )
    if "remove" in question:
        return {"state": write_state(remove(network, place))}
    return {"state": write_state(insert(network, place, str(question.get("text", ""))))}


def answer_export(question: Question) -> Answer:
    """The table in a form, and a name for the file."""
    form = question.get("format")
    if form not in FORMATS:
        raise OptionError(f"there is no form {form!r}; there are {', '.join(FORMATS)}")
    table, refused = attempt(read_state(question.get("state")))
    if refused is not None:
        raise refused
    columns = _measure(table, question)
    text = render(table, form, columns, parameters=bool(question.get("parameters")))
    return {"text": f"{text}\n", "file": f"network.{ENDINGS[form]}"}


_ONE_AT_A_TIME = threading.Lock()


def answer_verify(question: Question) -> Answer:
    """Whether the installed Lasagne builds the same, row by row.

    "available" is false where Lasagne is not installed or cannot tell.
    """
    network = read_state(question.get("state"))
    table, refused = attempt(network)
    if refused is not None:
        return {"available": False, "text": "There is nothing to verify."}
    count = sum(one.count for row in table for one in row.tensors)
    numbers = [size for row in table for size in row.size or () if size is not None]
    if count > MOST_VERIFIED or max(numbers, default=0) > MOST_VERIFIED:
        most = format_count(MOST_VERIFIED)
        return {
            "available": False,
            "text": f"Networks of more than {most} numbers are not built here.",
        }
    with _ONE_AT_A_TIME:
        try:
            from ..verification import VerificationError, verify
        except ImportError:
            return {
                "available": False,
                "text": "Lasagne is not installed, so that nothing was verified.",
            }
        try:
            # The rules of the installed version, unless the page asks for another.
            asked = question["state"].get("lasagne")
            verification = verify(replace(network, lasagne=asked))
        except (VerificationError, HandCalculationError) as error:
            # The rules of the installed version may refuse what another's allow.
            return {"available": False, "text": str(error)}
    return {
        "available": True,
        "agrees": verification.agrees,
        "text": str(verification),
    }


def to_json(answer: Answer) -> str:
    """The answer as text."""
    return json.dumps(answer, ensure_ascii=False)
