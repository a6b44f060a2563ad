"""Makes a syntax tree of text as people paste it: today's Python, Python 2, prose.

Every line keeps its number, so that a message names the line of the text.
"""

from __future__ import annotations

import ast
import re
import textwrap
import tokenize
import warnings
from collections.abc import Iterator

from ..errors import DescriptionError

_PROMPT = re.compile(r"^(?:>>> ?|\.\.\. ?|In \[\d*\]: ?| *\.\.\.: ?)")
_MAKES_LAYERS = re.compile(
    r"^[\s\w.,'\"\[\]]*=?\s*(?:\w+\()*[\w.]*(?:Layer|NeuralNet)\("
)
_FOLLOWS_UP = re.compile(r"\s*(?:elif|else|except|finally)\b.*:")
_PYTHON_2 = [
    (re.compile(r"^([ \t]*)print\b(?![ \t]*[(=.,\[])[^(\n]*(?<!\\)$", re.M), r"\1pass"),
    (re.compile(r"^([ \t]*)exec[ \t]+[^(\n]*$", re.M), r"\1pass"),
    (re.compile(r"^([ \t]*raise[ \t]+[\w.]+)[ \t]*,.*$", re.M), r"\1"),
    (re.compile(r"^([ \t]*except\b[^:\n]*?),[ \t]*\w+[ \t]*:", re.M), r"\1:"),
    # Commands of IPython: those that time a statement run it.
    (re.compile(r"^([ \t]*)%time(?:it)?[ \t]+(?=[^\s-])", re.M), r"\1"),
    (re.compile(r"^([ \t]*)(?:!(?!=)|%(?:%|timeit|run|pylab\b)).*$", re.M), r"\1pass"),
    (re.compile(r"^%\w.*$", re.M), "pass"),
    (re.compile(r"^([ \t]*[\w, ]+=[ \t]*)[!%]\w.*$", re.M), r"\1..."),
    (re.compile(r"^([ \t]*)(?:\?{1,2}[\w.]+|[\w.]+\?{1,2})[ \t]*$", re.M), r"\1pass"),
    # A quotation.
    (re.compile(r"^(?:>[ \t]?)+", re.M), ""),
]
"""What today's Python refuses, and a line in its place that makes the same layers."""

_TYPESET = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\xa0": " "}
)
"""What word processors and web pages make of quotation marks and spaces."""

_PRINTS = "Missing parentheses in call to"
"""How Python starts to complain of a statement that is a function today."""

_MOST_REPAIRS = 50
_LONGEST_PROSE = 200_000
_LONGEST_LINE = 10_000
_MOST_LINES = 20_000
"""Lines that the search for code among prose looks at, all attempts together."""


def parse(
    text: str, among_prose: bool
) -> tuple[list[ast.stmt], DescriptionError | None]:
    """The statements of a text, and why there may be no more of them.

    Parameters
    ----------
    among_prose : bool
        Whether what is no Python may be left out.

    Raises
    ------
    DescriptionError
        If it is no Python, with the line; among prose, if a statement that makes
        layers is none.
    """
    text = _strip_prompts(text)
    try:
        return _parse(text).body, None
    except SyntaxError as error:
        problem = error
    translated = _translate(text)
    if translated != text or problem.msg.startswith(_PRINTS):
        try:
            return _parse_translated(translated).body, None
        except SyntaxError as error:
            problem = error
    if not among_prose or len(text) > _LONGEST_PROSE:
        raise _refuse(problem)
    return list(_find_statements(text)), _refuse(problem)


def _parse(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (MemoryError, RecursionError):
        raise DescriptionError("it is nested too deeply to be read as Python") from None
    except ValueError as error:
        raise DescriptionError(f"it is no Python: {error}") from None


def _refuse(error: SyntaxError) -> DescriptionError:
    line = (error.text or "").strip()
    shown = f", {line[:60]}" if line else ""
    return DescriptionError(
        f"line {error.lineno or 1}{shown}: this is no Python: {error.msg}"
    )


def _strip_prompts(text: str) -> str:
    """Without the prompts of an interactive session, where there are any."""
    lines = text.split("\n")
    if not any(line.startswith((">>> ", "In [")) for line in lines):
        return text
    return "\n".join(_PROMPT.sub("", line) for line in lines)


def _translate(text: str) -> str:
    """Python 2, IPython and quotations as today's Python, as far as layers need it."""
    text = text.translate(_TYPESET)
    text = "\n".join(
        line[: _indent(line)].expandtabs() + line[_indent(line) :]
        for line in text.split("\n")
    )
    for pattern, replacement in _PYTHON_2:
        text = pattern.sub(replacement, text)
    return text


def _parse_translated(text: str) -> ast.Module:
    """The syntax tree, without the statements of Python 2 that are left."""
    for _ in range(_MOST_REPAIRS):
        try:
            return _parse(text)
        except SyntaxError as error:
            if not error.msg.startswith(_PRINTS):
                raise
            text = _pass_over(text, error)
    return _parse(text)


def _pass_over(text: str, error: SyntaxError) -> str:
    """The text with ``pass`` in the place of a statement of Python 2."""
    lines = text.split("\n")
    first, last = error.lineno or 1, error.end_lineno or error.lineno or 1
    before = lines[first - 1][: (error.offset or 1) - 1]
    lines[first - 1 : last] = [f"{before}pass", *[""] * (last - first)]
    return "\n".join(lines)


def _find_statements(text: str) -> Iterator[ast.stmt]:
    """The statements among prose."""
    lines = text.expandtabs().split("\n")
    left = _MOST_LINES
    start = 0
    while start < len(lines):
        if not lines[start].strip():
            start += 1
            continue
        end, looked_at = _find_end(lines, start)
        left -= looked_at
        if left < 0:
            raise DescriptionError(
                "it is no Python, and too long to look for code in it"
            )
        try:
            body = _parse_block("\n".join(lines[start:end]), start)
        except SyntaxError as error:
            if _MAKES_LAYERS.match(lines[start]):
                error.lineno = (error.lineno or 1) + start
                raise _refuse(error) from None
            start += 1
            continue
        yield from body
        start = end


def _find_end(lines: list[str], start: int) -> tuple[int, int]:
    """The line after a statement and what is indented under it; lines looked at."""
    length, looked_at = _count_lines(lines, start)
    end = start + length
    indent = _indent(lines[start])
    if lines[end - 1].partition("#")[0].rstrip().endswith(":"):
        while end < len(lines) and (
            not lines[end].strip()
            or _indent(lines[end]) > indent
            or (_indent(lines[end]) == indent and _FOLLOWS_UP.match(lines[end]))
        ):
            end += 1
    return end, max(looked_at, end - start)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _count_lines(lines: list[str], start: int) -> tuple[int, int]:
    """How many lines a logical line has, 1 if it does not end; lines looked at."""
    rest = iter(range(start, len(lines)))
    looked_at = 0
    if len(lines[start]) > _LONGEST_LINE:
        return 1, 1

    def readline() -> str:
        nonlocal looked_at
        index = next(rest, None)
        if index is None:
            return ""
        looked_at += 1
        return (lines[index].lstrip() if index == start else lines[index]) + "\n"

    try:
        for token in tokenize.generate_tokens(readline):
            if token.type == tokenize.NEWLINE:
                return token.end[0], looked_at
            if looked_at > _MOST_LINES:
                break
    except (tokenize.TokenError, SyntaxError):
        pass
    return 1, looked_at


def _parse_block(block: str, before: int) -> list[ast.stmt]:
    block = textwrap.dedent(block)
    try:
        tree = _parse(block)
    except SyntaxError:
        tree = _parse_translated(_translate(block))
    for statement in tree.body:
        ast.increment_lineno(statement, before)
    return tree.body
