"""Imports what training stands on, and nothing else: the yardstick of a start.

Three modules of scikit-learn that nolearn needs, PyTensor and Numba.
"""

import os

os.environ.setdefault("PYTENSOR_FLAGS", "cxx=")  # it looks for no compiler, then

import job as jobs  # noqa: E402

jobs.read()

import numba  # noqa: E402, F401
import pytensor  # noqa: E402, F401
import sklearn.metrics  # noqa: E402, F401
import sklearn.model_selection  # noqa: E402, F401
import sklearn.preprocessing  # noqa: E402, F401

jobs.write({"seconds": jobs.seconds_since_start()})
