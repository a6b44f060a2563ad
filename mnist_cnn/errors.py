"""What the experiment refuses: every message says what was got and what was needed."""


class ExperimentError(Exception):
    """Base class of all errors of :mod:`mnist_cnn` outside ``by_hand``.

    The command line shows the message alone and exits with status 2.
    """
