"""The network of the question, trained as in 2015 and counted by hand.

A name is imported when it is first asked for, so that the hand calculation starts at
once and needs nothing installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import by_hand
    from .comparison import compare
    from .dataset import load_mnist
    from .experiment import run_experiment
    from .layer_info import capture_layer_info
    from .network import build_network

__version__ = "0.1.0"

__all__ = [
    "build_network",
    "by_hand",
    "capture_layer_info",
    "compare",
    "load_mnist",
    "run_experiment",
]

_MODULES = {
    "build_network": "network",
    "capture_layer_info": "layer_info",
    "compare": "comparison",
    "load_mnist": "dataset",
    "run_experiment": "experiment",
}


def __getattr__(name: str) -> Any:
    if name == "by_hand":
        return import_module(".by_hand", __name__)
    if name in _MODULES:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
