"""Names that other packages have dropped since, put back where old code looks.

Lasagne 0.1, nolearn 0.6.1 and programs of their day import :mod:`theano`
before they use any of these. A name that is still there is left alone.

==============================  ===============================================
``collections.Iterable`` etc.   the abstract base classes that moved to
                                ``collections.abc`` (gone in Python 3.10)
``sklearn.cross_validation``    its splitters, such as ``KFold(n, n_folds)``, with
                                the folds that scikit-learn 0.18 made, and
                                ``train_test_split``, ``cross_val_score``, ...
``sklearn.grid_search``         ``GridSearchCV`` with ``grid_scores_``, ...
``sklearn.externals.joblib``    joblib, a package of its own now
``pkg_resources``               ``get_distribution(name).version``, where
                                setuptools no longer brings it
``numpy.cast`` etc.             what NumPy dropped in 1.23, 1.24 and 2.x: see
                                :mod:`theano.compat.numpy_names`
==============================  ===============================================

One module is changed right after its import, by a module of
:mod:`theano.compat` that says why:

==============================  ===============================================
``nolearn.lasagne.base``        ``NeuralNet`` can be cloned by scikit-learn
==============================  ===============================================
"""

import collections
import collections.abc
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType

from theano.compat import numpy_names

__all__ = ["restore"]

_ABSTRACT_BASE_CLASSES = (
    *("Callable", "Container", "Hashable", "ItemsView", "Iterable", "Iterator"),
    *("KeysView", "Mapping", "MappingView", "MutableMapping", "MutableSequence"),
    *("MutableSet", "Sequence", "Set", "Sized", "ValuesView"),
)

_SERVED_BY = {
    "pkg_resources": "theano.compat.pkg_resources",
    "sklearn.cross_validation": "theano.compat.sklearn_cross_validation",
    "sklearn.externals.joblib": "theano.compat.sklearn_externals_joblib",
    "sklearn.grid_search": "theano.compat.sklearn_grid_search",
}

_PATCHED_BY = {
    "nolearn.lasagne.base": "theano.compat.nolearn_lasagne_base",
}


class _LastResortFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Serves a module of ``_SERVED_BY`` once no other finder has it."""

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in _SERVED_BY:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return importlib.import_module(_SERVED_BY[spec.name])

    def exec_module(self, module: ModuleType) -> None:
        """The module that serves has been executed by its own import."""


class _PatchingFinder(importlib.abc.MetaPathFinder):
    """Finds a module of ``_PATCHED_BY`` where it lies, and patches what it loads."""

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in _PATCHED_BY:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = partial(self.execute, spec.loader.exec_module)
        return spec

    @staticmethod
    def execute(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
        execute(module)
        if module.__name__ in _PATCHED_BY:
            importlib.import_module(_PATCHED_BY[module.__name__]).patch(module)


def restore() -> None:
    """Put the names back. Calling it again changes nothing."""
    for name in _ABSTRACT_BASE_CLASSES:
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))
    numpy_names.restore()
    if not any(isinstance(finder, _LastResortFinder) for finder in sys.meta_path):
        sys.meta_path.append(_LastResortFinder())
    if not any(isinstance(finder, _PatchingFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _PatchingFinder())


restore()
