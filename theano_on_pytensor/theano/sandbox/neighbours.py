"""Where :mod:`theano.tensor.nnet.neighbours` was first."""

from theano.tensor.nnet.neighbours import images2neibs, neibs2images

__all__ = ["images2neibs", "neibs2images"]
