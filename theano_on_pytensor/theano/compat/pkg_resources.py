"""``pkg_resources`` as far as old code asks it: which version is installed."""

from importlib.metadata import Distribution, distribution
from importlib.metadata import PackageNotFoundError as DistributionNotFound

__all__ = ["DistributionNotFound", "fixup_namespace_packages", "get_distribution"]


def get_distribution(name: str) -> Distribution:
    """The installed distribution, with ``.version``.

    Raises
    ------
    DistributionNotFound
        If it is not installed.
    """
    return distribution(name)


def fixup_namespace_packages(path_item: str, parent: object = None) -> None:
    """Nothing: pytest calls it wherever ``pkg_resources`` is loaded, for namespace
    packages that setuptools declared, of which there are none here.
    """
