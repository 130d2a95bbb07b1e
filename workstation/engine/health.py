"""Is it well: what the engine does in figures, and a sentence for each thing that is not."""

import os
from collections.abc import Iterator, Mapping

import psutil

from workstation import __version__
from workstation.client.kill import KillView
from workstation.client.messages import Health, RecorderView
from workstation.engine.clock import Clock
from workstation.engine.collection_keeper import Collections
from workstation.engine.feeds import Feeds
from workstation.engine.sessions import Sessions
from workstation.engine.turns import Turns
from workstation.ledger.journal import Ledger


class HealthAnswers:
    """`unlisted`: watched symbols that are not told of, and why."""

    def __init__(
        self,
        clock: Clock,
        turns: Turns,
        feeds: Feeds,
        sessions: Sessions,
        collections: Collections,
        ledger: Ledger,
    ) -> None:
        self._clock, self._turns, self._feeds = clock, turns, feeds
        self._sessions, self._collections, self._ledger = sessions, collections, ledger
        self._started_ns = clock.now_ns()
        self._process = psutil.Process(os.getpid())
        self.unlisted: dict[str, str] = {}
        self.not_fed: dict[str, str] = {}
        """Watched symbols that their feed does not take, and why."""

    def view(self, kill: KillView) -> Health:
        now_ns, turns, recorder = self._clock.now_ns(), self._turns, self._recorder_view()
        clock = turns.market.tables.clock[0]
        return Health(
            version=__version__,
            started_ns=self._started_ns,
            now_ns=now_ns,
            problems=tuple(self._problems(recorder, kill, self.unlisted | self.not_fed)),
            feeds=self._feeds.views(),
            recorder=recorder,
            rows=int(clock["rows"]),
            rows_per_second=turns.latency.rows_per_second(now_ns),
            waiting=turns.channel.waiting,
            dropped=turns.channel.dropped,
            conflated=turns.channel.conflated,
            rejected=sum(int(clock[f"rejected_{why}"]) for why in ("unknown", "value", "crossed")),
            loop_lag_ms_p99=turns.latency.percentile_ms(now_ns, 0.99),
            journal_lag_ms=self._ledger.oldest_pending_s * 1e3,
            journal_rows=self._ledger.rows_written,
            sessions=len(turns.sessions),
            memory_mb=self._process.memory_info().rss / 2**20,
            clock_drift_ms=self._clock.drift_ns() / 1e6,
            kill=kill,
        )

    def _recorder_view(self) -> RecorderView | None:
        recorder = self._turns.recorder
        if recorder is None:
            return None
        state, gap = recorder.state, recorder.recovered.gap
        failure = state.writer.failure or state.roll_failure
        return RecorderView(
            state="recording" if state.writer.failure is None else "failed",
            rows=state.writer.rows_written,
            bytes=state.writer.bytes_written,
            lag_ms=state.writer.lag_s * 1e3,
            failure=failure,
            last_gap_ns=None if gap is None or gap.from_ns is None or gap.to_ns is None else (gap.from_ns, gap.to_ns),
            opportunities_missed=state.writer.opportunities_missed,
        )

    def _problems(self, recorder: RecorderView | None, kill: KillView, missing: Mapping[str, str]) -> Iterator[str]:
        yield from (f"{name}: {why}" for name, why in missing.items())
        for feed in self._feeds.views():
            if feed.state not in ("live", "connecting"):
                yield f"feed {feed.venue}: {feed.state}: {feed.reason}"
        if recorder is not None and recorder.failure is not None:
            yield f"recorder: {recorder.failure}"
        yield from self._collections.problems()
        if self._ledger.failure is not None:
            yield f"ledger: {self._ledger.failure}"
        if self._turns.channel.is_lagging:
            yield "market data waits longer than it may: no entries"
        for scope in kill.scopes:
            why = f": {scope.reason}" if scope.reason else ""
            yield f"kill switch: on for {scope.session or 'every session'}, by {scope.by}{why}; nothing is opened"
        yield from (f"session {name} does not go on: {why}" for name, why in self._sessions.lost.items())
        for live in self._sessions.all():
            if live.fault is not None:
                yield f"session {live.session_id}: {live.fault}"
