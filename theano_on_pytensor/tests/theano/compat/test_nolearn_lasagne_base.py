"""The patches of nolearn's net, on a stand-in; the project's tests use the real one."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    clone,
    is_classifier,
    is_regressor,
)

from theano.compat.nolearn_lasagne_base import patch

README = Path(__file__).parents[3] / "README.md"


@pytest.fixture
def module():
    class NeuralNet(BaseEstimator):
        """Stores a copy of its layers, and two arguments not at all."""

        def __init__(self, layers, regression=False, loss=None, X_tensor_type=None):
            self.layers = list(layers)
            self.regression = regression

    class _dict(dict):
        def __contains__(self, key):
            return True

    return SimpleNamespace(NeuralNet=NeuralNet, _dict=_dict)


def test_without_the_patch_scikit_learn_refuses(module):
    with pytest.raises(AttributeError, match="X_tensor_type"):
        clone(module.NeuralNet([1]))


def test_clone_copies_the_arguments(module):
    patch(module)
    net = module.NeuralNet([[1]], regression=True)
    other = clone(net)
    assert (other.layers, other.regression) == ([[1]], True)
    assert other.layers[0] is not net.layers[0]


def test_clone_keeps_what_metadata_was_asked_for(module):
    patch(module)
    net = module.NeuralNet([])
    net._metadata_request = {"epochs": True}
    assert clone(net)._metadata_request == {"epochs": True}


@pytest.mark.parametrize("regression", [False, True])
def test_kind_of_estimator(module, regression):
    patch(module)
    net = module.NeuralNet([], regression=regression)
    assert (is_classifier(net), is_regressor(net)) == (not regression, regression)


def test_kind_of_a_net_that_says_itself_what_it_is(module):
    patch(module)

    class Net(module.NeuralNet, ClassifierMixin):
        pass

    assert is_classifier(Net([]))


def test_classes_are_those_of_the_output_layer(module):
    patch(module)
    net = module.NeuralNet([])
    assert not hasattr(net, "classes_")
    net._output_layers = [SimpleNamespace(output_shape=(None, 3))]
    assert np.array_equal(net.classes_, np.arange(3))
    net.classes_ = ["a", "b", "c"]
    assert net.classes_ == ["a", "b", "c"]


def test_parameters_have_any_name_but_that_of_the_keywords(module):
    patch(module)
    parameters = module._dict(layers=[])
    assert "layers" in parameters
    assert "hidden_num_units" in parameters
    assert "kwargs" not in parameters


def test_every_patch_is_in_the_readme(module):
    before = set(vars(module.NeuralNet))
    patch(module)
    patched = set(vars(module.NeuralNet)) - before
    text = README.read_text(encoding="utf-8")
    assert len(patched) == 5
    assert [name for name in patched if f"`{name}`" not in text] == []
