"""The blog's network with its dropout trains as it did in 2016, mask by mask.

``reference/README.md`` says how the genuine stack's numbers were recorded.
"""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

import theano

REFERENCE = Path(__file__).parent / "reference"
GENUINE = json.loads((REFERENCE / "blog_dropout.json").read_text(encoding="utf-8"))


def import_from_reference(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


blog_dropout = import_from_reference("blog_dropout")
relatives = import_from_reference("relatives")


@pytest.fixture(autouse=True)
def float64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theano.config, "floatX", "float64")
