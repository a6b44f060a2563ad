"""``OrderedUpdates``: shared variables and their new values, in order."""

from collections import OrderedDict

from pytensor.compile.sharedvalue import SharedVariable

__all__ = ["OrderedUpdates"]


class OrderedUpdates(OrderedDict):
    """What shared variables become, in the order in which that was said.

    Raises
    ------
    TypeError
        If a key is not a shared variable.
    KeyError
        If two updates that are added disagree on a variable.
    """

    def __setitem__(self, variable, expression):
        if not isinstance(variable, SharedVariable):
            raise TypeError(
                f"an update is for a shared variable, not for {variable!r} of type "
                f"{type(variable).__name__}"
            )
        super().__setitem__(variable, expression)

    def update(self, other=None):
        """Take over all the updates of ``other``; those here already must agree."""
        items = other.items() if isinstance(other, dict) else other or ()
        for variable, expression in items:
            if self.get(variable, expression) is not expression:
                raise KeyError(
                    f"{variable} has two updates, {self[variable]} and {expression}"
                )
            self[variable] = expression

    def __add__(self, other):
        total = OrderedUpdates(self)
        total.update(other)
        return total

    def __radd__(self, other):
        total = OrderedUpdates(other)
        total.update(self)
        return total
