"""Reads the network that a command line names: a file, standard input, or words."""

from __future__ import annotations

import ast
import re
import runpy
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .description import Network, Shape
from .errors import DescriptionError
from .networks import NETWORKS
from .read import read_network
from .read_definitions import shorten
from .read_short import is_short, read_sizes
from .read_text import MOST_BYTES, decode, read_file, read_text, resize

_VARIABLE = re.compile(r"(?P<file>.+\.py):(?P<name>[^\W\d]\w*)", re.DOTALL)


def read_source(
    source: str | None,
    name: str | None = None,
    *,
    standard_input: BinaryIO | None = None,
    input_sizes: Iterable[str] = (),
    definitions: Iterable[str] = (),
    lasagne: str | None = None,
) -> Network:
    """The network that command-line arguments name.

    Parameters
    ----------
    source : str or None
        A file, "-" for `standard_input`, "file.py:variable" (the file is run), or the
        short form itself; None for one of :data:`NETWORKS`.
    name : str, optional
        Which network, where there are several.
    input_sizes : iterable of str
        Other sizes of the input: ``"1x32x32"``, or by the input layer's name
        ``"image=1x32x32"``.
    definitions : iterable of str
        ``"num_classes=10"``: values of names that Python code takes from elsewhere.
    lasagne : str, optional
        Version whose behaviour is asked for.

    Raises
    ------
    DescriptionError
        If there is no such network, or it cannot be read: starting with the file's
        name.
    """
    sizes = dict(_read_input_size(text) for text in input_sizes)
    if source is None:
        network = read_network(_find_known(name), lasagne)
        return resize(network, sizes) if sizes else network
    defined = dict(_read_definition(text) for text in definitions)
    with _named(source):
        variable = _VARIABLE.fullmatch(source)
        if variable and not Path(source).exists():
            network = read_network(
                _run(Path(variable["file"]), variable["name"]), lasagne
            )
            return resize(network, sizes) if sizes else network
        text, form = _read(source, standard_input)
        return read_text(
            text,
            name,
            form=form,
            lasagne=lasagne,
            input_sizes=sizes,
            defined=defined,
        )


def _find_known(name: str | None) -> object:
    if name is None or name in NETWORKS:
        return NETWORKS[name or "question"]
    raise DescriptionError(
        f"there is no network {shorten(name)}; without a file there are "
        f"{' and '.join(sorted(NETWORKS))}"
    )


@contextmanager
def _named(source: str) -> Iterator[None]:
    """Let errors start with where the network comes from."""
    try:
        yield
    except DescriptionError as error:
        if not _is_text(source):
            start = "standard input" if source == "-" else source
            error.args = (f"{start}: {error}",)
        raise


def _cut(text: str) -> str:
    """A text in one line, cut to a width."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."


def _read(source: str, standard_input: BinaryIO | None) -> tuple[str, str | None]:
    """The text that `source` names, and the form that its name tells."""
    if source == "-" and standard_input is not None:
        return decode(standard_input.read(MOST_BYTES + 1)), None
    path = Path(source)
    try:
        is_file = path.exists()
    except (OSError, ValueError):
        is_file = False
    if is_file:
        return read_file(path)
    if _is_text(source):
        return source, None
    raise DescriptionError(
        "there is no such file, and the short form starts with the input's size: "
        '"1x28x28 conv32@5x5 pool2 dense10"'
    )


def _is_text(source: str) -> bool:
    """Whether it is a network's description itself, rather than where to find one."""
    return "\n" in source or source.lstrip()[:1] in ("[", "{") or is_short(source)


def _read_input_size(text: str) -> tuple[str, Shape]:
    name, _, sizes = text.rpartition("=")
    return name, read_sizes(sizes)


def _read_definition(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    try:
        if not equals or not all(map(str.isidentifier, name.split("."))):
            raise ValueError("a name, = and a value")
        return name, ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        raise DescriptionError(
            f"got {shorten(text)}, where a name and a value are needed, both as Python "
            "writes them: num_classes=10"
        ) from None


def _run(path: Path, variable: str) -> object:
    """What a variable of a program holds once the program has run."""
    if not path.is_file():
        raise DescriptionError("there is no such file")
    before = list(sys.path)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        names = runpy.run_path(str(path), run_name=path.stem)
        if variable not in names:
            known = ", ".join(sorted(one for one in names if not one.startswith("_")))
            raise DescriptionError(f"it has no {variable}, but {shorten(known, 200)}")
        value = names[variable]
        made_by_call = callable(value) and not isinstance(value, type)
        is_object = hasattr(value, "get_params")
        return value() if made_by_call and not is_object else value
    except DescriptionError:
        raise
    except ModuleNotFoundError as error:
        raise DescriptionError(
            f"running it needs the package {error.name}, which is not installed"
        ) from error
    except (Exception, SystemExit) as error:
        raise DescriptionError(
            f"running it ended with {type(error).__name__}: {_cut(str(error))}"
        ) from error
    finally:
        sys.path[:] = before
