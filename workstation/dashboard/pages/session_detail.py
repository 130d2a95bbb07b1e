"""One session's panel: what it does now, its facts, its runs and their verifying, its journal's end, its buttons."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workstation.client.kill import KillOrder
from workstation.client.messages import SessionDetail, SessionStatus, SessionSummary
from workstation.dashboard.controls import Outcome
from workstation.dashboard.journal_words import event_name, event_words, journal_tail
from workstation.dashboard.look import flow, stack
from workstation.dashboard.now import now_lines
from workstation.dashboard.pages.asking import VIEWER
from workstation.dashboard.session_facts import fact_groups, moment, verification_lines
from workstation.dashboard.sheet import FactSheet, Words
from workstation.dashboard.state import OVER, EngineState, closing_lines, closing_of, kill_lines
from workstation.dashboard.tables import Column, LiveTable
from workstation.dashboard.users import Role
from workstation.dashboard.visit import Visit
from workstation.errors import WorkstationError

JOURNAL = (
    Column(name="time", title="Time", width=170),
    Column(name="kind", title="Kind", width=90, rank=2),
    Column(name="event", title="Event", width=150),
    Column(name="says", title="Says", rank=1),
)


class SessionPanel:
    """Shown while a session is chosen."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._session, self._known = "", ("", "")
        self._detail: SessionDetail | None = None
        self._facts = -1
        self._asking: asyncio.Task[None] | None = None
        self.sheet = FactSheet(margin=(0, 8), sizing_mode="stretch_width")
        self.verified = FactSheet(margin=(0, 8), sizing_mode="stretch_width")
        self.progress = pmui.LinearProgress(value=0, visible=False, sizing_mode="stretch_width", margin=(4, 0))
        self.journal = LiveTable("Journal", JOURNAL, empty="Nothing is journaled yet.", margin=(12, 0, 0, 0))
        self.why = Words(margin=(6, 8))
        self.pause = _button("Pause", "primary", self._on_pause)
        self.stop = _button("Stop", "primary", self._on_stop)
        self.flatten = _button("Stop and close", "error", self._on_flatten)
        self.kill = _button("Kill", "error", self._on_kill)
        self.verify = _button("Verify", "primary", self._on_verify)
        self.live = _button("Open in Live", "primary", self._on_live)
        self._column = stack(
            self._head(), self.why, self.sheet, self.progress, self.verified, self.journal,
            sizing_mode="stretch_width", margin=(8, 0), visible=False, css_classes=["session-panel"],
        )  # fmt: skip

    def view(self) -> pn.viewable.Viewable:
        return self._column

    def _head(self) -> pn.Row:
        buttons = (self.pause, self.stop, self.flatten, self.kill, self.verify, self.live)
        return flow(*buttons, gap="0")

    # -- shown

    def show(self, state: EngineState, session: str) -> None:
        """After each look; none where `session` is not there."""
        chosen = next((one for one in state.sessions if one.session == session), None)
        self._column.visible = chosen is not None
        if chosen is None:
            self._session = ""
            return
        if session != self._session:
            self._session, self._detail, self._facts = session, None, -1
            self.journal.show([])
        self._ask_for(chosen)
        self.sheet.param.update(
            heading=chosen.session,
            lines=[[list(part) if isinstance(part, tuple) else part for part in line]
                   for line in now_lines(chosen, state.now.get(session))],
            groups=fact_groups(chosen, self._detail),
        )  # fmt: skip
        self._show_verification(session)
        self._allow(chosen)

    def _show_verification(self, session: str) -> None:
        now = self._visit.verifications.of(session)
        is_running = now is not None and now.ended_s is None
        self.progress.visible = is_running
        self.verified.lines = [] if now is None else verification_lines(now, time.monotonic())
        if now is not None and is_running:
            self.progress.value = round(100 * now.fraction)
        label = "Cancel verifying" if is_running else "Verify"
        if self.verify.label != label:
            self.verify.label = label

    def _allow(self, chosen: SessionSummary) -> None:
        """A button that cannot do anything is off, and a viewer is told why all of them are."""
        may = self._visit.controls.may(Role.TRADER)
        is_off = not may or bool(self._visit.state.loss) or chosen.status in OVER
        self.why.say("" if may else VIEWER)
        for button in (self.pause, self.stop, self.flatten, self.kill):
            button.disabled = is_off
        self.verify.disabled = not may
        self.pause.label = "Resume" if chosen.status is SessionStatus.PAUSED else "Pause"

    # -- asked for: what a look does not bring

    def _ask_for(self, chosen: SessionSummary) -> None:
        is_new = self._known != (chosen.session, chosen.run) or self._detail is None
        if (is_new or chosen.facts != self._facts) and (self._asking is None or self._asking.done()):
            self._asking = asyncio.get_running_loop().create_task(self._ask(chosen, is_new=is_new))

    async def _ask(self, chosen: SessionSummary, *, is_new: bool) -> None:
        session = chosen.session
        try:
            if is_new:
                detail = await self._visit.link.ask(lambda client: client.session(session))
                if self._session == session:
                    self._detail, self._known = detail, (session, chosen.run)
            ledger = self._visit.settings.paths.ledger
            rows = await asyncio.to_thread(journal_tail, ledger, session, chosen.facts)
        except WorkstationError:
            return  # the bar says that the engine is gone; the next look asks again
        if self._session == session:
            self._facts = chosen.facts
            self.journal.show([
                {"time": moment(row.ts_received), "kind": row.kind, "event": event_name(row), "says": event_words(row)}
                for row in rows
            ])  # fmt: skip

    # -- buttons

    async def _on_pause(self, _: Any) -> None:
        session, is_paused = self._session, self.pause.label == "Resume"
        if is_paused:
            await self._visit.do(lambda client, by: client.resume_session(session, by), f"{session} enters again.")
        else:
            await self._visit.do(lambda client, by: client.pause_session(session, by), f"{session} is paused.")

    async def _on_stop(self, _: Any) -> None:
        session, closing = self._session, closing_of(self._visit.state, self._session)
        stays = f"Positions stay: {'; '.join(closing.entries)}." if closing.entries else "It holds nothing."
        lines = ["It ends for good; its journal stays, and can be verified.", stays]
        if await self._visit.confirm(f"Stop {session}?", lines, "Stop"):
            await self._visit.do(lambda client, by: client.stop_session(session, by), f"{session} is stopped.")

    async def _on_flatten(self, _: Any) -> None:
        session, lines = self._session, closing_lines(self._visit.state, self._session)
        if await self._visit.confirm(f"Stop {session} and close what it holds?", lines, "Stop and close"):
            await self._visit.do(
                lambda client, by: client.stop_session(session, by, flatten=True), f"{session} is stopped and closes."
            )

    async def _on_kill(self, _: Any) -> None:
        session, lines = self._session, kill_lines(self._visit.state, self._session)
        if await self._visit.confirm(f"Kill {session}?", lines, "Block and cancel"):
            order = KillOrder(session=session, reason="by the dashboard")
            await self._visit.do(lambda client, by: client.kill(order, by), f"{session} is killed.")

    async def _on_verify(self, _: Any) -> None:
        session, verifications, user = self._session, self._visit.verifications, self._visit.user_now()
        may = user is not None and user.role.may(Role.TRADER)
        if may and verifications.current == session:
            verifications.cancel(session)
        elif may and self._detail is not None:
            assert user is not None
            try:
                verifications.start(session, self._detail.runs, user.name)
            except WorkstationError as error:
                self._visit.show_outcome(Outcome(is_done=False, text=str(error)))
        self._show_verification(session)

    def _on_live(self, _: Any) -> None:
        self._visit.open_page("live", {"session": self._session})


def _button(label: str, color: str, act: Callable[[Any], object]) -> Any:
    return pmui.Button(label=label, variant="outlined", color=color, size="small", on_click=act, margin=(4, 4))
