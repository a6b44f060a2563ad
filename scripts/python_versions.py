"""Which versions of Python serve.

Pythons that are too old read this file too, to say so: it keeps to syntax that
Python 2.7 knows.
"""

import sys

OLDEST = (3, 11)
NEWEST = (3, 14)


def name(version):
    """``"3.11"`` for ``(3, 11)``, and for any longer version."""
    return "%d.%d" % tuple(version[:2])


def is_supported(version):
    """Whether a version, such as ``sys.version_info``, serves."""
    return OLDEST <= tuple(version[:2]) <= NEWEST


def require_supported():
    """Exit with status 2, saying which versions serve, if this one does not."""
    if is_supported(sys.version_info):
        return
    sys.stderr.write(
        "This is Python %s; needed is one of %s to %s.\n"
        "Call this script with one that is installed, as in:\n"
        "    python%s %s\n"
        % (
            name(sys.version_info),
            name(OLDEST),
            name(NEWEST),
            name(NEWEST),
            " ".join(sys.argv),
        )
    )
    sys.exit(2)
