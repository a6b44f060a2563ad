"""What the hand calculation refuses: every error names the layer and the values."""

from __future__ import annotations

from collections.abc import Iterable

_MOST_PROBLEMS = 5


class HandCalculationError(ValueError):
    """Base class of all errors of :mod:`mnist_cnn.by_hand`.

    Attributes
    ----------
    layer : str or None
        Name of the layer the error is about, where there is one.
    """

    def __init__(self, message: str, layer: str | None = None) -> None:
        super().__init__(message)
        self.layer = layer


class DescriptionError(HandCalculationError):
    """The description of the network cannot be read as one."""


class UntoldError(DescriptionError):
    """Only running the program would tell all of the network.

    Parameters
    ----------
    problems : iterable of str
        What cannot be told, each with its line; each is told once.
    """

    def __init__(self, problems: Iterable[str], layer: str | None = None) -> None:
        once = list(dict.fromkeys(problems))
        told = once[:_MOST_PROBLEMS]
        if len(once) > len(told):
            told.append(f"and {len(once) - len(told)} more")
        super().__init__("\n  ".join(["it cannot be read without running it:", *told]))
        self.problems = tuple(once)


class UnknownLayerError(HandCalculationError):
    """A layer class has no rule."""


class HyperParameterError(HandCalculationError):
    """A hyper-parameter is missing, misspelt or has a value that cannot serve."""


class ImpossibleSizeError(HandCalculationError):
    """A layer's hyper-parameters do not fit the size of its input."""


class OptionError(HandCalculationError):
    """What is asked of the table or its form is not there."""


class FormulaError(HandCalculationError):
    """A formula's text cannot be evaluated."""
