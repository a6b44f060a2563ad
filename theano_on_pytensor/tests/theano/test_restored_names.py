"""Names that other packages dropped, where old code looks for them."""

import subprocess
import sys

import numpy as np


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_abstract_base_classes_come_back_to_collections():
    run(
        "import collections, collections.abc\n"
        "assert not hasattr(collections, 'Iterable')\n"
        "import theano\n"
        "for name in ('Iterable', 'Mapping', 'Callable', 'MutableMapping'):\n"
        "    assert getattr(collections, name) is getattr(collections.abc, name)\n"
    )


def test_a_name_that_is_there_is_left_alone():
    run(
        "import collections\n"
        "collections.Iterable = marker = object()\n"
        "import theano\n"
        "assert collections.Iterable is marker\n"
    )


def test_a_module_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "pkg_resources.py").write_text("here = True\n", encoding="utf-8")
    run(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import theano, pkg_resources\n"
        "assert pkg_resources.here\n"
    )


def test_restoring_again_changes_nothing():
    import theano

    before = list(sys.meta_path)
    theano.restored_names.restore()
    assert sys.meta_path == before


def test_pkg_resources_tells_versions():
    out = run(
        "import theano, sys\n"
        "from theano.compat.pkg_resources import *\n"
        "print(get_distribution('numpy').version)\n"
        "try:\n    get_distribution('no-such-distribution')\n"
        "except DistributionNotFound:\n    print('not found')\n"
    )
    assert out.split("\n")[:2] == [np.__version__, "not found"]


def test_modules_of_old_scikit_learn_can_be_imported():
    run(
        "import theano\n"
        "from sklearn.cross_validation import KFold, train_test_split\n"
        "from sklearn.grid_search import GridSearchCV, ParameterGrid\n"
        "import sklearn.model_selection\n"
        "assert issubclass(GridSearchCV, sklearn.model_selection.GridSearchCV)\n"
    )


def test_joblib_is_found_within_scikit_learn(tmp_path):
    run(
        "import theano, joblib\n"
        "spec = joblib.__spec__\n"
        "from sklearn.externals import joblib as served\n"
        f"served.dump([1, 2], {str(tmp_path / 'list')!r})\n"
        f"assert joblib.load({str(tmp_path / 'list')!r}) == [1, 2]\n"
        "assert joblib.__spec__ is spec\n"
    )


def test_other_missing_modules_stay_missing():
    run(
        "import theano\n"
        "try:\n    import sklearn.no_such_module\n"
        "except ModuleNotFoundError:\n    pass\n"
        "else:\n    raise SystemExit('imported')\n"
    )


# A stand-in for nolearn, whose module does no more than inherit.
BASE = """
from sklearn.base import BaseEstimator
import theano

class _dict(dict):
    def __contains__(self, key):
        return True

class NeuralNet(BaseEstimator):
    def __init__(self, layers, regression=False, loss=None, X_tensor_type=None):
        self.layers = list(layers)
        self.regression = regression
"""


def write_nolearn(folder):
    package = folder / "nolearn" / "lasagne"
    package.mkdir(parents=True)
    for path in (package, package.parent):
        (path / "__init__.py").write_text("", encoding="utf-8")
    (package / "base.py").write_text(BASE, encoding="utf-8")
    return f"import sys; sys.path.insert(0, {str(folder)!r})\n"


def test_nolearns_net_is_patched_whenever_it_is_imported(tmp_path):
    run(
        f"{write_nolearn(tmp_path)}"
        "import theano\n"
        "assert 'sklearn' not in sys.modules and 'nolearn' not in sys.modules\n"
        "from nolearn.lasagne.base import NeuralNet\n"
        "from sklearn.base import clone\n"
        "net = NeuralNet((1, 2))\n"
        "assert clone(net).layers == [1, 2]\n"
    )


def test_nolearns_module_keeps_its_source_and_its_loader(tmp_path):
    out = run(
        f"{write_nolearn(tmp_path)}"
        "import theano, inspect, importlib, nolearn.lasagne.base as base\n"
        "assert base.__file__ == base.__spec__.origin == inspect.getsourcefile(base)\n"
        "assert 'class NeuralNet' in inspect.getsource(base)\n"
        "assert base.__spec__.loader.is_package('nolearn.lasagne.base') is False\n"
        "before = base.NeuralNet\n"
        "importlib.reload(base)\n"
        "assert base.NeuralNet is not before\n"
        "print(base.NeuralNet.X_tensor_type)\n"
    )
    assert out == "None\n"


def test_nolearn_that_is_not_there_stays_missing(tmp_path):
    code = write_nolearn(tmp_path)
    (tmp_path / "nolearn" / "lasagne" / "base.py").unlink()
    run(
        f"{code}"
        "import theano\n"
        "try:\n    import nolearn.lasagne.base\n"
        "except ModuleNotFoundError as error:\n"
        "    assert error.name == 'nolearn.lasagne.base'\n"
        "else:\n    raise SystemExit('imported')\n"
    )
