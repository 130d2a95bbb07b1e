"""The lively market of the demo: whenever one looks, venues drift apart and return, one at a time, and it is traded."""

from dataclasses import replace
from decimal import Decimal
from itertools import combinations, pairwise

import numpy as np
import pytest

from tests.session.desks import a_desk
from workstation.cli.demonstration import SPREAD
from workstation.cli.exchange_simulation import model_source
from workstation.model.durations import HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.model.events import BalanceSet, OrderFilled
from workstation.model.ids import Currency
from workstation.model.instrument import InstrumentKey, checked_key
from workstation.simulator.markets import MarketModel
from workstation.strategies.spread_reversion import SpreadReversion
from workstation.trading.paper import PaperSettings
from workstation.trading.sizing import SizingMode, SizingSettings

START_NS = 1_710_000_000 * SECOND_NS
VENUES = ("nova", "orion", "vega")


def lively(seed: int) -> MarketModel:
    return model_source(",".join(VENUES), seed, None, is_lively=True).model


@pytest.mark.parametrize("symbol", ["BTC/USDT", "ETH/USDT", "SOL/USDT"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_venue_at_a_time_is_away_and_no_pair_is_quiet_for_half_a_minute(seed: int, symbol: str) -> None:
    market, stop_ns = lively(seed), START_NS + HOUR_NS
    away = {venue: market.dislocations(checked_key(venue, symbol), START_NS, stop_ns) for venue in VENUES}
    everywhere = sorted((one for found in away.values() for one in found), key=lambda one: one.start_ns)
    assert not away["nova"], "the first one stays"
    assert all(one.stop_ns <= other.start_ns for one, other in pairwise(everywhere))
    assert all(60 <= abs(one.size_bps) <= 90 for one in everywhere)
    for a, b in combinations(VENUES, 2):
        starts = sorted(one.start_ns for one in (*away[a], *away[b]))
        assert max(np.diff(starts)) < 26 * SECOND_NS
        assert starts[0] - START_NS < 26 * SECOND_NS and stop_ns - starts[-1] < 26 * SECOND_NS


@pytest.mark.parametrize("place", range(6))
def test_whenever_the_demo_starts_its_spread_is_traded_within_a_minute(place: int) -> None:
    start_ns = START_NS + place * 7_001 * SECOND_NS
    keys = [checked_key(venue, SPREAD["symbol"]) for venue in SPREAD["venues"]]
    filled = fills(lively(7), keys, start_ns, start_ns + MINUTE_NS)
    assert len(filled) >= 2


def fills(market: MarketModel, keys: list[InstrumentKey], start_ns: int, stop_ns: int) -> list[OrderFilled]:
    """Of the demo's session over the market's quotes, at the fees that the simulated venues tell."""
    rows = market.quotes(start_ns, stop_ns, keys)
    numbers = sorted(set(rows["instrument"].tolist()))
    rows["instrument"] = np.searchsorted(numbers, rows["instrument"])
    told = [replace(one, taker_fee_rate=Decimal("0.001")) for one in market.instruments() if one.key in keys]
    desk = a_desk(
        SpreadReversion(**SPREAD["parameters"]),
        told,
        paper=PaperSettings(latency_ns=SECOND_NS // 10),
        now_ns=start_ns,
        sizing=SizingSettings(mode=SizingMode.FIXED_NOTIONAL, value=900),
    )
    for key in keys:
        desk.host.inject(BalanceSet(venue=key.venue, currency=Currency("BTC"), amount=SPREAD["coins"]), start_ns)
    desk.take(rows)
    return [fact.event for fact in desk.journal.facts if isinstance(fact.event, OrderFilled)]
