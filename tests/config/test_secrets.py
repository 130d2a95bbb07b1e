"""A secret stands in the environment alone, and is shown nowhere."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from workstation.cli.config import as_table
from workstation.config.loading import load_configuration, with_secrets
from workstation.config.settings import SECRETS, Settings, VenueTable
from workstation.errors import ConfigError
from workstation.exchanges.settings import venue_settings

CANARY = "canary-3f9a"
TABLE = '[venues.fx]\nexchange = "oanda"\naccount = "101-001-1234567-001"\n'
VARIABLE = "WORKSTATION_VENUES__FX__TOKEN"


def test_the_environment_gives_it_and_nothing_shows_it(tmp_path: Path) -> None:
    file = tmp_path / "workstation.toml"
    file.write_text(TABLE)
    configuration = load_configuration(file, {"WORKSTATION_HOME": str(tmp_path), VARIABLE: CANARY})
    venue = venue_settings(configuration.settings, "fx")
    assert venue.token is not None
    assert venue.token.get_secret_value() == CANARY
    rows = configuration.in_force()
    shown = [as_table(rows), json.dumps([row.value for row in rows]), repr(configuration), repr(venue), str(venue)]
    assert [text for text in shown if CANARY in text] == []
    assert configuration.sources["venues.fx.token"] == VARIABLE


def test_the_file_does_not_take_it_and_the_refusal_does_not_repeat_it(tmp_path: Path) -> None:
    file = tmp_path / "workstation.toml"
    file.write_text(TABLE + f'token = "{CANARY}"\n')
    with pytest.raises(ConfigError) as refused:
        load_configuration(file, {"WORKSTATION_HOME": str(tmp_path)})
    assert str(refused.value) == f"{file}:4: venues.fx.token: a secret does not stand in a file: set {VARIABLE} instead"


@pytest.mark.parametrize("value", [f"{CANARY} {CANARY}", f"{CANARY}\n", f"{CANARY}é"])
def test_one_that_is_no_word_is_refused_without_being_repeated(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_configuration(None, {"WORKSTATION_HOME": str(tmp_path), VARIABLE: value})
    assert CANARY not in str(refused.value)
    assert f"{VARIABLE}: venues.fx.token = (hidden): expected one word of ASCII" in str(refused.value)


def test_every_secret_of_the_settings_is_known_as_one() -> None:
    hidden = {name for name, field in VenueTable.model_fields.items() if SecretStr.__name__ in str(field.annotation)}
    assert hidden == SECRETS


@pytest.mark.parametrize(
    ("words", "name"),
    [('account = "101-001-1-001"', "account"), ('environment = "live"', "environment")],
)
def test_an_exchange_that_needs_no_account_takes_none(tmp_path: Path, words: str, name: str) -> None:
    file = tmp_path / "workstation.toml"
    file.write_text(f'[venues.nova]\nexchange = "binance"\n{words}\n')
    settings = load_configuration(file, {"WORKSTATION_HOME": str(tmp_path)}).settings
    with pytest.raises(ConfigError, match=f"venue nova: {name}: binance takes none"):
        venue_settings(settings, "nova")


def test_options_of_ccxt_are_none_of_oandas(tmp_path: Path) -> None:
    file = tmp_path / "workstation.toml"
    file.write_text(TABLE + "[venues.fx.options]\nadjustForTimeDifference = true\n")
    settings = load_configuration(file, {"WORKSTATION_HOME": str(tmp_path)}).settings
    with pytest.raises(ConfigError, match="venue fx: options: oanda takes none"):
        venue_settings(settings, "fx")


def test_settings_that_were_kept_without_secrets_have_those_of_the_environment_again() -> None:
    venues = {"fx": VenueTable(exchange="oanda"), "nova": VenueTable(exchange="binance", url="http://127.0.0.1:1/x")}
    kept = Settings(venues=venues)
    found = with_secrets(kept, {VARIABLE: CANARY, "WORKSTATION_VENUES__GONE__TOKEN": "another"}).venues
    assert found["fx"].token is not None and found["fx"].token.get_secret_value() == CANARY
    assert found["nova"] == venues["nova"] and set(found) == {"fx", "nova"}
