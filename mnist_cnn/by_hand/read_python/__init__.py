"""Reads networks from Python code as people paste it; nothing of it is run.

Understood are nolearn's ``NeuralNet(...)`` with its forms of ``layers``, and calls of
Lasagne's layers: by whatever name they are imported, with positional and keyword
arguments, in functions and loops, with numbers and names worked out where that can be
done safely. What only running the code would tell is named by its line.

A text may hold several networks. Nets and layers that a module makes have the name of
the variable that holds them. Those that a function makes, which the module does not
call, have the function's name, and its parameters the values they have by default.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..description import Found
from ..errors import DescriptionError
from .interpreter import Interpreter
from .search import Search
from .source import parse

__all__ = ["read_python"]


def read_python(
    text: str,
    defined: Mapping[str, object] | None = None,
    *,
    among_prose: bool = True,
) -> list[Found]:
    """The networks that a program makes, in its order.

    Parameters
    ----------
    text : str
        Python code; the code may stand among prose.
    defined : mapping, optional
        Values of names and of parameters that the text gives none.
    among_prose : bool
        Whether what is no Python may be left out.

    Raises
    ------
    DescriptionError
        If it is no Python, with the line, or makes no network.
    """
    body, problem = parse(text, among_prose)
    found = Search(Interpreter(text, defined or {})).find(body)
    if not found and problem is not None:
        raise problem
    if not found:
        raise DescriptionError(
            "it makes no layer of Lasagne and no NeuralNet, as far as can be told "
            "without running it"
        )
    names = [one.name or f"line{one.line}" for one in found]
    return [
        Found(
            name if names.count(name) == 1 else f"{name}@{one.line}", one.line, one.read
        )
        for name, one in zip(names, found, strict=True)
    ]
