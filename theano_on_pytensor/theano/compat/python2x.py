"""``theano.compat.python2x``: where 2013's code looked for ``OrderedDict``."""

from collections import Counter, OrderedDict

__all__ = ["Counter", "OrderedDict"]
