"""A pytest plugin: what today's Python and NumPy lack of what 2016's tests use.

It changes no file of theirs. Each item says what it makes up for.
"""

import ast
import builtins
import functools
import sys
import unittest.mock

import numpy as np
import sklearn.datasets
from _pytest.assertion import rewrite
from sklearn.utils import Bunch


def _getattr_of_a_spec(obj, name, *default):
    """``mock`` of 2015 never read the attributes of its ``spec``; today's does, and
    a property that raises (``MergeLayer.output_shape``) ends it.
    """
    try:
        return builtins.getattr(obj, name, *default)
    except Exception:
        if default:
            return default[0]
        raise


unittest.mock.getattr = _getattr_of_a_spec

# The package mock, which unittest has taken over.
sys.modules.setdefault("mock", unittest.mock)


def _as_index(index):
    """A list of slices was an index of NumPy's until 1.23; a tuple of them is."""
    if isinstance(index, list) and any(isinstance(entry, slice) for entry in index):
        return tuple(index)
    return index


class _Indices(ast.NodeTransformer):
    """Passes whatever may be a list of slices through :func:`_as_index`."""

    def visit_Subscript(self, node):
        self.generic_visit(node)
        if isinstance(node.slice, ast.Name | ast.ListComp):
            function = ast.Name("_as_index", ast.Load())
            call = ast.Call(function, [node.slice], [])
            node.slice = ast.fix_missing_locations(ast.copy_location(call, node.slice))
        return node


def _rewrite_asserts(module, *args, **kwargs):
    _Indices().visit(module)
    _pytests_rewrite(module, *args, **kwargs)


builtins._as_index = _as_index
_pytests_rewrite = rewrite.rewrite_asserts
rewrite.rewrite_asserts = _rewrite_asserts
# Modules that pytest cached earlier were not rewritten so.
sys.dont_write_bytecode = True


def _fetch_mldata(name):
    """The site mldata.org is gone: MNIST from where this project takes it, in the
    site's order, by digit within the training and within the test images.
    """
    if name != "mnist-original":
        raise ValueError(f"the only set here is mnist-original, not {name}")
    from mnist_cnn.dataset import load_mnist

    mnist = load_mnist("full")
    images, labels = [], []
    for some_images, some_labels in (
        (mnist.train_images, mnist.train_labels),
        (mnist.test_images, mnist.test_labels),
    ):
        order = np.argsort(some_labels, kind="stable")
        images.append(some_images[order].reshape(-1, 28 * 28) * 255)
        labels.append(some_labels[order])
    return Bunch(
        data=np.concatenate(images).round().astype(np.uint8),
        target=np.concatenate(labels).astype(float),
    )


def _load_boston():
    """scikit-learn 1.2 dropped the prices of houses; mlxtend has them."""
    from mlxtend.data import boston_housing_data

    data, target = boston_housing_data()
    return Bunch(data=data, target=target)


sklearn.datasets.fetch_mldata = _fetch_mldata
# Looked up in the module's own dictionary, ahead of its __getattr__, which raises.
sklearn.datasets.load_boston = _load_boston


def _of_any_iterable(stack):
    """NumPy 1 also stacked the arrays of a generator."""

    @functools.wraps(stack)
    def wrapper(arrays, **options):
        return stack(list(arrays), **options)

    return wrapper


np.hstack = _of_any_iterable(np.hstack)
np.vstack = _of_any_iterable(np.vstack)


def pytest_configure(config):
    """Register the marks that the suites use."""
    config.addinivalue_line("markers", "slow: left out without --runslow")
