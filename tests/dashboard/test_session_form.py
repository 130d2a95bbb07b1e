"""A form's words become a declaration, or a sentence for each field that cannot be."""

import shlex
from dataclasses import replace

import param
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from workstation.cli import session as session_command
from workstation.cli.session_start import checked, declared
from workstation.client.declaration import SessionDeclaration
from workstation.client.jobs import ReplayJob
from workstation.config.settings import Settings
from workstation.config.words import parameter_of
from workstation.dashboard.declared_words import command_of, preview
from workstation.dashboard.declaring import (
    PARAMETER,
    WHOLE,
    Form,
    FormMode,
    FormRefused,
    declaration_of,
    field_of,
    first_form,
    of_mode,
    parameter_help,
    words_of_value,
)
from workstation.errors import BadInput
from workstation.strategies.base import BarStrategy
from workstation.strategies.ma_cross import MACross
from workstation.strategies.spread_reversion import SpreadReversion

SPREAD = replace(
    first_form("spread-reversion"), session="s-1", venues=("nova", "orion"), symbol="BTC/USDT", sizing="900"
)
CROSS = replace(first_form("ma-cross"), session="m-1", venues=("nova",), symbol="ETH/USDT")


def problems_of(form: Form, taken: tuple[str, ...] = ()) -> dict[str, str]:
    with pytest.raises(FormRefused) as refused:
        declaration_of(form, taken)
    return dict(refused.value.problems)


def by_the_command_line(command: str) -> SessionDeclaration:
    """What `workstation session start` would ask the engine for."""
    words = shlex.split(command)
    group = typer.main.get_command(session_command.app)
    given_by = group.commands[words[2]].make_context(words[2], words[3:]).params
    limits = {
        "max_position_notional": given_by["max_notional"],
        "max_open_positions": given_by["max_positions"],
        "max_quote_age_ms": given_by["max_quote_age_ms"],
    }
    plain = {name: given_by[name] for name in (
        "session", "strategy", "symbol", "interval", "sizing", "balance", "coins", "leverage", "slippage_bps",
        "latency_ms", "entry_timeout_ms")}  # fmt: skip
    plain |= {"venues": given_by["venue"], "with_trades": False if given_by["no_trades"] else None}
    return checked(SessionDeclaration, declared(plain, limits, given_by["param"] or (), None))


def test_a_strategys_own_defaults_need_a_place_and_a_name_alone():
    one = declaration_of(SPREAD)
    assert isinstance(one, SessionDeclaration)
    assert (one.venues, one.symbol, one.sizing) == (("nova", "orion"), "BTC/USDT", "fixed-notional=900")
    assert one.parameters["entry_z"] == 3.0 and one.interval is None
    assert declaration_of(CROSS).interval == "1m"


def test_every_wrong_field_is_told_at_once_and_beside_itself():
    form = replace(
        SPREAD,
        session="no name",
        sizing="a lot",
        figures={"balance": "0", "latency_ms": "1.5"},
        limits={"max_open_positions": "few"},
        parameters={**SPREAD.parameters, "entry_z": "1000", "min_points": "2.5"},
    )
    problems = problems_of(form)
    assert set(problems) == {
        "session", "sizing", "balance", "latency_ms", "max_open_positions", "parameters.entry_z",
        "parameters.min_points",
    }  # fmt: skip
    assert problems["parameters.entry_z"] == "'1000': expected a number from 0.1 to 100"
    assert problems["max_open_positions"] == "'few': expected a whole number over 0, or none"


def test_what_two_parameters_say_of_each_other_stands_at_the_first_of_them():
    problems = problems_of(replace(CROSS, parameters={**CROSS.parameters, "fast": "80"}))
    assert problems == {"parameters.fast": "fast 80: expected less than slow 50"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"venues": ("nova",)}, "venues"),
        ({"venues": ("nova", "nova")}, "venues"),
        ({"venues": ()}, "venues"),
        ({"symbol": ""}, "symbol"),
        ({"symbol": "BTCUSDT"}, "symbol"),
        ({"sizing_mode": "gut feeling"}, "sizing"),
        ({"sizing": "-5"}, "sizing"),
        ({"strategy": "sprea"}, "strategy"),
    ],
)
def test_a_place_or_a_size_that_cannot_be_is_told_at_its_field(changes, field):
    assert set(problems_of(replace(SPREAD, **changes))) == {field}


def test_an_interval_is_asked_of_bar_strategies_alone():
    assert set(problems_of(replace(CROSS, interval="7m"))) == {"interval"}
    assert declaration_of(replace(SPREAD, interval="7m")).interval is None


def test_a_name_that_is_taken_is_refused():
    assert set(problems_of(SPREAD, taken=("s-1",))) == {"session"}


def test_thousands_separators_are_read_and_empty_fields_take_the_settings():
    one = declaration_of(
        replace(SPREAD, figures={"balance": "12,500", "latency_ms": " "}, limits={"max_quote_age_ms": ""})
    )
    assert one.balance == 12_500 and one.latency_ms is None and one.limits.max_quote_age_ms is None


def test_a_replay_takes_a_span_and_refuses_one_that_ends_before_it_begins():
    form = replace(of_mode(CROSS, FormMode.REPLAY), span=("2024-05-01", "2024-05-02T12:00"))
    job = declaration_of(form)
    assert isinstance(job, ReplayJob) and not job.with_trades
    assert (job.end_ns - job.start_ns) == 36 * 3600 * 10**9
    assert set(problems_of(replace(form, span=("2024-05-02", "2024-05-01")))) == {"end"}
    assert set(problems_of(replace(form, span=("yesterday", "")))) == {"start"}
    assert declaration_of(replace(form, span=("", ""))).start_ns is None


def test_the_form_of_another_mode_keeps_every_word():
    assert of_mode(CROSS, FormMode.PAPER) is CROSS
    assert replace(of_mode(CROSS, FormMode.REPLAY), mode=FormMode.PAPER, with_trades=True) == CROSS


def test_a_refusal_of_the_engine_is_put_at_the_field_that_it_names():
    names = ["session", "symbol", PARAMETER + "fast"]
    assert field_of("symbol XYZ/USDT: not at nova", names) == "symbol"
    assert field_of("body.session 's': exists", names) == "session"
    assert field_of("strategy ma-cross: fast 9: too fast", names) == PARAMETER + "fast"
    assert field_of("the disk is full", names) == WHOLE


def test_the_help_of_a_parameter_says_what_it_may_be():
    assert parameter_help(MACross.param["fast"]) == "bars of the fast average (1 to 5000)"
    assert parameter_help(MACross.param["side"]) == "which positions it takes"


class Declared(BarStrategy):
    name_in_cli = "declared"

    flag = param.Boolean(default=True, doc="yes or no")
    count = param.Integer(default=3, bounds=(1, None))
    share = param.Number(default=None, allow_None=True)
    word = param.String(default="plain")


@given(st.booleans(), st.integers(1, 10**6), st.none() | st.floats(allow_nan=False, allow_infinity=False), st.text())
def test_a_parameter_written_in_words_reads_as_the_same_value(flag, count, share, word):
    for name, value in (("flag", flag), ("count", count), ("share", share), ("word", word)):
        assert parameter_of(Declared, name, words_of_value(value)) == value


def test_a_checkbox_takes_no_other_word_than_true_or_false():
    with pytest.raises(BadInput, match="strategy declared: flag 'maybe': expected one of true, false"):
        parameter_of(Declared, "flag", "maybe")


FIGURES = st.fixed_dictionaries(
    {},
    optional={
        "balance": st.integers(1, 10**9).map(str),
        "coins": st.decimals(0, 1000, places=4).map(str),
        "leverage": st.integers(1, 20).map(str),
        "slippage_bps": st.sampled_from(["0", "0.5", "12"]),
        "latency_ms": st.integers(0, 5000).map(str),
        "entry_timeout_ms": st.integers(1, 60_000).map(str),
    },
)
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "max_position_notional": st.sampled_from(["none", "250.5", "100000"]),
        "max_open_positions": st.sampled_from(["none", "1", "20"]),
        "max_quote_age_ms": st.sampled_from(["none", "750"]),
    },
)


@given(FIGURES, LIMITS, st.booleans(), st.floats(0.1, 6).map(repr), st.sampled_from(["none", "-10", "0.5"]))
def test_the_command_in_a_terminal_declares_the_same(figures, limits, with_trades, exit_z, edge):
    parameters = {**SPREAD.parameters, "entry_z": "7.5", "exit_z": exit_z, "min_net_edge_bps": edge}
    form = replace(SPREAD, figures=figures, limits=limits, with_trades=with_trades, parameters=parameters)
    one = declaration_of(form)
    other = by_the_command_line(command_of(one))
    made = {**SpreadReversion().parameters(), **other.parameters}
    assert other.model_copy(update={"parameters": made}) == one


def test_a_replays_command_names_its_span():
    form = replace(of_mode(CROSS, FormMode.REPLAY), span=("2024-05-01", "2024-05-02T12:00"), with_trades=True)
    assert command_of(declaration_of(form)) == (
        "workstation session replay ma-cross --venue nova --symbol ETH/USDT --interval 1m --with-trades "
        "--from 2024-05-01T00:00:00 --to 2024-05-02T12:00:00 --session m-1"
    )


def test_the_preview_says_in_words_what_will_be_done():
    form = replace(SPREAD, figures={"coins": "0.02"}, limits={"max_open_positions": "none"})
    assert preview(declaration_of(form), Settings()) == [
        "spread-reversion on BTC/USDT at nova and orion, 900 USDT a leg, on paper, with live market data.",
        "It opens with 10,000 USDT and 0.02 BTC at each venue; notional up to 1 × equity.",
        "Limits: a position of at most 1,000 USDT; any number of positions; no entry on quotes older than 5,000 ms.",
        "Orders trade 100 ms after their decision, 0 bps worse than the price; public trades fill resting orders too.",
    ]
