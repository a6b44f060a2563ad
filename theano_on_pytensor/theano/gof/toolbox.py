"""What can be attached to a graph to follow or restrict its changes."""

from pytensor.graph.features import (
    AlreadyThere,
    BadOptimization,
    Bookkeeper,
    Feature,
    History,
    NoOutputFromInplace,
    PreserveVariableAttributes,
    ReplaceValidate,
    Validator,
)

__all__ = [
    "AlreadyThere",
    "BadOptimization",
    "Bookkeeper",
    "Feature",
    "History",
    "NoOutputFromInplace",
    "PreserveVariableAttributes",
    "ReplaceValidate",
    "Validator",
]
