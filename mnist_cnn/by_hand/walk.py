"""Walks a network, layer by layer, and applies the rules: gives the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from difflib import get_close_matches

from .description import (
    LASAGNE_0_1,
    LASAGNE_0_2,
    LayerDescription,
    Network,
    Shape,
    SharedFrom,
    format_shape,
)
from .errors import (
    HandCalculationError,
    HyperParameterError,
    ImpossibleSizeError,
    UnknownLayerError,
)
from .formula import Formula, sum_of_products
from .rows import Row, Table, Tensor
from .rules import (
    Derivation,
    Incoming,
    Rule,
    UnknownInputError,
    find_rule,
    known_types,
)
from .rules.hyperparameters import LARGEST, unbounded_number
from .windows import Unknown

Known = dict[object, tuple[str, tuple[int, ...]]]
"""For each parameter met so far its "layer.tensor" and its shape."""


def calculate(network: Network) -> Table:
    """The table of a network.

    Raises
    ------
    HandCalculationError
        If a layer has no rule, or hyper-parameters that cannot serve. The message
        starts with the layer's name, which is also the error's ``layer``.
    """
    table, refused = attempt(network)
    if refused is not None:
        raise refused
    return table


def attempt(network: Network) -> tuple[Table, HandCalculationError | None]:
    """The table as far as it can be had, and what stands against the rest.

    Raises
    ------
    UnknownLayerError
        If a layer has no rule.
    """
    rules = [_find_rule(layer) for layer in network.layers]
    lasagne = network.lasagne or _needed_release(network.layers, rules)
    known: Known = {}
    rows: list[Row] = []
    for layer, rule in zip(network.layers, rules, strict=True):
        feeding = [rows[i] if isinstance(i, int) else i for i in layer.inputs]
        try:
            _check_keywords(layer, rule, lasagne)
            rows.append(_make_row(layer, rule, lasagne, feeding, len(rows), known))
        except HandCalculationError as error:
            if error.layer is None:
                error = type(error)(f"{layer.name}: {error}", layer.name)
            return Table(tuple(rows), lasagne), error
    return Table(tuple(rows), lasagne), None


def _find_rule(layer: LayerDescription) -> Rule:
    rule = find_rule(layer.lineage)
    if rule is not None:
        return rule
    near = get_close_matches(layer.type, known_types(), n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise UnknownLayerError(
        f"{layer.name}: there is no rule for layers of the class {layer.type}. {hint}"
        "For a class of your own write a rule and decorate it with "
        f'@rule("{layer.type}"): see help(mnist_cnn.by_hand.rule)',
        layer.name,
    )


def _needed_release(layers: Iterable[LayerDescription], rules: Iterable[Rule]) -> str:
    """0.2 where a layer or a keyword is newer than 0.1, else 0.1."""
    for layer, rule in zip(layers, rules, strict=True):
        if rule.since == LASAGNE_0_2 or not rule.newer.isdisjoint(layer.arguments):
            return LASAGNE_0_2
    return LASAGNE_0_1


def _check_keywords(layer: LayerDescription, rule: Rule, lasagne: str) -> None:
    """Refuse a layer or keyword that this release lacks, and what is missing."""
    is_old = lasagne == LASAGNE_0_1
    if is_old and rule.since == LASAGNE_0_2:
        raise UnknownLayerError(f"Lasagne 0.1 has no {layer.type}; 0.2.dev1 has")
    problems = []
    for name in rule.unexpected(layer.arguments):
        takes = [*rule.keywords, *rule.inputs, *rule.ignored]
        near = get_close_matches(name, takes, n=1)
        hint = f", did you mean {near[0]}?" if near else ""
        problems.append(f"{layer.type} takes no {name}{hint}")
    if is_old:
        problems += [
            f"{layer.type} of Lasagne 0.1 does not take {name}; 0.2.dev1's does"
            for name in layer.arguments
            if name in rule.newer
        ]
    missing = [name for name in rule.required if name not in layer.arguments]
    if missing:
        problems.append(f"{layer.type} needs {' and '.join(missing)}")
    if problems:
        raise HyperParameterError("; ".join(problems))


def _make_row(
    layer: LayerDescription,
    rule: Rule,
    lasagne: str,
    feeding: list[Row | Shape],
    index: int,
    known: Known,
) -> Row:
    shapes = tuple(one.output_shape if isinstance(one, Row) else one for one in feeding)
    names = tuple(one.name for one in feeding if isinstance(one, Row))
    incoming = Incoming(layer.name, lasagne, shapes, names)
    arguments = {
        name: layer.arguments[name] for name in rule.keywords if name in layer.arguments
    }
    try:
        derived = rule.derive(incoming, **arguments)
        derived = replace(derived, tensors=tuple(derived.tensors))
        _check_whole(derived)
        tensors = tuple(_resolve(derived.tensors, layer, known))
    except UnknownInputError:
        unknown = next(
            one for one in feeding if isinstance(one, Row) and one.output_shape is None
        )
        because = f"the size of {unknown.name} is not known"
        if unknown.parameters is None:
            because = unknown.unknown_because
        derived = Derivation(
            None,
            unknown_because=because,
            connections=Unknown(because),
            windows=Unknown(because),
        )
        tensors = ()
        parameters, formula = None, Formula("p", p=None)
    else:
        parameters, formula = _count(derived, tensors)
        _check_extent(derived.output_shape, parameters)
    unsaid = Unknown(f"the rule for layers of the class {layer.type} does not say")
    connections = derived.connections
    if connections is None:
        connections = unsaid if tensors else Formula("0")
    return Row(
        index=index,
        name=layer.name,
        type=layer.type,
        output_shape=derived.output_shape,
        size_formula=derived.size_formula,
        parameters=parameters,
        parameter_formula=formula,
        tensors=tensors,
        inputs=names,
        unknown_because=derived.unknown_because,
        sources=tuple(one.index if isinstance(one, Row) else None for one in feeding),
        input_shapes=shapes,
        connections=connections,
        windows=unsaid if derived.windows is None else derived.windows,
    )


def _check_whole(derived: Derivation) -> None:
    """Refuse what a rule took from hyper-parameters that it did not look at."""
    for tensor in derived.tensors:
        for size in tensor.shape:
            unbounded_number(f"a size of {tensor.name}", size)
    for extent in derived.output_shape or ():
        if extent is not None:
            unbounded_number("a size of its output", extent)


def _check_extent(shape: Shape | None, parameters: int) -> None:
    """Refuse sizes that grew beyond what any array can have."""
    if (
        max(abs(one) for one in (parameters, *(shape or ())) if one is not None)
        > LARGEST
    ):
        raise ImpossibleSizeError(
            "a size of its output or the number of its parameters would be beyond "
            f"{LARGEST}, the largest size that an array can have"
        )


def _count(derived: Derivation, tensors: tuple[Tensor, ...]) -> tuple[int, Formula]:
    """The trainable parameters that are the layer's own, and a formula for them."""
    own = [one for one in tensors if one.trainable and not one.shared_with]
    as_derived = [one.shape for one in own] == [
        one.shape for one in derived.tensors if one.trainable
    ]
    formula = derived.parameter_formula
    if formula is None or not as_derived:
        formula = sum_of_products(one.shape for one in own)
    count = sum(one.count for one in own)
    if formula.value != count:
        raise HandCalculationError(
            f"the rule's formula {formula} comes to {formula.value}, its tensors to "
            f"{count}"
        )
    return count, formula


def _resolve(
    tensors: Iterable[Tensor], layer: LayerDescription, known: Known
) -> Iterator[Tensor]:
    """Each tensor, with what the network says of its training and sharing."""
    for tensor in tensors:
        place = tensor.source or tensor.name
        variable = tensor.variable
        if variable is None:
            variable = layer.variables.get(place)
        if isinstance(variable, SharedFrom) and variable.computed:
            source = f"{variable.layer}.{variable.tensor}"
            yield replace(tensor, shared_with=source, variable=variable)
            continue
        own = f"{layer.name}.{tensor.name}"
        key = _identity(variable, f"{layer.name}.{place}")
        first, shape = known.setdefault(key, (own, tensor.shape))
        if shape != tensor.shape:
            raise ImpossibleSizeError(
                f"{tensor.name} would be {format_shape(tensor.shape)}, but it is the "
                f"same as {first}, which is {format_shape(shape)}"
            )
        yield replace(
            tensor,
            trainable=tensor.trainable and place not in layer.frozen,
            shared_with=first if first != own else "",
            variable=variable,
        )


def _identity(variable: object, own: str) -> object:
    """A key that is the same for the same variable."""
    if variable is None:
        return own
    if isinstance(variable, SharedFrom):
        return f"{variable.layer}.{variable.tensor}"
    return id(variable)
