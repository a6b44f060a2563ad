"""What Theano offered to serve Python 2 and 3 from one source."""

from collections import OrderedDict
from collections.abc import Iterable, ValuesView
from itertools import filterfalse as ifilterfalse
from operator import truediv as operator_div

PY3 = True
imap = map
izip = zip
ifilter = filter
string_types = (str,)


def cmp(a, b):
    """-1, 0 or 1, as Python 2's ``cmp``."""
    return (a > b) - (a < b)


def decode(value):
    """``value`` as text; bytes are read as UTF-8."""
    return value.decode("utf-8") if isinstance(value, bytes) else value


def decode_iter(values):
    """:func:`decode` of each value."""
    return map(decode, values)


def exc_message(exception):
    """The first argument of an exception."""
    return exception.args[0]


__all__ = [
    "Iterable",
    "OrderedDict",
    "PY3",
    "ValuesView",
    "cmp",
    "decode",
    "decode_iter",
    "exc_message",
    "ifilter",
    "ifilterfalse",
    "imap",
    "izip",
    "operator_div",
    "string_types",
]
