"""Reads ``THEANO_FLAGS`` and ``.theanorc``, and holds what they set.

:data:`theano.configdefaults.config` is the one instance that programs see. A
setting either belongs to this package (``device``, ``mode``, ``linker``, ...),
is forwarded to the PyTensor setting of the same meaning (``floatX``), or is
accepted because programs of the time set it although nothing here reads it
(``nvcc.*``, ``dnn.*``, ``lib.cnmem``).
"""

import configparser as ini
import functools
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = [
    "Setting",
    "TheanoConfigParser",
    "TheanoConfigWarning",
    "change_flags",
    "parse_bool",
    "parse_flags",
    "read_theanorc",
    "theanorc_paths",
]


class TheanoConfigWarning(UserWarning):
    """A flag that is unknown, malformed or comes too late."""


def parse_flags(text: str) -> dict[str, str]:
    """Parse ``"floatX=float32,blas.ldflags='-lm -lf77'"`` into a mapping.

    A later value of a name replaces an earlier one. An entry without ``=`` is
    warned about and left out.
    """
    splitter = shlex.shlex(text, posix=True)
    splitter.whitespace = ","
    splitter.whitespace_split = True
    flags = {}
    for entry in splitter:
        name, equals, value = entry.strip().partition("=")
        if equals:
            flags[name.strip()] = value.strip()
        elif name:
            warnings.warn(
                f"THEANO_FLAGS: {name!r} has no value (expected {name}=VALUE); "
                "it is ignored",
                TheanoConfigWarning,
                stacklevel=2,
            )
    return flags


def theanorc_paths() -> list[Path]:
    """The configuration files, in the order in which they are read.

    ``THEANORC`` holds a list of paths, separated as in ``PATH``; without it the
    file is ``~/.theanorc`` (on Windows ``~/.theanorc.txt`` as well).
    """
    listed = os.environ.get("THEANORC")
    if listed is not None:
        return [Path(p).expanduser() for p in listed.split(os.pathsep) if p]
    names = [".theanorc"] + ([".theanorc.txt"] if sys.platform == "win32" else [])
    return [Path.home() / name for name in names]


def read_theanorc(paths: list[Path]) -> dict[str, str]:
    """Read the files as one: ``[global] floatX`` gives ``floatX``, ``[blas]
    ldflags`` gives ``blas.ldflags``. Files that do not exist are passed over,
    one that cannot be parsed is warned about.
    """
    parser = ini.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    for path in paths:
        try:
            parser.read(path, encoding="utf-8")
        except (ini.Error, UnicodeDecodeError) as error:
            warnings.warn(
                f"{path} is not a valid configuration file and is ignored: {error}",
                TheanoConfigWarning,
                stacklevel=2,
            )
    return {
        option if section == "global" else f"{section}.{option}": value
        for section in parser.sections()
        for option, value in parser.items(section)
    }


def parse_bool(value: Any) -> bool:
    """``True`` for 1, "1", "true", "True"; ``False`` for 0, "0", "false", "False"."""
    if value in (True, 1, "1", "true", "True"):
        return True
    if value in (False, 0, "0", "false", "False"):
        return False
    raise ValueError(f"expected True or False, got {value!r}")


class Setting:
    """One setting: its default, how a value is checked, who is to hear of it.

    ``parse`` turns a text or a value into the value kept and raises ValueError
    for what it cannot be. ``on_change`` is called with no argument after every
    change but the first. ``frozen`` settings cannot change once read.
    """

    def __init__(
        self,
        default: Any,
        parse: Callable[[Any], Any] = lambda value: value,
        *,
        frozen: bool = False,
    ) -> None:
        self.default = default
        self.parse = parse
        self.frozen = frozen
        self.on_change: Callable[[], None] | None = None


class TheanoConfigParser:
    """``theano.config``: settings as attributes, sections as nested attributes.

    Parameters
    ----------
    settings
        The settings of this package, by name (``"scan.allow_gc"``).
    forwarded
        Names of settings kept by PyTensor, where a dot reads as ``__``.
    values
        What ``THEANO_FLAGS`` and ``.theanorc`` say of ``settings``.
    """

    def __init__(
        self,
        settings: Mapping[str, Setting],
        forwarded: frozenset[str],
        values: Mapping[str, str],
    ) -> None:
        vars(self).update(_settings=dict(settings), _forwarded=forwarded, _values={})
        for name, setting in settings.items():
            self._store(name, values.get(name, setting.default))

    def _store(self, name: str, value: Any) -> None:
        try:
            self._values[name] = self._settings[name].parse(value)
        except ValueError as error:
            raise ValueError(
                f"Invalid value ({value!r}) for configuration variable {name!r}: "
                f"{error}"
            ) from None

    def _get(self, name: str) -> Any:
        if name in self._settings:
            return self._values[name]
        if name in self._forwarded:
            from pytensor import config as pytensor_config

            return getattr(pytensor_config, name.replace(".", "__"))
        if any(known.startswith(name + ".") for known in self):
            return _Section(self, name)
        raise AttributeError(f"theano.config has no setting {name!r}")

    def _set(self, name: str, value: Any) -> None:
        if name in self._settings:
            setting = self._settings[name]
            if setting.frozen:
                raise Exception(
                    f"theano.config.{name} can't change after Theano was imported; "
                    f"set it in THEANO_FLAGS"
                )
            self._store(name, value)
            if setting.on_change is not None:
                setting.on_change()
        elif name in self._forwarded:
            from pytensor import config as pytensor_config

            setattr(pytensor_config, name.replace(".", "__"), value)
        else:
            raise AttributeError(
                f"theano.config has no setting {name!r}, so it cannot be set to "
                f"{value!r}"
            )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._set(name, value)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._settings, *self._forwarded}))

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name.partition(".")[0] for name in self)]

    def __str__(self) -> str:
        return "\n".join(f"{name} = {self._get(name)!r}" for name in self)

    def change_flags(self, **flags: Any) -> "change_flags":
        """Settings for the length of a ``with`` block or of a decorated function."""
        return change_flags(self, **flags)


class _Section:
    """``theano.config.scan``: reads and writes ``scan.*``."""

    def __init__(self, config: TheanoConfigParser, name: str) -> None:
        vars(self).update(_config=config, _name=name)

    def __getattr__(self, name: str) -> Any:
        return self._config._get(f"{self._name}.{name}")

    def __setattr__(self, name: str, value: Any) -> None:
        self._config._set(f"{self._name}.{name}", value)


class change_flags:
    """Change settings for the length of a ``with`` block or of a function call.

    A setting in a section is written with ``__`` for the dot, or given in a
    mapping: ``change_flags(config, scan__allow_gc=True)``.
    """

    def __init__(self, config: TheanoConfigParser, **flags: Any) -> None:
        self._config = config
        self._flags = {name.replace("__", "."): v for name, v in flags.items()}

    def __enter__(self) -> None:
        self._before = {name: self._config._get(name) for name in self._flags}
        try:
            for name, value in self._flags.items():
                self._config._set(name, value)
        except Exception:
            self.__exit__()
            raise

    def __exit__(self, *exception: object) -> None:
        for name, value in self._before.items():
            self._config._set(name, value)

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def changed(*args: Any, **kwargs: Any) -> Any:
            with change_flags(self._config, **self._flags):
                return function(*args, **kwargs)

        return changed
