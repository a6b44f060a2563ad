"""Rewrites that moved work to a GPU: those that programs register never match."""

__all__ = [
    "gpu_optimizer",
    "gpu_optimizer2",
    "op_lifter",
    "register_opt",
    "register_opt2",
]


class _NoRewrites:
    """A database of rewrites that forgets them: there is no GPU to move work to."""

    def register(self, *args, **kwargs):
        """Take no notice."""


gpu_optimizer = _NoRewrites()
gpu_optimizer2 = _NoRewrites()


def register_opt(*tags, **kwargs):
    """A decorator that leaves a rewrite as it is."""
    return lambda rewrite: rewrite


def register_opt2(tracks, *tags, **kwargs):
    """A decorator that leaves a rewrite as it is."""
    return lambda rewrite: rewrite


def op_lifter(ops, cuda_only=False):
    """A decorator that leaves the maker of an Op on the GPU as it is."""
    return lambda maker: maker
