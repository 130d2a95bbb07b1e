"""Kill -9 of an engine that finds opportunities: what it told a second before is kept, and its next life tells it."""

from pathlib import Path

from tests.faults.running import Engine, Venues, until, write_configuration
from workstation.client.messages import OpportunityView
from workstation.history.last_opportunities import last_opportunities
from workstation.history.store import HistoryStore
from workstation.model.durations import SECOND_NS

OFTEN = "[opportunities]\nleast_bps = -20.7\nleast_value = 0\nleast_ms = 0\n"


def test_what_closed_a_second_before_the_kill_is_told_by_the_next_life(tmp_path: Path) -> None:
    with Venues(tmp_path, "nova,orion", quotes_per_second=200) as venues:
        configuration = write_configuration(tmp_path, venues)
        configuration.write_text(configuration.read_text() + OFTEN)
        with Engine(configuration) as engine, engine.client() as client:

            def closed() -> list[OpportunityView]:
                return [one for one in client.opportunities() if one.closed_ns is not None]

            until(lambda: len(closed()) >= 20, "opportunities close")
            told, now_ns = closed(), client.health().now_ns
            until(lambda: client.health().now_ns > now_ns + SECOND_NS, "a second has passed")
            engine.kill()
        store = HistoryStore(tmp_path / "home" / "history")
        kept = {(one.sold, one.opened_ns, one.closed_ns) for one in last_opportunities(store, 0)}
        assert {((one.sell_at, one.symbol), one.opened_ns, one.closed_ns) for one in told} <= kept
        with Engine(configuration) as engine, engine.client() as client:
            again = until(lambda: len(found := client.opportunities(limit=5_000)) >= len(kept) and found, "it knows")
            assert set(told) <= set(again)
            assert engine.end() == 0
        assert len(store.query("SELECT * FROM opportunities")) >= len(kept)
