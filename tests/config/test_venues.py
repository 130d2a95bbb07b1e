"""Venues in the settings: a table for each, with a name of the user's choice."""

from importlib import import_module
from pathlib import Path

import pytest

from workstation.config.loading import Configuration, load_configuration
from workstation.config.settings import VenueTable
from workstation.errors import ConfigError

TWO = """[venues.nova]
exchange = "binance"
url = "http://127.0.0.1:8400/nova/"
options = {recvWindow = 5000}

[venues.orbit]
exchange = "bybit"
stale_after_s = 3
"""


def load(tmp_path: Path, text: str, **environ: str) -> Configuration:
    file = tmp_path / "workstation.toml"
    file.write_text(text, encoding="utf-8")
    return load_configuration(file, {"WORKSTATION_HOME": str(tmp_path), **environ})


def test_each_venue_is_a_table_with_its_own_values(tmp_path: Path) -> None:
    venues = load(tmp_path, TWO).settings.venues
    nova = VenueTable(exchange="binance", url="http://127.0.0.1:8400/nova", options={"recvWindow": 5000})
    assert venues == {"nova": nova, "orbit": VenueTable(exchange="bybit", stale_after_s=3.0)}


def test_settings_in_force_show_each_venue_with_its_sources(tmp_path: Path) -> None:
    configuration = load(tmp_path, TWO, WORKSTATION_VENUES__ORBIT__TIMEOUT_S="2.5")
    rows = {row.key: (row.value, row.source) for row in configuration.in_force() if row.key.startswith("venues.")}
    assert list(rows) == [f"venues.{name}.{key}" for name in ("nova", "orbit") for key in VenueTable.model_fields]
    assert rows["venues.orbit.stale_after_s"] == (3.0, f"{configuration.file}:8")
    assert rows["venues.orbit.timeout_s"] == (2.5, "WORKSTATION_VENUES__ORBIT__TIMEOUT_S")
    assert rows["venues.orbit.url"] == (None, "default")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[venues.nova]\nexchnge = "a"', ":2: unknown setting venues.nova.exchnge; did you mean venues.nova.exchange?"),
        ("[venues.No-va]\nurl = 3", ":2: venue 'No-va': expected a name of a-z, 0-9 and _"),
        ("venues = 3", ":1: venues = 3: expected a table, [venues.NAME]"),
        ("[venues]\nnova = 3", ":2: venues.nova = 3: expected a table, [venues.nova]"),
        ("[venues.nova]", ":1: [venues.nova] is empty: expected exchange = "),
        ("[venues.nova]\ntimeout_s = 5", ": venues.nova.exchange is missing: expected exchange = "),
        ('[venues.nova]\nexchange = ""', ':2: venues.nova.exchange = "": expected'),
        ('[venues.nova]\nexchange = "a"\nurl = "x"', ':3: venues.nova.url = "x": expected an address such as http'),
        ('[venues.nova]\nexchange = "a"\ntimeout_s = 0', ":3: venues.nova.timeout_s = 0: expected greater than 0"),
        (
            '[venues.nova]\nexchange = "a"\noptions = {maxRetriesOnFailure = 2}',
            ':3: venues.nova.options = {"maxRetriesOnFailure": 2}: expected without maxRetriesOnFailure: it sends',
        ),
    ],
)
def test_fault_in_a_venue_says_where_and_what_was_expected(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert str(caught.value).replace(str(tmp_path), "HOME").startswith(f"HOME/workstation.toml{message}")


def test_unknown_variable_of_a_venue_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean WORKSTATION_VENUES__NOVA__URL"):
        load(tmp_path, TWO, WORKSTATION_VENUES__NOVA__URLL="http://127.0.0.1:1")


def test_every_setting_of_a_venue_is_read_somewhere() -> None:
    settings = import_module("workstation.exchanges.settings").__file__ or ""
    assert [key for key in VenueTable.model_fields if f"table.{key}" not in Path(settings).read_text("utf-8")] == []
