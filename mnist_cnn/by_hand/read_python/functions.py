"""Python's own functions, operators and methods on values that are known.

None of it runs code of the program, and what would be large is not computed.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import string
from collections.abc import Callable, Iterable, Sequence
from typing import Any

MOST_ITEMS = 100_000
MOST_CHARACTERS = 10_000
_LARGEST = 2**63
_MOST_PARTS = 10_000
_FORMAT = re.compile(r"%(\(\w+\))?[-+ #0]*(\d{0,3})(?:\.\d{1,2})?[dsirfgeEGx%]")
_SPECIFICATION = re.compile(r"[<>=^+\- #0]*\d{0,3}(?:\.\d{1,2})?[dsfgeEGx]?")

Plain = (int, float, str, bool, type(None))


class TooLarge(Exception):
    """A result that no network's description needs."""


class NotFollowed(Exception):
    """What is not followed here, though it may be known to Python."""


def weigh(value: object) -> int:
    """Number of parts of a value, nested ones included.

    Raises
    ------
    TooLarge
        If there are more than a network's description needs.
    """
    count, pending = 0, [value]
    while pending:
        one = pending.pop()
        count += 1
        if count > _MOST_PARTS:
            raise TooLarge
        if isinstance(one, dict):
            pending += [*one, *one.values()]
        elif isinstance(one, (list, tuple, set, frozenset)):
            pending += one
    return count


def guard(*values: object) -> int:
    """Refuse values whose comparison would take long; gives how many parts they have.

    Raises
    ------
    TooLarge
        If lists are nested in lists many times over.
    """
    count = 0
    for value in values:
        if not isinstance(value, (list, tuple, dict, set)):
            continue
        parts = value.values() if isinstance(value, dict) else value
        is_nested = any(isinstance(one, (list, tuple, dict, set)) for one in parts)
        count += weigh(value) if is_nested else len(value)
    return count


def check(value: object) -> object:
    """The value, unless it is too large."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) >= _LARGEST:
        raise TooLarge
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        raise TooLarge
    if isinstance(value, (list, tuple, dict, set)) and len(value) > MOST_ITEMS:
        raise TooLarge
    return value


def _multiply(left: Any, right: Any) -> object:
    for one, other in ((left, right), (right, left)):
        is_repeated = isinstance(one, (str, list, tuple)) and isinstance(other, int)
        if is_repeated and len(one) * max(other, 0) > MOST_ITEMS:
            raise TooLarge
    return left * right


def _divide(left: object, right: object) -> object:
    # Python 2 and 3 agree where nothing is left over.
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return left / right  # type: ignore[operator]


def _raise_to(left: object, right: object) -> object:
    if isinstance(left, int) and isinstance(right, int):
        if right > 64 and abs(left) > 1:
            raise TooLarge
        return left**right
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return float(left) ** float(right)
    raise NotFollowed


def _shift_left(left: object, right: object) -> object:
    if isinstance(right, int) and right > 64:
        raise TooLarge
    return left << right  # type: ignore[operator]


def _remainder(left: object, right: object) -> object:
    if isinstance(left, str):
        return _format_old(left, right)
    return left % right  # type: ignore[operator]


OPERATORS: dict[type[ast.AST], Callable[[Any, Any], object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: _multiply,
    ast.Div: _divide,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: _remainder,
    ast.Pow: _raise_to,
    ast.LShift: _shift_left,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: operator.contains(right, left),
    ast.NotIn: lambda left, right: not operator.contains(right, left),
}


def _format_old(template: str, values: object) -> str:
    """``template % values``, with numbers and texts alone."""
    parts = values if isinstance(values, tuple) else (values,)
    if isinstance(values, dict):
        parts = tuple(values.values())
    if not all(isinstance(one, Plain) for one in parts):
        raise NotFollowed
    if len(template) > MOST_CHARACTERS or _FORMAT.sub("", template).count("%"):
        raise NotFollowed
    return template % values


def format_new(
    template: str, values: Sequence[object], named: dict[str, object]
) -> str:
    """``template.format(...)``, with numbers and texts alone and no attributes."""
    text, number = [], 0
    for literal, name, specification, conversion in string.Formatter().parse(template):
        text.append(literal)
        if name is None:
            continue
        if name == "":
            name, number = str(number), number + 1
        value = values[int(name)] if name.isdecimal() else named[name]
        text.append(format_value(value, specification or "", conversion))
    return "".join(text)


def format_value(value: object, specification: str, conversion: str | None) -> str:
    """``f"{value:specification}"``."""
    if not isinstance(value, Plain) or not _SPECIFICATION.fullmatch(specification):
        raise NotFollowed
    if conversion == "r":
        value = repr(value)
    return format(value, specification)


def _range(*bounds: int) -> object:
    made = range(*bounds)
    if len(made) > _LARGEST:
        raise TooLarge
    return made


def _list(items: Iterable[object] = ()) -> list[object]:
    return [*_limited(items)]


def _limited(items: Iterable[object]) -> Iterable[object]:
    if isinstance(items, range) and len(items) > MOST_ITEMS:
        raise TooLarge
    if not isinstance(items, (list, tuple, dict, set, range, str)):
        raise NotFollowed
    if isinstance(items, set) and not all(isinstance(one, int) for one in items):
        # Their order differs from run to run.
        raise NotFollowed
    return items


def _set(items: Iterable[object] = ()) -> set[object]:
    made = set(_limited(items))
    if not all(isinstance(one, Plain) for one in made):
        raise NotFollowed
    return made


def _int(value: object = 0, *base: int) -> int:
    if isinstance(value, str) and len(value) > 30:
        raise TooLarge
    return int(value, *base)  # type: ignore[call-overload]


def _str(value: object = "") -> str:
    if not isinstance(value, Plain):
        raise NotFollowed
    return str(value)


def _dict(items: Any = (), **named: object) -> dict[object, object]:
    made: dict[object, object] = dict(items)
    made.update(named)
    return made


def _product(values: object, *_: object, **__: object) -> object:
    if not isinstance(values, (list, tuple)) or not all(
        isinstance(one, (int, float)) for one in values
    ):
        raise NotFollowed
    result: int | float = 1
    for one in values:
        result *= one
        check(result)
    return result


def _sum(values: Any, *start: Any) -> object:
    if not all(isinstance(one, (int, float)) for one in (*_limited(values), *start)):
        raise NotFollowed
    return sum(values, *start)


FUNCTIONS: dict[str, Callable[..., object]] = {
    "abs": abs,
    "all": lambda items: all(_limited(items)),
    "any": lambda items: any(_limited(items)),
    "bool": bool,
    "dict": _dict,
    "divmod": divmod,
    "enumerate": lambda items, start=0: list(enumerate(_limited(items), start)),
    "float": float,
    "int": _int,
    "len": len,
    "list": _list,
    "long": _int,
    "max": max,
    "min": min,
    "ord": ord,
    "pow": _raise_to,
    "range": _range,
    "reversed": lambda items: list(reversed(_list(items))),
    "round": round,
    "set": _set,
    "slice": slice,
    "sorted": lambda items: sorted(_list(items)),  # type: ignore[type-var]
    "str": _str,
    "sum": _sum,
    "tuple": lambda items=(): tuple(_limited(items)),
    "unicode": _str,
    "xrange": _range,
    "zip": lambda *items: list(zip(*map(_limited, items), strict=False)),
}
"""Functions of Python by name; ``map``, ``partial`` and such call functions of the
program and are the interpreter's."""

ELSEWHERE: dict[str, Callable[..., object]] = {
    "OrderedDict": _dict,
    "add": operator.add,
    "ceil": math.ceil,
    "chain": lambda *many: [one for items in many for one in _limited(items)],
    "floor": math.floor,
    "log2": math.log2,
    "mul": _multiply,
    "prod": _product,
    "product": _product,
    "sqrt": math.sqrt,
}
"""The same of ``math``, ``numpy`` and ``collections``."""

METHODS: dict[type, frozenset[str]] = {
    list: frozenset(
        ["append", "copy", "count", "extend", "index", "insert", "pop", "remove"]
        + ["reverse", "clear"]
    ),
    tuple: frozenset({"count", "index"}),
    dict: frozenset({"clear", "copy", "get", "items", "keys", "pop", "setdefault"})
    | frozenset({"update", "values", "iteritems", "iterkeys", "itervalues"}),
    set: frozenset({"add", "clear", "copy", "discard", "remove", "update"}),
    str: frozenset({"count", "endswith", "find", "format", "index", "isdigit"})
    | frozenset({"join", "lower", "lstrip", "partition", "replace", "rstrip", "split"})
    | frozenset({"startswith", "strip", "title", "upper"}),
}


LOOKING_THROUGH = frozenset(
    {"copy", "count", "index", "items", "iteritems", "iterkeys", "itervalues", "keys"}
    | {"remove", "reverse", "values"}
)
"""Methods that take the longer, the more their list or dict holds."""


def call_method(
    value: object, name: str, arguments: Sequence[object], named: dict[str, object]
) -> object:
    """The result of a method of a list, tuple, dict or text."""
    if name not in METHODS.get(type(value), ()):
        raise NotFollowed
    if isinstance(value, str):
        if name == "format":
            return format_new(value, arguments, named)
        if name == "join":
            items = _list(*arguments)  # type: ignore[arg-type]
            if sum(len(str(one)) + len(value) for one in items) > MOST_CHARACTERS:
                raise TooLarge
        if name == "replace" and any(len(str(one)) > 100 for one in arguments):
            raise TooLarge
    guard(*arguments)
    if name == "extend":
        _list(*arguments)  # type: ignore[arg-type]
    result = getattr(value, name.removeprefix("iter"))(*arguments, **named)
    if name.removeprefix("iter") in ("items", "keys", "values"):
        result = list(result)
    check(value)
    return result
