"""A network's weights as a file of arrays: ``weights.npz``, never a pickle.

It holds ``names``, the parameters' names in the order of nolearn's
``get_all_params``, and for the K-th of them the array ``param_K`` (``param_000``,
``param_001``, ...).
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .errors import ExperimentError

if TYPE_CHECKING:
    from nolearn.lasagne import NeuralNet


class WeightsError(ExperimentError):
    """A file holds no weights, or those of another network."""


def save_weights(net: NeuralNet, path: str | os.PathLike[str]) -> None:
    """Write the weights of a net whose layers are initialised, all or nothing.

    Raises
    ------
    OSError
        If the file cannot be written; one that was there is left as it was.
    """
    path = Path(path)
    parameters = net.get_all_params()
    arrays = {
        f"param_{index:03}": parameter.get_value()
        for index, parameter in enumerate(parameters)
    }
    names = np.array([parameter.name or "" for parameter in parameters], dtype=np.str_)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("wb") as output:
            np.savez(output, allow_pickle=False, names=names, **arrays)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def load_weights(net: NeuralNet, path: str | os.PathLike[str]) -> None:
    """Give a net whose layers are initialised the weights that a file holds.

    Either all parameters are set or none is. Their float type stays the net's.

    Raises
    ------
    WeightsError
        If the file cannot be read as such a file, or if its parameters are not the
        net's: the first that differs in name or shape is named.
    """
    path = Path(path)
    names, arrays = _read(path)
    parameters = net.get_all_params()
    expected = [
        (parameter.name or "", parameter.get_value(borrow=True))
        for parameter in parameters
    ]
    held = list(zip(names, arrays, strict=True))
    for index, (theirs, ours) in enumerate(zip_longest(held, expected)):
        if theirs is None or ours is None or _differ(theirs, ours):
            raise WeightsError(
                f"{path} holds the weights of another network: its parameter {index} "
                f"is {_describe(theirs)}, this network's is {_describe(ours)}; needed "
                "are the weights of a run with this very network"
            )
    for parameter, (_, current), array in zip(
        parameters, expected, arrays, strict=True
    ):
        parameter.set_value(array.astype(current.dtype))


def _differ(theirs: tuple[str, Any], ours: tuple[str, Any]) -> bool:
    return (theirs[0], theirs[1].shape) != (ours[0], ours[1].shape)


def _describe(parameter: tuple[str, Any] | None) -> str:
    """A parameter's name and shape, as in ``conv2d1.W (32x1x5x5)``."""
    if parameter is None:
        return "missing"
    name, array = parameter
    return f"{name or 'nameless'} ({'x'.join(map(str, array.shape)) or 'a number'})"


def _read(path: Path) -> tuple[Sequence[str], list[npt.NDArray[np.floating[Any]]]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            names = [str(name) for name in file["names"]]
            arrays = [file[f"param_{index:03}"] for index in range(len(names))]
    except FileNotFoundError as error:
        raise WeightsError(f"there is no file {path}") from error
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error}") from error
    except (
        # What is no .npz file: other arrays, a pickle, a damaged or another archive.
        AttributeError,
        EOFError,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
    ) as error:
        raise WeightsError(
            f"{path} holds no weights of this program: {error}"
        ) from error
    for name, array in zip(names, arrays, strict=True):
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise WeightsError(
                f"{path} holds no weights that can serve: {_describe((name, array))} "
                f"is of type {array.dtype}, needed are finite numbers of a float type"
            )
    return names, arrays
