"""Pairs in the settings: what can be compared is taken, what cannot is refused with its line and a reason."""

import json
from pathlib import Path

import pytest

from tests.cli.histories import run
from tests.config.test_loading import load, refusal
from workstation.model.sides import Sides, named_key

VENUES = "".join(f'[venues.{name}]\nexchange = "{kind}"\n' for name, kind in (("nova", "binance"), ("orion", "bybit")))
PAIRS = """[[engine.pairs]]
a = "nova:BTC/USDT"
b = "orion:BTC/USDC"
basis = "nova:USDC/USDT"

[[engine.pairs]]
a = "nova:BTC/USDT"
b = "nova:BTC/USDT:USDT"

"""
OVER_DOLLARS = Sides(*map(named_key, ("nova:BTC/USDT", "orion:BTC/USDC", "nova:USDC/USDT")))
CARRIED = Sides(*map(named_key, ("nova:BTC/USDT", "nova:BTC/USDT:USDT")))


def test_pairs_are_tables_of_their_own_and_name_the_first_ones_line(tmp_path: Path) -> None:
    configuration = load(tmp_path, "[engine]\nrecord = true\n\n" + PAIRS + VENUES)
    assert [pair.sides for pair in configuration.settings.engine.pairs] == [OVER_DOLLARS, CARRIED]
    assert configuration.sources["engine.pairs"] == f"{tmp_path / 'workstation.toml'}:4"
    assert configuration.sources["venues.nova.exchange"].endswith(":14")


def test_the_environment_holds_them_in_a_line(tmp_path: Path) -> None:
    words = "nova:BTC/USDT nova:BTC/USDT:USDT, nova:BTC/USDT orion:BTC/USDC nova:USDC/USDT,"
    settings = load(tmp_path, VENUES, WORKSTATION_ENGINE__PAIRS=words).settings
    assert [pair.sides for pair in settings.engine.pairs] == [CARRIED, OVER_DOLLARS]


def test_config_show_prints_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "pairs.toml"
    file.write_text(PAIRS + VENUES)
    assert run("config", "show", "--json", "--config", str(file)) == 0
    rows = {row["key"]: row["value"] for row in json.loads(capsys.readouterr().out)}
    assert rows["engine.pairs"][1] == {"a": "nova:BTC/USDT", "b": "nova:BTC/USDT:USDT", "basis": None}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('basis = "nova:USDC/USDT"', "", ":1: engine.pairs[1]: nova:BTC/USDT and orion:BTC/USDC: basis none: "
         "expected VENUE:USDC/USDT, as USDC is not USDT"),
        ("nova:USDC/USDT", "nova:USDT/USDC", ":1: engine.pairs[1]: nova:BTC/USDT and orion:BTC/USDC: "
         "basis nova:USDT/USDC: expected VENUE:USDC/USDT"),
        ('b = "nova:BTC/USDT:USDT"', 'b = "nova:BTC/USDT:USDT"\nbasis = "nova:USDC/USDT"', ":6: engine.pairs[2]: "
         "nova:BTC/USDT and nova:BTC/USDT:USDT: basis nova:USDC/USDT: expected none"),
        ("nova:BTC/USDT:USDT", "nova:BTC/USDT", ":6: engine.pairs[2]: nova:BTC/USDT and nova:BTC/USDT: "
         "expected two instruments"),
        ("nova:BTC/USDT:USDT", "orion:BTC/USDT", ":6: engine.pairs[2]: nova:BTC/USDT and orion:BTC/USDT: one symbol "
         "at two venues stands in engine.symbols"),
        ("nova:BTC/USDT:USDT", "nova:ETH/USDT:USDT", ":6: engine.pairs[2]: nova:BTC/USDT and nova:ETH/USDT:USDT: "
         "BTC and ETH are not the same thing"),
        ("orion:BTC/USDC", "vega:BTC/USDC", ":3: engine.pairs[1].b = vega:BTC/USDC: venue vega: expected one of "
         "[venues.NAME] (nova, orion)"),
        ("nova:USDC/USDT", "vega:USDC/USDT", ":4: engine.pairs[1].basis = vega:USDC/USDT: venue vega: expected one of"),
        ("nova:BTC/USDT:USDT", "BTC", ':8: engine.pairs[2].b = "BTC": expected VENUE:SYMBOL, such as nova:BTC/USDT'),
        ('b = "nova:BTC/USDT:USDT"', "b = 5", ":8: engine.pairs[2].b = 5: expected a valid string"),
        ('b = "nova:BTC/USDT:USDT"', "", ":6: engine.pairs[2].b is missing: expected VENUE:SYMBOL"),
        ('b = "nova:BTC/USDT:USDT"', 'b = "nova:BTC/USDT:USDT"\nbase = "BTC"', ":9: unknown setting "
         "engine.pairs[2].base: expected a, b, basis"),
        ('b = "nova:BTC/USDT:USDT"', 'b = "orion:BTC/USDC"\nbasis = "nova:USDC/USDT"', ":1: engine.pairs: "
         "nova:BTC/USDT with orion:BTC/USDC over nova:USDC/USDT: declared twice, expected once"),
        ('a = "nova:BTC/USDT"\nb = "nova:BTC/USDT:USDT"', 'a = "nova:USDC/USDT"\nb = "nova:USDC/USDC"\n'
         'basis = "nova:USDC/USDT"', ":6: engine.pairs[2]: nova:USDC/USDT and nova:USDC/USDC: basis nova:USDC/USDT"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused_with_its_line(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in PAIRS
    said = refusal(tmp_path, PAIRS.replace(old, new) + VENUES)
    assert said.startswith(f"HOME/workstation.toml{sentence}") and "\n" not in said


def test_a_pair_is_the_same_whichever_side_stands_first(tmp_path: Path) -> None:
    words = "nova:BTC/USDT nova:BTC/USDT:USDT, nova:BTC/USDT:USDT nova:BTC/USDT"
    assert refusal(tmp_path, VENUES, WORKSTATION_ENGINE__PAIRS=words).endswith("declared twice, expected once")


@pytest.mark.parametrize("words", ["nova:BTC/USDT", "nova:A/B nova:A/C nova:C/B nova:A/D"])
def test_words_that_are_no_pair_are_refused(tmp_path: Path, words: str) -> None:
    said = refusal(tmp_path, VENUES, WORKSTATION_ENGINE__PAIRS=words)
    assert said == f'WORKSTATION_ENGINE__PAIRS: engine.pairs = "{words}": expected pairs such as A B or A B BASIS, ' \
        "commas between them"  # fmt: skip


def test_a_list_that_is_no_list_of_tables_is_refused_as_any_other(tmp_path: Path) -> None:
    assert ":2: engine.pairs = 5: expected a valid array" in refusal(tmp_path, "[engine]\npairs = 5")
    assert ":2: engine.pairs = [5]: expected an object" in refusal(tmp_path, "[engine]\npairs = [5]")
