"""What the parts of the interpreter share: limits, what was made, how values arise."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..description import Shape
from .functions import NotFollowed, TooLarge, check, guard
from .layers import LayerMaker
from .messages import Messages
from .values import Call, Function, Net, Scope, Unknown

MOST_STEPS = 300_000
MOST_LAYERS = 10_000
FAILURES = (
    *(TypeError, ValueError, ArithmeticError, LookupError, AttributeError),
    *(TooLarge, NotFollowed, MemoryError),
)
"""What Python's functions raise for values that do not suit them."""


class TooLong(Exception):
    """The program takes more steps than a network's description needs."""


class Jump(Exception):
    """The program goes on elsewhere."""


class Returned(Jump):
    """A function of the program returns."""

    def __init__(self, value: object) -> None:
        self.value = value


class Broken(Jump):
    """A loop ends."""


class Continued(Jump):
    """A loop goes on with its next turn."""


class Doubted(Jump):
    """A loop may end, or go on with its next turn: nobody can tell."""

    def __init__(self, doubt: Unknown) -> None:
        self.doubt = doubt


class State(ABC):
    """Follows a program; see :class:`.interpreter.Interpreter`."""

    def __init__(self, text: str, defined: Mapping[str, object]) -> None:
        self.messages = Messages(text)
        self.maker = LayerMaker(self.messages)
        self.nets: list[Net] = []
        self.called: set[int] = set()
        self.shown: list[tuple[ast.AST, object]] = []
        self._defined = defined
        self._module = Scope({"__name__": "__main__"})
        self._patched: dict[str, object] = {}
        self._stack: list[Function] = []
        self._left = MOST_STEPS
        self._shapes: dict[int, Shape | None] = {}
        self._generators: dict[int, bool] = {}
        self._evaluators: dict[type, Callable[[Any, Scope], object] | None] = {}

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0 or len(self.maker.made) > MOST_LAYERS:
            raise TooLong

    def _name(self, name: str, value: object, scope: Scope) -> None:
        if isinstance(value, Unknown) and name in self._defined:
            value = self._defined[name]
        scope.outside.get(name, scope).names[name] = value

    def _take(self, items: Iterable[object]) -> list[object]:
        """The items as a list, each a step."""
        taken = []
        for item in items:
            self._spend(1)
            taken.append(item)
        return taken

    def _checked(self, node: ast.AST, value: object) -> object:
        try:
            return check(value)
        except TooLarge:
            return Unknown(node, "large")

    def _attempt(
        self,
        node: ast.AST,
        function: Callable[..., object] | None,
        arguments: Sequence[object],
        keywords: Mapping[str, object] | None = None,
    ) -> object:
        """The result of a function of Python, or why there is none."""
        try:
            if function is None:
                raise NotFollowed
            self._spend(guard(*arguments) // 10)
            result = check(function(*arguments, **(keywords or {})))
            if isinstance(result, (str, list, tuple, dict)):
                self._spend(len(result) // 10)
            return result
        except TooLarge:
            return Unknown(node, "large")
        except NotFollowed:
            return Unknown(node, "unread")
        except FAILURES as error:
            return Unknown(node, "fails", detail=str(error)[:60])

    @abstractmethod
    def _run(self, body: Iterable[ast.stmt], scope: Scope) -> None:
        """Follow statements."""

    @abstractmethod
    def _evaluate(self, node: ast.expr, scope: Scope) -> object:
        """The value of an expression."""

    @abstractmethod
    def _assign(self, target: ast.expr, value: object, scope: Scope) -> None:
        """Give a value to a name, or to a place in a list, a dict or an object."""

    @abstractmethod
    def _call_function(self, function: Function, call: Call) -> object:
        """What a function of the program returns."""
