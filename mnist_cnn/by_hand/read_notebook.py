"""Takes the Python code out of a Jupyter notebook, of format 3 or 4.

Cells of text, and cells in another language (``%%bash``), are left out. Line numbers in
messages count the lines of all code cells, one cell after the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from .errors import DescriptionError

_OTHER_LANGUAGE = re.compile(r"\s*%%(?!time|capture|prun|writefile)")


def is_notebook(text: str) -> bool:
    """Whether a text of JSON says that it is a notebook."""
    return '"nbformat"' in text


def read_notebook(text: str) -> str:
    """The code of a notebook's cells.

    Raises
    ------
    DescriptionError
        If it is no notebook, or none whose code is Python.
    """
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        raise DescriptionError(
            f"line {error.lineno}, column {error.colno}: this is no notebook, for it "
            f"is no JSON: {error.msg}"
        ) from None
    language = _entry(notebook, "metadata", "kernelspec", "language")
    if isinstance(language, str) and not language.lower().startswith("python"):
        raise DescriptionError(f"it is a notebook in {language[:60]}, not in Python")
    code = [cell for cell in _code_cells(notebook) if not _OTHER_LANGUAGE.match(cell)]
    if not code:
        raise DescriptionError("it is a notebook without a cell of Python code")
    return "\n".join(code)


def _code_cells(notebook: object) -> Iterator[str]:
    """What stands in each code cell."""
    sheets = _entry(notebook, "worksheets")
    for sheet in sheets if isinstance(sheets, list) else [notebook]:
        cells = _entry(sheet, "cells")
        for cell in cells if isinstance(cells, list) else ():
            if _entry(cell, "cell_type") != "code":
                continue
            source = _entry(cell, "source") or _entry(cell, "input")
            if isinstance(source, list):
                source = "".join(map(str, source))
            if isinstance(source, str):
                yield source


def _entry(value: object, *keys: str) -> object:
    """What stands under keys in nested objects; None if nothing does."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
