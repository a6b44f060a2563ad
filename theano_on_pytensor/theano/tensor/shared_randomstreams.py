"""Random tensors from ``numpy.random.RandomState``, those of Theano number by number.

Each tensor made has a ``RandomState`` of its own, a shared variable that every call
of a compiled function moves on (``default_update``).
"""

import copy

from numpy.random import RandomState
from pytensor.compile.sharedvalue import SharedVariable

from pytensor_nnet.ops.random_state import random_state_type
from theano.tensor.raw_random import RandomStreamsBase

__all__ = ["RandomStateSharedVariable", "RandomStreams", "randomstate_constructor"]


class RandomStateSharedVariable(SharedVariable):
    """A shared ``RandomState``."""


def randomstate_constructor(
    value, name=None, strict=False, allow_downcast=None, borrow=False
):
    """The shared variable of a ``RandomState``: of a copy, unless ``borrow``.

    Raises ``TypeError`` for any other value.
    """
    if not isinstance(value, RandomState):
        raise TypeError(f"expected a numpy.random.RandomState, got {value!r}")
    return RandomStateSharedVariable(
        type=random_state_type,
        value=value if borrow else copy.deepcopy(value),
        strict=strict,
        allow_downcast=allow_downcast,
        name=name,
    )


class RandomStreams(RandomStreamsBase):
    """Makes random tensors, by the methods of :class:`RandomStreamsBase`.

    Parameters
    ----------
    seed : int, optional
        Of ``gen_seedgen``, which draws a seed for each tensor's ``RandomState``;
        ``None`` takes one from the operating system.

    Attributes
    ----------
    gen_seedgen : RandomState
    state_updates : list of tuple
        ``(shared RandomState, RandomState thereafter)`` of each tensor made.
    """

    def __init__(self, seed=None):
        self.state_updates = []
        self.default_instance_seed = seed
        self.gen_seedgen = RandomState(seed)

    def updates(self):
        """The list of tuples, :attr:`state_updates`, as a copy."""
        return list(self.state_updates)

    def seed(self, seed=None):
        """Give each tensor the ``RandomState`` it has if made after this seed.

        ``None`` is the seed given to the constructor.
        """
        if seed is None:
            seed = self.default_instance_seed
        seedgen = RandomState(seed)
        for state, _ in self.state_updates:
            state.set_value(_draw_state(seedgen), borrow=True)

    def __getitem__(self, item):
        """The ``RandomState`` that the shared variable ``item`` holds."""
        return item.get_value(borrow=True)

    def __setitem__(self, item, value):
        item.set_value(value, borrow=True)

    def gen(self, op, *args, **kwargs):
        """Make a tensor by a function of :mod:`theano.tensor.raw_random`.

        ``op`` is called with a shared ``RandomState`` and the further arguments; of
        the two variables it gives, the tensor is returned, with the shared variable
        as ``rng`` and the update as ``update``.
        """
        state = randomstate_constructor(_draw_state(self.gen_seedgen), borrow=True)
        state.tag.is_rng = True
        after, out = op(state, *args, **kwargs)
        out.rng = state
        out.update = (state, after)
        state.default_update = after
        self.state_updates.append(out.update)
        return out


def _draw_state(seedgen):
    return RandomState(int(seedgen.randint(2**30)))
