"""What tests of commands share: a home with a small history in it."""

from pathlib import Path

import pytest

from tests.cli.histories import store_bars, store_quotes
from workstation.history.store import HistoryStore


@pytest.fixture
def history(home: Path) -> HistoryStore:
    """Hourly bars at nova, quotes at nova and orion, in the home's own history."""
    store = HistoryStore(home / "history")
    store_bars(store)
    store_quotes(store)
    return store
