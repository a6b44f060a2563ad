"""cuRAND's streams, whose numbers nothing but cuRAND draws."""

from theano.sandbox.rng_mrg import MRG_RandomStreams

__all__ = ["CURAND_RandomStreams"]


class CURAND_RandomStreams(MRG_RandomStreams):
    """:class:`~theano.sandbox.rng_mrg.MRG_RandomStreams` under this name: the same
    distributions, other numbers than a GPU drew.
    """
