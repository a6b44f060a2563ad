"""Recurrent layers: plain, LSTM, GRU, and of networks of one's own.

Inputs are (batch, time, features...). Symbols: `n` features a time step, `m` units, `g`
gates, `t` time steps. A layer's first state is kept beside its weights and is trained
only with ``learn_init=True``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter

from ..description import Network, Shape, format_shape
from ..errors import HyperParameterError
from ..formula import Formula, product
from ..rows import Tensor
from ..windows import Unknown
from .hyperparameters import known_sizes, whole_number
from .registry import Derivation, Incoming, rule

_WITHOUT_EFFECT = (
    "backwards gradient_steps grad_clipping unroll_scan precompute_input mask_input "
    "nonlinearity "
)


def _features(shape: Shape) -> int | Formula:
    if len(shape) < 3:
        raise HyperParameterError(
            "a recurrent layer takes (batch, time, features), got the shape "
            f"{format_shape(shape)}"
        )
    return product(known_sizes(shape[2:], "features of a time step"))


def _count(features: int | Formula) -> int:
    count = features if isinstance(features, int) else features.value
    assert count is not None
    return count


def _states(shape: Shape, learn: object, **inits: object) -> list[Tensor]:
    """The first states that a layer keeps: not one that another layer computes."""
    sizes = known_sizes(shape, "units of the hidden state")
    return [
        Tensor(name, (1, *sizes), trainable=bool(learn))
        for name, init in inits.items()
        if not _is_computed(init)
    ]


def _is_computed(init: object) -> bool:
    """Whether a first state is another layer's output or a Theano expression."""
    is_expression = hasattr(init, "owner") and not hasattr(init, "container")
    return is_expression or isinstance(init, (str, Network))


_SEES_THE_PAST = Unknown("a recurrent layer sees every step before")


def _output(shape: Shape, last: Shape, only_return_final: bool) -> Shape:
    return (shape[0], *last) if only_return_final else (*shape[:2], *last)


@rule(
    "RecurrentLayer",
    ignores=_WITHOUT_EFFECT + "W_in_to_hid W_hid_to_hid",
    attributes={"num_units": attrgetter("input_to_hidden.num_units")},
    newer="only_return_final",
)
def derive_recurrent(
    incoming: Incoming,
    *,
    num_units: int,
    b: object = True,
    hid_init: object = None,
    learn_init: bool = False,
    only_return_final: bool = False,
) -> Derivation:
    """Weights from input and last state to each unit: ``(n + m + 1)*m``."""
    shape = incoming.shapes[0]
    features = _features(shape)
    units = whole_number("num_units", num_units, 1)
    states = _states((units,), learn_init, hid_init=hid_init)
    tensors = [*states, Tensor("W_in_to_hid", (_count(features), units))]
    if b is not None:
        tensors.append(Tensor("b", (units,)))
    tensors.append(Tensor("W_hid_to_hid", (units, units)))
    text = "(n + m + 1)*m" if b is not None else "(n + m)*m"
    if states and learn_init:
        text += " + m"
    return Derivation(
        _output(shape, (units,), only_return_final),
        tensors,
        Formula(text, n=features, m=units),
        connections=Formula("t*(n + m)*m", t=shape[1], n=features, m=units),
        windows=_SEES_THE_PAST,
    )


def _gates(names: Iterable[str], features: int, units: int) -> list[Tensor]:
    return [
        tensor
        for name in names
        for tensor in (
            Tensor(f"W_in_to_{name}", (features, units)),
            Tensor(f"W_hid_to_{name}", (units, units)),
            Tensor(f"b_{name}", (units,)),
        )
    ]


@rule(
    "LSTMLayer",
    ignores=_WITHOUT_EFFECT + "ingate forgetgate cell outgate",
    newer="only_return_final",
)
def derive_lstm(
    incoming: Incoming,
    *,
    num_units: int,
    peepholes: bool = True,
    cell_init: object = None,
    hid_init: object = None,
    learn_init: bool = False,
    only_return_final: bool = False,
) -> Derivation:
    """Three gates and the cell, each ``(n + m + 1)*m``; three peepholes of ``m``."""
    shape = incoming.shapes[0]
    features = _features(shape)
    units = whole_number("num_units", num_units, 1)
    names = ("ingate", "forgetgate", "cell", "outgate")
    tensors = _gates(names, _count(features), units)
    text = "g*(n + m + 1)*m"
    if peepholes:
        tensors += [
            Tensor(f"W_cell_to_{name}", (units,)) for name in names if name != "cell"
        ]
        text += " + 3*m"
    per_step = "(g*(n + m)*m + 3*m)" if peepholes else "g*(n + m)*m"
    states = _states((units,), learn_init, cell_init=cell_init, hid_init=hid_init)
    if states and learn_init:
        text += " + m" if len(states) == 1 else " + 2*m"
    return Derivation(
        _output(shape, (units,), only_return_final),
        [*tensors, *states],
        Formula(text, g=4, n=features, m=units),
        connections=Formula(f"t*{per_step}", t=shape[1], g=4, n=features, m=units),
        windows=_SEES_THE_PAST,
    )


@rule(
    "GRULayer",
    ignores=_WITHOUT_EFFECT + "resetgate updategate hidden_update",
    newer="only_return_final",
)
def derive_gru(
    incoming: Incoming,
    *,
    num_units: int,
    hid_init: object = None,
    learn_init: bool | None = None,
    only_return_final: bool = False,
) -> Derivation:
    """Two gates and the hidden update, each ``(n + m + 1)*m``.

    Lasagne 0.1 learns the first state unless told not to, 0.2 only if told to.
    """
    shape = incoming.shapes[0]
    features = _features(shape)
    units = whole_number("num_units", num_units, 1)
    learn = incoming.is_lasagne_0_1 if learn_init is None else bool(learn_init)
    tensors = _gates(
        ("updategate", "resetgate", "hidden_update"), _count(features), units
    )
    states = _states((units,), learn, hid_init=hid_init)
    text = "g*(n + m + 1)*m" + (" + m" if states and learn else "")
    return Derivation(
        _output(shape, (units,), only_return_final),
        [*tensors, *states],
        Formula(text, g=3, n=features, m=units),
        connections=Formula("t*g*(n + m)*m", t=shape[1], g=3, n=features, m=units),
        windows=_SEES_THE_PAST,
    )


@rule(
    "CustomRecurrentLayer",
    ignores=_WITHOUT_EFFECT,
    newer="only_return_final",
)
def derive_custom_recurrent(
    incoming: Incoming,
    *,
    input_to_hidden: Network,
    hidden_to_hidden: Network,
    hid_init: object = None,
    learn_init: bool = False,
    only_return_final: bool = False,
) -> Derivation:
    """The parameters of its two networks, and the first state."""
    from ..walk import calculate

    parts = {"input_to_hidden": input_to_hidden, "hidden_to_hidden": hidden_to_hidden}
    for name, part in parts.items():
        if not isinstance(part, Network):
            raise HyperParameterError(
                f"{name}={part!r}, where Lasagne's layers are needed: a network of "
                "one's own inside a layer is read from the layer object alone"
            )
    shape = incoming.shapes[0]
    tables = {
        name: calculate(replace(part, lasagne=incoming.lasagne))
        for name, part in parts.items()
    }
    state = tables["hidden_to_hidden"].rows[-1].size
    if state is None:
        because = "its hidden state's size is not known"
        return Derivation(
            None,
            unknown_because=because,
            connections=Unknown(because),
            windows=_SEES_THE_PAST,
        )
    tensors = _states(state, learn_init, hid_init=hid_init)
    for name, table in tables.items():
        tensors += [
            replace(tensor, name=f"{name}.{row.name}.{tensor.name}", shared_with="")
            for row in table
            for tensor in row.tensors
        ]
    inner = [row.connections for table in tables.values() for row in table]
    unknown = next((one for one in inner if isinstance(one, Unknown)), None)
    each_step = {
        f"a{number}": one
        for number, one in enumerate(inner, start=1)
        if isinstance(one, Formula)
    }
    return Derivation(
        _output(shape, state, only_return_final),
        tensors,
        connections=unknown
        or Formula(f"t*({' + '.join(each_step)})", t=shape[1], **each_step),
        windows=_SEES_THE_PAST,
    )
