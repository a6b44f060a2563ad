"""Pickles beside their arrays, in one zip file that NumPy reads as well."""

import io
import pickle
import zipfile

import numpy as np
from numpy.lib import format as npy

from theano.compile.sharedvalue import SharedVariable

__all__ = ["dump", "load"]

_KIND = "ndarray"


class _Pickler(pickle.Pickler):
    """Writes each array into a zip file, and its entry's name in its place."""

    def __init__(self, file, zip_file, protocol):
        super().__init__(file, protocol=protocol)
        self._zip_file = zip_file
        self._names = {}
        self._entries = {}

    def persistent_id(self, obj):
        if isinstance(obj, SharedVariable) and obj.name:
            self._names[id(obj.container.storage[0])] = obj.name
        if type(obj) is not np.ndarray or obj.dtype.hasobject:
            return None
        if id(obj) not in self._entries:
            self._entries[id(obj)] = obj, self._write(obj)
        return f"{_KIND}.{self._entries[id(obj)][1]}"

    def _write(self, array):
        taken = self._zip_file.namelist()
        name = self._names.get(id(array))
        if name is None:
            number = sum(each.startswith("array_") for each in taken)
            name = f"array_{number}"
        number = 2
        entry = name
        while entry in taken or entry == "pkl":
            entry = f"{name}_{number}"
            number += 1
        with self._zip_file.open(entry, "w", force_zip64=True) as file:
            npy.write_array(file, array, allow_pickle=False)
        return entry


class _Unpickler(pickle.Unpickler):
    """Reads what :class:`_Pickler` and the genuine Theano wrote."""

    def __init__(self, file, zip_file):
        super().__init__(file, encoding="latin1")
        self._zip_file = zip_file
        self._arrays = {}

    def persistent_load(self, pid):
        kind, _, entry = pid.partition(".")
        if kind not in (_KIND, "cuda_ndarray", "gpuarray"):
            raise pickle.UnpicklingError(f"no array is known by {pid!r}")
        if entry not in self._arrays:
            with self._zip_file.open(entry) as file:
                self._arrays[entry] = npy.read_array(file, allow_pickle=False)
        return self._arrays[entry]


def dump(obj, file_handler, protocol=pickle.DEFAULT_PROTOCOL, persistent_id=None):
    """Pickle ``obj`` to an open binary file, each of its arrays apart.

    The file is a zip file: ``numpy.load`` reads the value of a shared variable under
    the variable's name, that of a second of this name under ``name_2``; arrays
    without a name are ``array_0``, ``array_1``, ... ``persistent_id`` is ignored.
    """
    with zipfile.ZipFile(file_handler, "w", zipfile.ZIP_DEFLATED) as zip_file:
        pickled = io.BytesIO()
        _Pickler(pickled, zip_file, protocol).dump(obj)
        zip_file.writestr("pkl", pickled.getvalue())


def load(f, persistent_load=None):
    """What :func:`dump` wrote to the open binary file ``f``, or a plain pickle.

    Arrays that the genuine Theano wrote are read, those of GPUs among them, but not
    its variables, whose classes are not the ones here. Strings of Python 2 are read
    as Latin-1. ``persistent_load`` is ignored.
    """
    if not zipfile.is_zipfile(f):
        f.seek(0)
        return pickle.load(f, encoding="latin1")
    with zipfile.ZipFile(f) as zip_file, zip_file.open("pkl") as file:
        return _Unpickler(file, zip_file).load()
