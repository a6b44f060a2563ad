"""Reads a network from text: JSON, the short form, or Python code, which is not run.

:mod:`.read_json`, :mod:`.read_short`, :mod:`.read_python` and, for code in a notebook,
:mod:`.read_notebook` say what each may hold.
Whatever the text, it gives a network or a :class:`HandCalculationError`.
"""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from .description import (
    MOST_LAYERS,
    Found,
    LayerDescription,
    Network,
    Shape,
    Untold,
    lasagne_release,
)
from .errors import DescriptionError, UntoldError
from .read_definitions import shorten
from .rules import find_rule

MOST_BYTES = 1_000_000
"""A longer text is refused."""

MOST_BYTES_OF_A_NOTEBOOK = 20_000_000
"""A longer notebook is refused, pictures and all."""

_MOST_NAMES = 10
_JSON = re.compile(r'\s*(?:\{\s*["}]|\[\s*(?:\]|\[\s*["\[\]]|\{\s*["}]))')
"""How JSON starts that may describe a network: Python's texts and names differ."""

_FORMS = {".ipynb": "notebook", ".json": "json", ".py": "python"}


def read_text(
    text: str,
    name: str | None = None,
    *,
    form: str | None = None,
    lasagne: str | None = None,
    input_sizes: Mapping[str, Shape] | None = None,
    defined: Mapping[str, object] | None = None,
) -> Network:
    """The network that a text describes.

    Parameters
    ----------
    text : str
        JSON, the short form, Python code, or a notebook.
    name : str, optional
        Which network, where the text holds several.
    form : {"json", "notebook", "python", "short"}, optional
        By default told from the text.
    lasagne : str, optional
        Version whose behaviour is asked for.
    input_sizes : mapping, optional
        Other sizes of the input, the batch left out; by the name of an input layer,
        or by "" where there is one.
    defined : mapping, optional
        Values of names that Python code takes from elsewhere.

    Raises
    ------
    DescriptionError
        If the text holds no network, or several and `name` is none of them.
    UntoldError
        If only running the code would tell something of it.
    """
    network = _choose(find_networks(text, form=form, defined=defined), name).read()
    if len(network.layers) > MOST_LAYERS:
        raise DescriptionError(
            f"it has {len(network.layers)} layers; {MOST_LAYERS} are the most"
        )
    if input_sizes:
        network = resize(network, input_sizes)
    _refuse_untold(network)
    if lasagne is not None:
        network = replace(network, lasagne=lasagne_release(lasagne))
    return network


def find_networks(
    text: str,
    *,
    form: str | None = None,
    defined: Mapping[str, object] | None = None,
) -> list[Found]:
    """All the networks that a text holds, in its order.

    Parameters and errors are those of :func:`read_text`.
    """
    given, form = form, form or tell_form(text)
    try:
        if form == "notebook" and len(text) <= MOST_BYTES_OF_A_NOTEBOOK:
            from .read_notebook import read_notebook

            text = read_notebook(text)
        _check_text(text)
        if form == "json":
            from .read_json import read_json

            return read_json(text)
        if form == "short":
            from .read_short import read_short

            return [Found("", 0, partial(read_short, text))]
        from .read_python import read_python

        return read_python(text, defined or {}, among_prose=given != "python")
    except RecursionError:
        raise DescriptionError("it is nested too deeply to be read") from None


def tell_form(text: str) -> str:
    """ "json", "notebook", "short" or "python", from how the text starts."""
    from .read_notebook import is_notebook
    from .read_short import is_short

    if is_short(text):
        return "short"
    if not _JSON.match(text):
        return "python"
    return "notebook" if is_notebook(text) else "json"


def read_file(path: Path) -> tuple[str, str | None]:
    """The text of a file, and the form that its name tells.

    Raises
    ------
    DescriptionError
        If it cannot be read, is too long, or is no text.
    """
    form = _FORMS.get(path.suffix.lower())
    most = MOST_BYTES_OF_A_NOTEBOOK if form == "notebook" else MOST_BYTES
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise DescriptionError(f"it cannot be read: {error.strerror}") from error
    return decode(data, most), form


def decode(data: bytes, most: int = MOST_BYTES) -> str:
    """The text that bytes stand for: UTF-8, or what a mark or a Python comment says.

    Raises
    ------
    DescriptionError
        If there are more than `most`, or they are no text.
    """
    if len(data) > most:
        raise DescriptionError(
            f"it is longer than {most:,} bytes; no description of a network is"
        )
    encoding = "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"coding" in data[:200]:
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        except (SyntaxError, ValueError) as error:
            raise DescriptionError(f"it is no text: {error}") from None
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        place = getattr(error, "start", None)
        raise DescriptionError(
            "it is no text in UTF-8"
            + ("" if place is None else f": see byte {place}, {data[place]:#04x}")
        ) from None


def _check_text(text: str) -> None:
    if len(text) > MOST_BYTES:
        raise DescriptionError(
            f"it is longer than {MOST_BYTES:,} characters; no description of a network "
            "is"
        )
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DescriptionError(f"line {line} holds a NUL character: it is no text")


def _choose(found: Sequence[Found], name: str | None) -> Found:
    names = [one.name for one in found]
    if name is None:
        if len(found) == 1:
            return found[0]
        listed = [
            f"{one.name} (line {one.line})" if one.line else one.name
            for one in found[:_MOST_NAMES]
        ]
        if len(found) > _MOST_NAMES:
            listed.append(f"and {len(found) - _MOST_NAMES} more")
        raise DescriptionError(
            f"it holds {len(found)} networks, say which (--network NAME): "
            f"{', '.join(listed)}"
        )
    if name in names:
        return found[names.index(name)]
    near = get_close_matches(name, names, n=1)
    has = ", ".join(one or "one without a name" for one in names[:_MOST_NAMES])
    hint = f"did you mean {near[0]}?" if near else f"it has {has}"
    raise DescriptionError(f"it holds no network called {shorten(name)}: {hint}")


def resize(network: Network, sizes: Mapping[str, Shape]) -> Network:
    """The network with other sizes of its input.

    Parameters
    ----------
    sizes : mapping
        Sizes without the batch, by the name of an input layer, or by "" where there
        is one.

    Raises
    ------
    DescriptionError
        If there is no such input layer, or several for "".
    """
    inputs = [one.name for one in network.layers if "InputLayer" in one.lineage]
    if not inputs:
        raise DescriptionError("it has no input layer whose size could be changed")
    wanted = dict(sizes)
    if "" in wanted:
        if len(inputs) > 1:
            raise DescriptionError(
                f"it has {len(inputs)} input layers, say which: "
                f"{' or '.join(f'{one}=SIZE' for one in inputs)}"
            )
        wanted[inputs[0]] = wanted.pop("")
    unknown = [name for name in wanted if name not in inputs]
    if unknown:
        raise DescriptionError(
            f"it has no input layer called {shorten(unknown[0])}; its input layers are "
            f"{', '.join(inputs)}"
        )
    return replace(
        network,
        layers=tuple(
            _resize(one, wanted[one.name]) if one.name in wanted else one
            for one in network.layers
        ),
    )


def _resize(layer: LayerDescription, sizes: Shape) -> LayerDescription:
    before = layer.arguments.get("shape")
    batch = before[0] if isinstance(before, (tuple, list)) and before else None
    return replace(layer, arguments={**layer.arguments, "shape": (batch, *sizes)})


def _refuse_untold(network: Network) -> None:
    """Refuse a network that depends on what only running the program would tell."""
    told: list[str] = []
    for layer in network.layers:
        rule = find_rule(layer.lineage)
        for keyword in rule.keywords if rule else ():
            told += _find_untold(layer.arguments.get(keyword))
    if told:
        raise UntoldError(told)


def _find_untold(value: object) -> list[str]:
    if isinstance(value, Untold):
        return [str(value)]
    if isinstance(value, (tuple, list)):
        return [found for part in value for found in _find_untold(part)]
    return []
