"""`workstation exchange list` and `check`: what is known, and whether it can be reached."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.engines import running as engine_running
from tests.cli.test_config_show import HEAVY, loaded_modules
from tests.exchanges.venue import Venue, book_ticker
from tests.server.desk import Desk
from workstation.cli.main import main
from workstation.exchanges.venue_facts import VENUES


def code_of(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return int(caught.value.code or 0)


def write_venue(home: Path, url: str) -> None:
    (home / "workstation.toml").write_text(f'[venues.nova]\nexchange = "binance"\nurl = "{url}"\ntimeout_s = 2\n')


@pytest.fixture
def telling_venue() -> Iterator[Venue]:
    """A venue in a thread of its own that tells quotes of BTC/USDT to whoever subscribes."""
    venue, ready, loop = Venue(), threading.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        await venue.start()
        ready.set()
        await venue.wait_for("btcusdt@bookTicker", timeout_s=60)
        await venue.send("btcusdt@bookTicker", book_ticker("BTCUSDT", 100, 101))

    thread = threading.Thread(
        target=lambda: (asyncio.set_event_loop(loop), loop.create_task(serve()), loop.run_forever())
    )
    thread.start()
    assert ready.wait(10)
    yield venue
    asyncio.run_coroutine_threadsafe(venue.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_list_shows_the_venues_of_the_settings_and_what_every_known_exchange_lacks(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_venue(home, "http://127.0.0.1:1/nova")
    assert code_of("exchange", "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == ["nova", "binance", "http://127.0.0.1:1/nova"]
    assert {line.split()[1] for line in lines[2:-1]} == set(VENUES)
    assert "quotes are the top of the order book" in next(line for line in lines if "bitvavo" in line)


def test_list_as_json_is_for_programs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_venue(home, "http://127.0.0.1:1/nova")
    assert code_of("exchange", "list", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told[0]["venue"], told[0]["exchange"], told[0]["url"]) == ("nova", "binance", "http://127.0.0.1:1/nova")
    assert {one["exchange"] for one in told[1:]} == set(VENUES) and told[1]["venue"] is None


def test_check_as_json_is_one_document_and_the_same_exit_code(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_venue(home, "http://127.0.0.1:1/nova")
    assert code_of("exchange", "check", "nova", "--json") == 1
    (line,) = json.loads(capsys.readouterr().out)
    assert (line["subject"], line["ok"]) == ("markets", False)
    assert line["remedy"].startswith("start the simulated exchange")


def test_list_and_help_do_not_load_ccxt(home: Path) -> None:
    imports = "import contextlib\nfrom workstation.cli.main import main\n"
    modules = loaded_modules(imports + "with contextlib.suppress(SystemExit): main(['exchange', 'list'])")
    assert "workstation.cli.exchange" in modules
    assert "ccxt" not in modules
    assert modules.isdisjoint(HEAVY)


def test_check_of_a_venue_that_works_says_so_line_by_line(
    home: Path, telling_venue: Venue, capsys: pytest.CaptureFixture[str]
) -> None:
    write_venue(home, telling_venue.url)
    assert code_of("exchange", "check", "nova") == 1  # its clock stands in 2023
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["markets", "rest", "clock", "quote"]
    assert lines[0].split()[1:5] == ["ok", "2", "to", "trade,"]
    assert lines[2].split()[1] == "FAILED"
    assert lines[2].endswith("set this computer's clock (NTP)")
    assert "ok      100 / 101 after" in lines[3]


def test_check_of_a_symbol_that_is_not_there_or_does_not_talk_fails_with_what_to_do(
    home: Path, telling_venue: Venue, capsys: pytest.CaptureFixture[str]
) -> None:
    write_venue(home, telling_venue.url)
    arguments = ("--symbol", "X/Y", "--symbol", "ETH/USDT", "--within", "0.2")
    assert code_of("exchange", "check", "nova", *arguments) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "quote X/Y         FAILED  no such symbol, or none that is traded; take one of: BTC/USDT, ETH/USDT" in lines
    assert lines[-1].startswith("quote ETH/USDT    FAILED  none within 0.2 s")


def test_check_of_a_venue_that_does_not_answer_says_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_venue(home, "http://127.0.0.1:1/nova")
    assert code_of("exchange", "check", "nova") == 1
    out = capsys.readouterr().out
    assert out.startswith("markets           FAILED  nova (binance): ExchangeNotAvailable: ")
    assert "start the simulated exchange, or mend the url; then check again" in out


def test_check_of_a_venue_that_is_not_in_the_settings_names_those_that_are(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_venue(home, "http://127.0.0.1:1/nova")
    assert code_of("exchange", "check", "vega") == 1
    assert "venue 'vega': not in the settings (there: nova); add [venues.vega]" in capsys.readouterr().err


def test_a_venue_is_tried_again_by_hand(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk()
    with engine_running(desk, home):
        assert code_of("exchange", "reset", "nova") == 0
        assert capsys.readouterr().out == "nova: tried again now (it was live)\n"
        assert code_of("exchange", "reset", "nova", "--json") == 0
        assert json.loads(capsys.readouterr().out)["state"] == "live"
        assert code_of("exchange", "reset", "orion") == 1
        assert "expected one of the engine's: nova" in capsys.readouterr().err
    assert desk.acts == [("reset feed", "nova", "command line")] * 2
