"""A page to play with: edit any number of a network and see what becomes of the rest.

The page asks a server on this machine, which answers by the rules of
:mod:`mnist_cnn.by_hand`; there is no second implementation of them.
"""

from .server import make_server

__all__ = ["make_server"]
