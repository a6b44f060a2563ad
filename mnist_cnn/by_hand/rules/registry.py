"""The register of rules: one for each layer class, looked up by the class's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from inspect import Parameter, signature

from ..description import LASAGNE_0_1, Shape, format_shape, has_impossible_size
from ..errors import HandCalculationError, ImpossibleSizeError
from ..formula import Formula, SizeFormula
from ..rows import Tensor
from ..windows import Unknown, Windows


class UnknownInputError(Exception):
    """Raised inside a rule when it asks for an input shape that cannot be known."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a rule is told about the layer's inputs.

    Attributes
    ----------
    name : str
        The layer's name.
    lasagne : str
        "0.1" or "0.2".
    """

    name: str
    lasagne: str
    _shapes: tuple[Shape | None, ...] = ()
    _names: tuple[str, ...] = ()

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Output shapes of all the layers feeding this one, the batch first."""
        known = tuple(shape for shape in self._shapes if shape is not None)
        if len(known) < len(self._shapes):
            raise UnknownInputError
        return known

    def shape_of(self, place: int, keyword: str) -> Shape:
        """Output shape of the layer that `keyword` names, the `place`-th input."""
        if place >= len(self._shapes):
            raise HandCalculationError(f"it needs {keyword}, the name of a layer")
        return self.shapes[place]

    @property
    def shape(self) -> Shape:
        """Output shape of the first layer feeding this one, the batch first.

        A size below one is refused here, as Lasagne does: not by the layer whose
        output has it but by the one that should take it.
        """
        if not self._shapes:
            raise HandCalculationError("it needs a layer feeding it and has none")
        first = self._shapes[0]
        if first is None:
            raise UnknownInputError
        if has_impossible_size(first):
            source = f"the output of {self._names[0]}" if self._names else "its input"
            raise ImpossibleSizeError(
                f"{source} has the shape {format_shape(first)}, the batch first, where "
                "every size must be at least 1"
            )
        return first

    @property
    def is_lasagne_0_1(self) -> bool:
        """Whether Lasagne 0.1's behaviour is asked for, rather than 0.2's."""
        return self.lasagne == LASAGNE_0_1


@dataclass(frozen=True, slots=True)
class Derivation:
    """What a rule derives: output shape and parameters, with their formulas.

    Attributes
    ----------
    output_shape : tuple or None
        The batch first; None where only running code could tell.
    tensors : iterable of Tensor
        The layer's parameters, in Lasagne's order.
    parameter_formula : Formula or None
        Comes to the number of trainable parameters; None to write it out as the sum
        of the tensors' products.
    size_formula : SizeFormula
        Empty where nothing is computed.
    unknown_because : str
        Why `output_shape` is None.
    connections : Formula, Unknown or None
        Multiply-adds with a weight of the layer, for one image; None where the rule
        does not say, which is none for a layer without weights.
    windows : Windows, Unknown or None
        What each position of the output sees of the input, of each input where there
        are several; None where the rule does not say.
    """

    output_shape: Shape | None
    tensors: Iterable[Tensor] = ()
    parameter_formula: Formula | None = None
    size_formula: SizeFormula = field(default_factory=SizeFormula)
    unknown_because: str = ""
    connections: Formula | Unknown | None = None
    windows: Windows | Unknown | None = None


Derive = Callable[..., Derivation]


@dataclass(frozen=True, slots=True)
class Rule:
    """A registered rule.

    Attributes
    ----------
    derive : callable
        ``derive(incoming, **hyper_parameters)`` gives a :class:`Derivation`.
    required, optional : tuple of str
        Its keywords without and with a default.
    ignored : frozenset of str
        Keywords the layer takes that change neither size nor count.
    inputs : tuple of str
        Keywords that name further layers feeding this one; ``"layer.input_layer"``
        is what feeds the layer before.
    attributes : mapping
        Where a layer object keeps a hyper-parameter that is not under its keyword:
        the attribute's name, or a function of the object.
    newer : frozenset of str
        Keywords that Lasagne 0.1's layer does not take.
    since : str
        The release that first has the layer: "0.1" or "0.2".
    """

    derive: Derive
    required: tuple[str, ...]
    optional: tuple[str, ...]
    ignored: frozenset[str]
    inputs: tuple[str, ...]
    attributes: Mapping[str, str | Callable[[object], object]]
    newer: frozenset[str]
    since: str

    @property
    def keywords(self) -> tuple[str, ...]:
        """All the hyper-parameters the rule reads."""
        return self.required + self.optional

    def unexpected(self, keywords: Iterable[str]) -> list[str]:
        """Those of the given keywords that the layer does not take."""
        expected = {*self.keywords, *self.inputs, *self.ignored, "name"}
        return [keyword for keyword in keywords if keyword not in expected]


_RULES: dict[str, Rule] = {}


def rule(
    *types: str,
    ignores: str = "",
    inputs: tuple[str, ...] = (),
    attributes: Mapping[str, str | Callable[[object], object]] | None = None,
    newer: str = "",
    since: str = LASAGNE_0_1,
) -> Callable[[Derive], Derive]:
    """Register the decorated function as the rule for layer classes of these names.

    The function takes what feeds the layer (:class:`Incoming`) and, as keyword-only
    arguments, the layer's hyper-parameters under the names its constructor gives
    them; a default makes one optional. A rule registered later replaces an earlier
    one of the same name.

    Parameters
    ----------
    *types : str
        Names of layer classes.
    ignores : str
        Constructor's keywords, separated by spaces, that change neither size nor
        number of parameters.
    inputs : tuple of str
        Keywords that name further layers feeding this one, in order.
    attributes : mapping, optional
        Where an instance keeps a hyper-parameter, if not under its keyword.
    newer : str
        Keywords, separated by spaces, that Lasagne 0.1's layer does not take.
    since : str
        "0.2" if Lasagne 0.1 has no such layer.

    Examples
    --------
    >>> from mnist_cnn.by_hand import Derivation, Formula, Tensor, rule
    >>> @rule("MaxoutDenseLayer", ignores="W b")
    ... def derive_maxout_dense(incoming, *, num_units, num_pieces=2):
    ...     batch, n = incoming.shape
    ...     return Derivation(
    ...         (batch, num_units),
    ...         [Tensor("W", (n, num_units, num_pieces)),
    ...          Tensor("b", (num_units, num_pieces))],
    ...         Formula("(n + 1)*m*p", n=n, m=num_units, p=num_pieces),
    ...     )

    Where the derivation has ``connections=Formula("n*m*p", ...)`` and, for each axis of
    the output, what it sees of the input, ``windows=((Window(0),), ())``, the table can
    have those columns for the layer, too.
    """
    if not types or not all(isinstance(name, str) for name in types):
        raise HandCalculationError(
            f'a rule needs names of layer classes, @rule("MyLayer"); got {types!r}'
        )

    def register(derive: Derive) -> Derive:
        required, optional = _keywords(derive)
        made = Rule(
            derive,
            required,
            optional,
            frozenset(ignores.split()),
            inputs,
            attributes or {},
            frozenset(newer.split()),
            since,
        )
        for name in types:
            _RULES[name] = made
        return derive

    return register


def find_rule(lineage: Iterable[str]) -> Rule | None:
    """The rule of the first class name that has one."""
    return next((_RULES[name] for name in lineage if name in _RULES), None)


def known_types() -> list[str]:
    """Names of all the layer classes that have a rule, sorted."""
    return sorted(_RULES)


def _keywords(derive: Derive) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keyword-only arguments without a default, and those with one."""
    parameters = signature(derive).parameters.values()
    named = [one for one in parameters if one.kind is Parameter.KEYWORD_ONLY]
    return (
        tuple(one.name for one in named if one.default is Parameter.empty),
        tuple(one.name for one in named if one.default is not Parameter.empty),
    )
