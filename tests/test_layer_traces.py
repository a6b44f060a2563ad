"""Every layer family, loss and update of Lasagne, trained as by the genuine stack.

``reference/layer_traces.py`` holds the networks, ``layer_traces.json`` what the
genuine Theano 1.0.5 computed, as ``scripts/record_layer_traces`` recorded it. What
Lasagne 0.2.dev1 added is tried where that is the Lasagne that is imported: with a
checkout of its head on ``PYTHONPATH``.
"""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lasagne
import numpy as np
import pytest

import layer_traces
import relatives
import theano

REFERENCE = Path(__file__).parent / "reference"
GENUINE = json.loads((REFERENCE / "layer_traces.json").read_text(encoding="utf-8"))

# Every loop is compiled for itself.
SLOW = ("gru", "lstm", "recurrent", "dropout_around_lstm", "embedding_and_gru")


def list_cases() -> Iterator[Any]:
    """Every recorded case, seed and name; skipped where another Lasagne made it."""
    for version, recorded in GENUINE.items():
        here = version == lasagne.__version__
        skip = pytest.mark.skip(reason=f"needs Lasagne {version} on PYTHONPATH")
        for seed, names in recorded["seeds"].items():
            for name in names:
                marks = [] if here else [skip]
                if name.startswith(SLOW):
                    marks.append(pytest.mark.slow)
                yield pytest.param(version, seed, name, marks=marks)


def test_every_case_is_recorded() -> None:
    seeds = {version: recorded["seeds"] for version, recorded in GENUINE.items()}
    of_0_2 = set(layer_traces.NEEDS_0_2)
    assert set(layer_traces.CASES) - of_0_2 == set(seeds["0.1"]["1"])
    # NumPy refuses the floats that Lasagne's head gives for sizes, then as now.
    refused = {"transformer_by_thin_plate_splines"}
    assert of_0_2 - set(seeds["0.2.dev1"]["1"]) == refused
    assert len(seeds["0.1"]["1"]) >= 60
    assert seeds["0.1"].keys() == {"1", "2", "3"}


@pytest.mark.parametrize(("version", "seed", "name"), [*list_cases()])
def test_it_trains_as_under_the_genuine_stack(
    version: str, seed: str, name: str
) -> None:
    with theano.config.change_flags(floatX="float64"), warnings.catch_warnings():
        # Lasagne's own, of 2015 and 2019.
        warnings.simplefilter("ignore")
        ours = layer_traces.train(name, int(seed))
    genuine = GENUINE[version]["seeds"][seed][name]
    np.testing.assert_allclose(ours.losses, genuine["losses"], rtol=1e-9, atol=0)
    for weights, projections in zip(ours.trained, genuine["trained"], strict=True):
        np.testing.assert_allclose(
            relatives.project_array(weights),
            projections,
            rtol=0,
            atol=1e-9 * np.sqrt(weights.size),
        )
