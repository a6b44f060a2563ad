"""What every test of the hand calculation begins with."""

import pytest

from mnist_cnn.by_hand.rules import registry


@pytest.fixture(autouse=True)
def _only_the_built_in_rules(monkeypatch):
    """A rule that a test registers is gone after it."""
    monkeypatch.setattr(registry, "_RULES", dict(registry._RULES))
