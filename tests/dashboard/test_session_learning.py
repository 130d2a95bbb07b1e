"""A form begins as the last session of its strategy was declared."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import an_instrument
from workstation.client.declaration import free_name
from workstation.config.settings import Settings
from workstation.dashboard.declaring import Form, declaration_of, first_form
from workstation.dashboard.learning import learned_form, manifests_of
from workstation.engine.build import first_manifest
from workstation.model.instrument import InstrumentKind
from workstation.session.manifest import REPLAY, RunManifest

SETTINGS = Settings()
TYPED = replace(
    first_form("spread-reversion"),
    session="s-1",
    venues=("nova", "orion"),
    symbol="BTC/USDT",
    sizing_mode="fixed-quantity",
    sizing="0.25",
    parameters={**first_form("spread-reversion").parameters, "entry_z": "2.5", "min_net_edge_bps": "none"},
    figures={
        "leverage": "3", "balance": "2500.5", "coins": "0.02", "slippage_bps": "1.5", "latency_ms": "250",
        "entry_timeout_ms": "4000",
    },
    limits={"max_position_notional": "none", "max_open_positions": "2", "max_quote_age_ms": "750"},
    with_trades=False,
)  # fmt: skip


def manifest_of(form: Form) -> RunManifest:
    instruments = [an_instrument(venue=venue, symbol=form.symbol, kind=InstrumentKind.SPOT) for venue in form.venues]
    return first_manifest(declaration_of(form), instruments, SETTINGS, Path("/history"))


def test_every_word_of_the_last_session_is_there_again_but_its_name():
    assert learned_form("spread-reversion", [manifest_of(TYPED)], SETTINGS) == replace(TYPED, session="")


def test_the_last_one_of_that_strategy_is_learned_from():
    cross = replace(first_form("ma-cross"), session="m-1", venues=("nova",), symbol="ETH/USDT", interval="5m")
    manifests = [manifest_of(one) for one in (TYPED, cross, replace(TYPED, session="s-2", sizing="0.5"), cross)]
    assert learned_form("spread-reversion", manifests, SETTINGS).sizing == "0.5"
    assert learned_form("ma-cross", manifests, SETTINGS).interval == "5m"


def test_of_a_replay_parameters_and_place_are_learned_and_never_its_money_or_limits():
    tried = replace(
        TYPED, venues=("orion", "nova"), symbol="ETH/USDT", sizing_mode="equity-fraction", sizing="0.95",
        figures={"leverage": "20", "latency_ms": "0", "balance": "1000000"},
        limits={"max_position_notional": "none", "max_open_positions": "none", "max_quote_age_ms": "none"},
    )  # fmt: skip
    replayed = replace(manifest_of(tried), mode=REPLAY)
    learned = learned_form("spread-reversion", [manifest_of(TYPED), replayed], SETTINGS)
    first = first_form("spread-reversion")
    assert learned == replace(first, venues=tried.venues, symbol="ETH/USDT", parameters=tried.parameters)
    assert learned_form("spread-reversion", [replayed, manifest_of(TYPED)], SETTINGS) == replace(TYPED, session="")


def test_without_one_the_strategys_own_defaults_stand():
    assert learned_form("ma-cross", [manifest_of(TYPED)], SETTINGS) == first_form("ma-cross")


def test_what_is_the_settings_own_is_left_to_the_settings():
    plain = replace(TYPED, figures={}, limits={})
    form = learned_form("spread-reversion", [manifest_of(plain)], SETTINGS)
    assert form.limits == {} and set(form.figures) == {"leverage", "balance"}


@given(st.fixed_dictionaries({}, optional={
    "slippage_bps": st.integers(1, 9999).map(str), "latency_ms": st.integers(0, 10**6).map(str),
    "entry_timeout_ms": st.integers(1, 10**6).map(str), "leverage": st.integers(1, 1000).map(str)}))  # fmt: skip
def test_what_was_learned_declares_the_same_again(figures):
    form = replace(TYPED, figures=figures)
    again = replace(learned_form("spread-reversion", [manifest_of(form)], SETTINGS), session="s-1")
    first, second = manifest_of(form), manifest_of(again)
    assert (first.session, first.paper, first.balances) == (second.session, second.paper, second.balances)


def test_without_a_ledger_there_is_nothing_to_learn_from(tmp_path):
    assert manifests_of(tmp_path / "ledger.db") == []


@given(st.sets(st.integers(1, 30)))
def test_a_proposed_name_is_the_first_that_nobody_has(numbers):
    name = free_name("ma-cross", {f"ma-cross-{number}" for number in numbers})
    number = int(name.removeprefix("ma-cross-"))
    assert number not in numbers and set(range(1, number)) <= numbers
