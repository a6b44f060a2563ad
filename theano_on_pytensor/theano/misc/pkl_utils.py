"""Pickles of variables, functions and their values."""

import pickle

__all__ = ["dump", "load"]


def dump(obj, file_handler, protocol=pickle.DEFAULT_PROTOCOL, persistent_id=None):
    """Pickle ``obj`` to an open binary file.

    Theano wrote a zip file with the arrays apart; this writes a plain pickle.
    ``persistent_id`` is ignored.
    """
    pickle.dump(obj, file_handler, protocol=protocol)


def load(f, persistent_load=None):
    """What :func:`dump` wrote. Strings of Python 2 are read as Latin-1."""
    return pickle.load(f, encoding="latin1")
