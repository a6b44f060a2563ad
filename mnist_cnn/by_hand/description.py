"""A network as plain data: each layer's class name, hyper-parameters and inputs.

The readers produce it, the walk consumes it; nothing here knows where it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .errors import DescriptionError

Shape = tuple[int | None, ...]
"""Sizes of all axes, the batch first; None where a size is not fixed."""

LASAGNE_0_1 = "0.1"
LASAGNE_0_2 = "0.2"

MOST_LAYERS = 10_000
"""A text that describes more layers is refused."""


@dataclass(frozen=True, slots=True)
class SharedFrom:
    """The place of a parameter that is another layer's, named by that layer.

    `computed` says that it is not the same but computed from it, such as ``W.T``.
    """

    layer: str
    tensor: str
    computed: bool = False


@dataclass(frozen=True, slots=True)
class Untold:
    """The place of a value that only running a program would tell.

    Attributes
    ----------
    line : int
        Where the program uses it.
    text : str
        That line.
    why : str
        What it depends on.
    """

    line: int
    text: str
    why: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.text}: {self.why}"


@dataclass(frozen=True, slots=True)
class LayerDescription:
    """One layer, as its definition has it.

    Attributes
    ----------
    name : str
        The layer's name.
    type : str
        Name of its class.
    lineage : tuple of str
        Names under which a rule may know it: its class, then the base classes whose
        rule still holds for it.
    arguments : mapping
        Hyper-parameters by keyword.
    inputs : tuple of int or Shape
        Positions, in the network, of the layers feeding it; a shape where it was
        given a shape in place of a layer.
    variables : mapping
        Theano variables (or :class:`SharedFrom`) by the name under which the layer
        keeps or takes them: which weights are the same, never what shape they have.
    frozen : frozenset of str
        Those names among `variables` that training leaves alone.
    """

    name: str
    type: str
    lineage: tuple[str, ...]
    arguments: Mapping[str, object]
    inputs: tuple[int | Shape, ...] = ()
    variables: Mapping[str, object] = field(default_factory=dict)
    frozen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Network:
    """Layers in an order in which every layer follows its inputs.

    Attributes
    ----------
    layers : tuple of LayerDescription
    lasagne : str or None
        "0.1" or "0.2", the version whose behaviour is asked for; None where nothing
        says which: then 0.2 if the network needs it, else 0.1.
    """

    layers: tuple[LayerDescription, ...]
    lasagne: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A network that a text holds.

    Attributes
    ----------
    name : str
        By which it can be chosen; empty where the text gives it none.
    line : int
        Where it is made; 0 where the text does not say.
    read : callable
        Gives the network, whose values may be :class:`Untold`, or raises a
        :class:`DescriptionError`.
    """

    name: str
    line: int
    read: Callable[[], Network]


def lasagne_release(version: str) -> str:
    """The release a version belongs to: "0.1" or "0.2" ("0.2.dev1" is "0.2")."""
    for release in (LASAGNE_0_1, LASAGNE_0_2):
        if version == release or version.startswith(f"{release}."):
            return release
    raise DescriptionError(
        f"no rules for Lasagne {version!r}; there are rules for 0.1 and 0.2.dev1"
    )


def format_count(count: int | None) -> str:
    """A count with answer 1's thousands marks: ``9'248``; ``?`` if unknown."""
    return "?" if count is None else f"{count:,}".replace(",", "'")


def printable(text: str) -> str:
    """A text with what is no visible character written as an escape: ``\\x1b``."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii")
        for one in text
    )


def has_impossible_size(shape: Shape) -> bool:
    """Whether a size is below one."""
    return any(size is not None and size < 1 for size in shape)


def format_shape(shape: Shape) -> str:
    """A size as it is printed: ``32x24x24``, ``?`` where it is not fixed."""
    return "x".join("?" if size is None else str(size) for size in shape)
