"""What is made of ``scan``: ``map``, ``reduce``, ``foldl``, ``foldr``.

Each returns its outputs and the updates of shared variables.
"""

from pytensor.scan import views

from theano.scan_module.scan import with_theanos_updates

__all__ = ["foldl", "foldr", "map", "reduce"]

map = with_theanos_updates(views.map)
reduce = with_theanos_updates(views.reduce)
foldl = with_theanos_updates(views.foldl)
foldr = with_theanos_updates(views.foldr)
