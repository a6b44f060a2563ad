"""``python -m mnist_cnn``: the command ``mnist-cnn``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
