"""What today's scikit-learn needs of ``nolearn.lasagne.base``.

:mod:`theano.restored_names` calls :func:`patch` right after that module has been
executed; nothing here imports nolearn.
"""

from types import ModuleType

import numpy as np

__all__ = ["patch"]


def _clone(self):
    """An untrained net, made from copies of the constructor's arguments."""
    from sklearn.base import clone

    arguments = self.get_params(deep=False).items()
    net = type(self)(**{name: clone(value, safe=False) for name, value in arguments})
    if hasattr(self, "_metadata_request"):
        net._metadata_request = clone(self._metadata_request, safe=False)
    return net


class _Classes:
    """``classes_``: the labels that ``predict`` gives, ``arange(n_outputs)``.

    A net with a label encoder has an attribute of this name, which goes first.
    """

    def __get__(self, net, owner=None):
        if net is None:
            return self
        if net.regression or not hasattr(net, "_output_layers"):
            raise AttributeError("only an initialized classifier has classes_")
        return np.arange(net._output_layers[0].output_shape[1])


def _tags_of(net_class: type):
    """``__sklearn_tags__`` for a class of nets."""

    def __sklearn_tags__(self):
        from sklearn.utils import ClassifierTags, RegressorTags

        tags = super(net_class, self).__sklearn_tags__()
        if self.regression:
            tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        else:
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        return tags

    return __sklearn_tags__


def patch(module: ModuleType) -> None:
    """Make the ``NeuralNet`` of the module one that scikit-learn can work with."""
    net = module.NeuralNet
    # scikit-learn reads every argument of a constructor as an attribute, which up
    # to 0.19 could be missing; nolearn takes these two only to refuse them.
    net.loss = None
    net.X_tensor_type = None
    # scikit-learn's own clone demands that the constructor stores the very objects
    # that it is given, which up to 0.19 had to be equal; nolearn's makes lists of
    # its own of the layers and of empty lists of handlers.
    net.__sklearn_clone__ = _clone
    # scikit-learn uses predict_proba, to score or to vote, of nothing but what says
    # that it is a classifier and has classes_; it used to try.
    net.__sklearn_tags__ = _tags_of(net)
    net.classes_ = _Classes()
    # A notebook shows an estimator's parameters by the names of its constructor's
    # arguments that get_params has; nolearn's says that it has any name.
    module._dict.__contains__ = lambda self, name: name != "kwargs"
