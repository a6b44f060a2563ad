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
        "assert GridSearchCV is sklearn.model_selection.GridSearchCV\n"
    )


def test_other_missing_modules_stay_missing():
    run(
        "import theano\n"
        "try:\n    import sklearn.no_such_module\n"
        "except ModuleNotFoundError:\n    pass\n"
        "else:\n    raise SystemExit('imported')\n"
    )
