"""``sklearn.externals.joblib``, a copy that scikit-learn 0.23 left to joblib."""

import joblib
from joblib import *  # noqa: F403

__all__ = sorted(joblib.__all__)
