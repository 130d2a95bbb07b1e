"""Settings come from defaults, file and environment, in that order, and every refusal says where to look."""

import re
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

from workstation.config.loading import KNOWN_KEYS, Configuration, load_configuration
from workstation.config.settings import SECTIONS, VENUES, IntervalLabel, Settings, VenueTable
from workstation.errors import ConfigError, OperatorError
from workstation.model.market import INTERVALS_NS, interval_ns


def load(tmp_path: Path, text: str = "", **environ: str) -> Configuration:
    file = tmp_path / "workstation.toml"
    file.write_text(text, encoding="utf-8")
    return load_configuration(file, {"WORKSTATION_HOME": str(tmp_path), **environ})


def refusal(tmp_path: Path, text: str = "", **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, **environ)
    return str(caught.value).replace(str(tmp_path), "HOME")


def test_without_file_and_environment_every_value_is_the_default() -> None:
    configuration = load_configuration(environ={"WORKSTATION_HOME": "/nowhere"})
    assert configuration.settings.paper.latency_ms == 100
    assert configuration.settings.risk.max_position_notional == Decimal(1000)
    assert {configuration.sources[key] for key in KNOWN_KEYS if key != "paths.home"} == {"default"}


def test_file_overrides_default_and_names_its_line(tmp_path: Path) -> None:
    configuration = load(tmp_path, "# mine\n[market]\n\nassumed_delay_ms = 250 # ms\n")
    assert configuration.settings.market.assumed_delay_ms == 250
    assert configuration.sources["market.assumed_delay_ms"] == f"{tmp_path / 'workstation.toml'}:4"


@pytest.mark.parametrize("text", ["market.assumed_delay_ms = 250", "[market]\n'assumed_delay_ms' = 250"])
def test_line_is_found_however_the_key_is_written(tmp_path: Path, text: str) -> None:
    source = load(tmp_path, text).sources["market.assumed_delay_ms"]
    assert source == f"{tmp_path / 'workstation.toml'}:{text.count(chr(10)) + 1}"


def test_inline_table_names_the_file_alone(tmp_path: Path) -> None:
    configuration = load(tmp_path, "market = {assumed_delay_ms = 250}")
    assert configuration.sources["market.assumed_delay_ms"] == str(tmp_path / "workstation.toml")


def test_environment_overrides_file_and_names_the_variable(tmp_path: Path) -> None:
    configuration = load(tmp_path, "[market]\nassumed_delay_ms = 250", WORKSTATION_MARKET__ASSUMED_DELAY_MS="50")
    assert configuration.settings.market.assumed_delay_ms == 50
    assert configuration.sources["market.assumed_delay_ms"] == "WORKSTATION_MARKET__ASSUMED_DELAY_MS"


def test_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert load(tmp_path, WORKSTATION_MARKET__ASSUMED_DELAY_MS="").sources["market.assumed_delay_ms"] == "default"


def test_variables_of_other_programs_are_ignored(tmp_path: Path) -> None:
    load(tmp_path, OTHER__KEY="1", WORKSTATION_SHARED="/elsewhere")


def test_money_is_read_exactly(tmp_path: Path) -> None:
    settings = load(tmp_path, "[risk]\nmax_position_notional = 0.3", WORKSTATION_PAPER__SLIPPAGE_BPS="0.1").settings
    assert settings.risk.max_position_notional == Decimal("0.3")
    assert settings.paper.slippage_bps == Decimal("0.1")


def test_file_is_looked_for_in_the_home_folder(tmp_path: Path) -> None:
    (tmp_path / "workstation.toml").write_text("[market]\nassumed_delay_ms = 0")
    assert load_configuration(environ={"WORKSTATION_HOME": str(tmp_path)}).settings.market.assumed_delay_ms == 0
    assert load_configuration(environ={"WORKSTATION_PATHS__HOME": str(tmp_path)}).settings.market.assumed_delay_ms == 0


def test_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"absent\.toml: cannot be read"):
        load_configuration(tmp_path / "absent.toml", {})


def test_paths_lie_below_home_unless_absolute(tmp_path: Path) -> None:
    elsewhere = (tmp_path.parent / "elsewhere").as_posix()
    paths = load(tmp_path, f"[paths]\nhistory = 'parquet'\nledger = '{elsewhere}'").settings.paths
    assert paths.home == tmp_path
    assert paths.history == tmp_path / "parquet"
    assert paths.ledger == Path(elsewhere)


def test_home_expands_the_users_folder() -> None:
    settings = load_configuration(environ={"WORKSTATION_HOME": "~/trading"}).settings
    assert settings.paths.home == Path.home() / "trading"
    assert settings.paths.ledger == Path.home() / "trading" / "ledger.db"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[market]\nasumed_delay_ms = 5",
            ":2: unknown setting market.asumed_delay_ms; did you mean market.assumed_delay_ms?",
        ),
        (
            "[markt]\nassumed_delay_ms = 5",
            ":2: unknown setting markt.assumed_delay_ms; did you mean market.assumed_delay_ms?",
        ),
        ("[markt]", ":1: unknown setting markt; did you mean market?"),
        ("assumed_delay_ms = 5", ":1: unknown setting assumed_delay_ms; did you mean market.assumed_delay_ms?"),
        ("[market.book]\ndepth = 5", ":1: unknown setting market.book; `workstation config show` lists"),
        ("market = 5", ":1: market = 5: expected a table, [market]"),
        ("[market]\nassumed_delay_ms = 'fast'", ':2: market.assumed_delay_ms = "fast": expected a valid integer'),
        ("[market]\nassumed_delay_ms = '5'", ':2: market.assumed_delay_ms = "5": expected a valid integer'),
        ("[market]\nassumed_delay_ms = true", ":2: market.assumed_delay_ms = true: expected a valid integer"),
        ("[market]\nassumed_delay_ms = 1.5", ":2: market.assumed_delay_ms = 1.5: expected a valid integer"),
        ("[market]\nassumed_delay_ms = -1", ":2: market.assumed_delay_ms = -1: expected greater than or equal to 0"),
        ("[risk]\nmax_quote_age_ms = 0", ":2: risk.max_quote_age_ms = 0: expected greater than 0"),
        ("[paper]\nslippage_bps = 1001", ":2: paper.slippage_bps = 1001: expected less than or equal to 1000"),
        ("[paper]\nslippage_bps = nan", ":2: paper.slippage_bps = NaN: expected a finite number"),
        ("[paths]\nledger = 5", ":2: paths.ledger = 5: expected"),
        ("[paths]\nledger = ''", ':2: paths.ledger = "": expected a path, not empty text'),
        ("[paths]\nhome = ''", ':2: paths.home = "": expected a path, not empty text'),
        ("[market]\nassumed_delay_ms = 86400001", ":2: market.assumed_delay_ms = 86400001: expected less than or"),
        ("[risk]\nmax_quote_age_ms = 86400001", ":2: risk.max_quote_age_ms = 86400001: expected less than or equal"),
        ("[risk]\nmax_position_notional = []", ":2: risk.max_position_notional = []: expected"),
        ("[engine]\nsymbols = ['BTC']", ':2: engine.symbols = ["BTC"]: expected symbols such as BTC/USDT'),
        ("[engine]\nsymbols = 5", ":2: engine.symbols = 5: expected a valid array"),
        ("[engine]\nbar_intervals = ['7m']", ":2: engine.bar_intervals = [\"7m\"]: expected '1s', '5s',"),
        ("[engine]\nmax_lag_ms = 0", ":2: engine.max_lag_ms = 0: expected greater than 0"),
        ("[market\nassumed_delay_ms = 5", ":1: not valid TOML: "),
        ("[market]\nassumed_delay_ms = ", ":2: not valid TOML: "),
        ("[market]\nassumed_delay_ms = 5\nassumed_delay_ms = 6", ":3: not valid TOML: "),
    ],
)
def test_fault_in_file_names_line_key_value_and_what_was_expected(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, text).startswith(f"HOME/workstation.toml{message}")


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("WORKSTATION_MARKET__ASSUMED_DELAY_MS", "fast", 'market.assumed_delay_ms = "fast": expected a valid integer'),
        (
            "WORKSTATION_MARKET__ASSUMED_DELAY",
            "5",
            "unknown setting market.assumed_delay; did you mean WORKSTATION_MARKET__ASSUMED_DELAY_MS?",
        ),
        (
            "WORKSTATION_PAPER_LATENCY_MS",
            "5",
            "unknown setting paper_latency_ms; did you mean WORKSTATION_PAPER__LATENCY_MS?",
        ),
        (
            "WORKSTATION_PAPR__LATENCY_MS",
            "5",
            "unknown setting papr.latency_ms; did you mean WORKSTATION_PAPER__LATENCY",
        ),
        ("WORKSTATION_PAPER", "5", "unknown setting paper; did you mean WORKSTATION_"),
        ("WORKSTATION_HOMES", "/x", "unknown setting homes; did you mean WORKSTATION_HOME?"),
        ("WORKSTATION_PAPER__LATENCY_MS", "86400001", 'paper.latency_ms = "86400001": expected less than or equal to'),
        ("WORKSTATION_RISK__MAX_OPEN_POSITIONS", "0", 'risk.max_open_positions = "0": expected greater than 0'),
    ],
)
def test_fault_in_environment_names_the_variable(tmp_path: Path, variable: str, value: str, message: str) -> None:
    assert refusal(tmp_path, **{variable: value}).startswith(f"{variable}: {message}")


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    message = refusal(tmp_path, "[market]\nassumed_delay_ms = -1\nstale = 1", WORKSTATION_PAPER__LATENCY_MS="slow")
    assert [line.split(": ")[0] for line in message.splitlines()] == [
        "HOME/workstation.toml:2",
        "HOME/workstation.toml:3",
        "WORKSTATION_PAPER__LATENCY_MS",
    ]


def test_fault_in_file_is_reported_even_when_the_environment_overrides_it(tmp_path: Path) -> None:
    message = refusal(tmp_path, "[market]\nassumed_delay_ms = -1", WORKSTATION_MARKET__ASSUMED_DELAY_MS="5")
    assert "assumed_delay_ms = -1" in message


def test_file_that_is_not_text_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "workstation.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"workstation\.toml: cannot be read"):
        load_configuration(file, {})


def test_home_that_is_no_path_is_one_fault(tmp_path: Path) -> None:
    file = tmp_path / "workstation.toml"
    file.write_text("[paths]\nhome = 5")
    with pytest.raises(ConfigError) as caught:
        load_configuration(file, {})
    assert str(caught.value).startswith(f"{file}:2: paths.home = 5: expected")
    assert "default factory" not in str(caught.value)


def test_several_symbols_are_an_array_in_the_file_and_words_in_the_environment(tmp_path: Path) -> None:
    watched = load(tmp_path, "[engine]\nsymbols = ['BTC/USDT', 'ETH/USDT']\nbar_intervals = []").settings.engine
    assert (watched.symbols, watched.bar_intervals) == (("BTC/USDT", "ETH/USDT"), ())
    named = load(tmp_path, WORKSTATION_ENGINE__SYMBOLS="BTC/USDT, ETH/USDT").settings.engine
    assert (named.symbols, named.bar_intervals) == (("BTC/USDT", "ETH/USDT"), ("1m",))


def test_bars_of_every_length_that_the_market_knows_can_be_watched() -> None:
    assert tuple(interval_ns(label) for label in get_args(IntervalLabel)) == INTERVALS_NS


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    market = load(tmp_path).settings.market
    with pytest.raises(ValueError, match="frozen"):
        market.assumed_delay_ms = 5  # type: ignore[misc]


def test_every_section_of_the_settings_can_be_set() -> None:
    sections = {name: field.annotation for name, field in Settings.model_fields.items()}
    assert sections.pop(VENUES) == dict[str, VenueTable]
    assert sections == SECTIONS


def test_settings_in_force_follow_the_declaration(tmp_path: Path) -> None:
    rows = load(tmp_path, "[paper]\nlatency_ms = 7").in_force()
    assert tuple(row.key for row in rows) == KNOWN_KEYS
    latency = next(row for row in rows if row.key == "paper.latency_ms")
    assert (latency.value, latency.source) == (7, f"{tmp_path / 'workstation.toml'}:2")


def test_every_setting_is_read_somewhere() -> None:
    package = Path(import_module("workstation").__file__ or "").parent
    readers = [path for path in package.rglob("*.py") if path.name not in ("settings.py", "loading.py")]
    text = "\n".join(path.read_text("utf-8") for path in readers)
    assert [key for key in KNOWN_KEYS if not re.search(rf"\b{re.escape(key)}\b", text)] == []
