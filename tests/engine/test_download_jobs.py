"""Downloads beside the engine: what runs next to what, what is refused, how far they are, and what the disk is told."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from tests.engine import test_jobs as jobs_of_history
from tests.engine.test_jobs import COMMAND, START_NS, a_replay, run, until
from workstation.client.jobs import ENDED, DownloadJob, DownloadResult, JobOrder, JobState, Request
from workstation.config.settings import Engine, Paths, Settings, VenueTable
from workstation.engine.bus import Bus
from workstation.engine.jobs import Jobs
from workstation.errors import BadInput, DownloadRunning
from workstation.model.durations import SECOND_NS

BUSY = "the venue says 429: asked again"
VENUES = {
    "nova": VenueTable(exchange="binance", url="http://127.0.0.1:1/nova", token=SecretStr("canary-3f9a")),
    "orion": VenueTable(exchange="bybit"),
    "vega": VenueTable(exchange="bybit"),
}


class Host(jobs_of_history.Host):
    """Jobs of one home whose engine computes one at a time, and knows these venues."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        settings = Settings(paths=Paths(home=home), engine=Engine(jobs=1), venues=VENUES)
        self.jobs = Jobs(settings, Bus(), self.clock, self._check, COMMAND)

    async def ask(self, request: Request) -> str:
        return (await self.jobs.start(request, "me")).job


def a_download(symbol: str = "WAITS/USDT", **changes: Any) -> DownloadJob:
    """What its process does is the base of its symbol."""
    return DownloadJob.model_validate({"venue": "nova", "symbol": symbol, "start_ns": START_NS - 9} | changes)


def is_told(host: Host, job: str, rows: int, note: str) -> bool:
    now = host.one(job)
    return (now.rows, now.note) == (rows, note)


def test_a_download_tells_rows_share_pace_and_what_holds_it_up(tmp_path: Path) -> None:
    host = Host(tmp_path)
    told: list[tuple[int, float, float | None, float | None, str]] = []

    async def story() -> None:
        job = await host.ask(a_download("STEPS/USDT"))
        folder = Path(host.one(job).folder)
        for step, (rows, note) in enumerate(((10, ""), (40, ""), (40, BUSY), (70, ""))):
            (folder / f"step{step}").touch()
            await until(partial(is_told, host, job, rows, note))
            now = host.one(job)
            told.append((now.rows, now.progress, now.rows_per_s, now.left_s, now.note))
            host.clock.time_ns += 10 * SECOND_NS
        (folder / "step4").touch()
        await until(lambda: host.one(job).state in ENDED)

    run(host, story)
    assert told == [
        (10, 0.0, None, None, ""),
        (40, 0.25, 3.0, 30.0, ""),
        (40, 0.25, 3.0, 30.0, BUSY),
        (70, 0.5, 2.0, 30.0, ""),
    ]
    done = host.one("download-1")
    assert (done.state, done.progress, done.left_s, done.note) == (JobState.DONE, 1.0, None, "")
    assert (done.kind, done.strategy, done.series) == ("download", None, "bars nova:STEPS/USDT 1m")
    assert isinstance(done.result, DownloadResult) and done.result.rows_stored == 60


def test_downloads_take_no_place_of_a_back_test_and_one_exchange_is_asked_by_one_at_a_time(tmp_path: Path) -> None:
    host = Host(tmp_path)

    async def story() -> None:
        for request in (
            a_replay("waits"),
            a_replay("later"),
            a_download(),
            a_download(interval="1h"),
            a_download(venue="orion"),
            a_download(venue="vega"),  # the same exchange as orion
        ):
            await host.ask(request)
        running = [JobState.RUNNING if place in (0, 2, 4) else JobState.QUEUED for place in range(6)]
        assert host.states() == running
        await host.jobs.cancel("download-5", "me")
        assert host.one("download-6").state is JobState.RUNNING and host.one("replay-2").state is JobState.QUEUED

    run(host, story)


def test_a_second_download_of_a_series_is_refused_while_the_first_one_waits_runs_or_is_being_taken(
    tmp_path: Path,
) -> None:
    host = Host(tmp_path)

    async def story() -> None:
        asked = await asyncio.gather(*(host.ask(a_download()) for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in asked] == [str, DownloadRunning, DownloadRunning]
        assert "bars nova:WAITS/USDT 1m: another download of it is just beginning" in str(asked[1])
        with pytest.raises(DownloadRunning, match=r"bars nova:WAITS/USDT 1m: download-1 downloads it already \(run"):
            await host.ask(a_download(start_ns=START_NS - 99))
        await host.ask(a_download(data_kind="trades"))
        with pytest.raises(DownloadRunning, match=r"download-2 downloads it already \(queued\)"):
            await host.ask(a_download(data_kind="trades"))
        await host.jobs.cancel("download-1", "me")
        await host.ask(a_download())

    run(host, story)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"venue": "lyra"}, "venue 'lyra': not in the settings (there: nova, orion, vega)"),
        ({"start_ns": START_NS}, "begins after now"),
    ],
)
def test_what_cannot_be_downloaded_is_refused_before_anything_starts(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    host = Host(tmp_path)

    async def story() -> None:
        with pytest.raises(BadInput) as refused:
            await host.ask(a_download(**changes))
        assert sentence in str(refused.value)

    run(host, story)
    assert not host.jobs.all() and not (tmp_path / "jobs").exists()


def test_its_folder_knows_its_own_venue_alone_and_no_secret(tmp_path: Path) -> None:
    host = Host(tmp_path)

    async def story() -> None:
        await host.ask(a_download())
        await host.ask(a_replay("waits"))

    run(host, story)
    download, replay = (tmp_path / "jobs" / name / "request.json" for name in ("download-1", "replay-2"))
    kept = JobOrder.model_validate_json(download.read_bytes())
    assert list(kept.settings.venues) == ["nova"] and kept.settings.venues["nova"].token is None
    assert kept.settings.venues["nova"].url == VENUES["nova"].url
    assert JobOrder.model_validate_json(replay.read_bytes()).settings.venues == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"symbol": "BTC"}, "symbol"),
        ({"symbol": "<img src=x>/USDT"}, "symbol"),
        ({"interval": "7m"}, "interval"),
        ({"data_kind": "trades", "interval": "1m"}, "interval"),
        ({"data_kind": "quotes"}, "data_kind"),
        ({"end_ns": START_NS - 9}, "end_ns"),
        ({"start_ns": None}, "start_ns"),
    ],
)
def test_a_field_that_cannot_be_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        a_download(**changes)
    assert [one["loc"] for one in refused.value.errors()] == [(field,)]


def test_bars_are_of_a_minute_where_nothing_is_said_and_other_rows_have_no_interval() -> None:
    assert (a_download().interval, a_download(data_kind="funding").interval) == ("1m", None)
