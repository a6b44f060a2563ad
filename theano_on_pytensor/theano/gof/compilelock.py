"""The lock on the folder of compiled C code. Nothing is compiled here, so it is
always free.
"""

from contextlib import contextmanager

__all__ = ["force_unlock", "get_lock", "lock_ctx", "release_lock", "set_lock_status"]


def set_lock_status(use_lock):
    """Whether to lock that folder: no matter here."""


def get_lock(lock_dir=None, **kw):
    """Take the lock: nothing to do."""


def release_lock():
    """Give the lock back: nothing to do."""


def force_unlock():
    """Break the lock: nothing to do."""


@contextmanager
def lock_ctx(lock_dir=None, keep_lock=False, **kw):
    """A ``with`` block under the lock."""
    yield
