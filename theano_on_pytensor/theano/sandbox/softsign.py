"""Where :func:`theano.tensor.nnet.softsign` was first."""

from theano.tensor.nnet.nnet import softsign

__all__ = ["softsign"]
