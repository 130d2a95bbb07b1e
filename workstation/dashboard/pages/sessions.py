"""Sessions: What runs? Every session on a line, one of them in a panel, the form that starts one, and the jobs."""

from typing import Any, ClassVar

import panel as pn
import panel_material_ui as pmui

from workstation.client.jobs import ENDED
from workstation.dashboard.look import head_of, stack
from workstation.dashboard.pages.session_detail import SessionPanel
from workstation.dashboard.pages.session_form import SessionForm
from workstation.dashboard.session_rows import JOBS, OPEN_JOBS, SESSIONS, in_order
from workstation.dashboard.sheet import Words
from workstation.dashboard.state import EngineState
from workstation.dashboard.tables import LiveTable, Row
from workstation.dashboard.users import Role
from workstation.dashboard.visit import OnPlace, Visit

NAME = "sessions"
NONE = "none"
WAITING = "Waiting for the engine: it has not answered yet."
EMPTY = (
    "No sessions yet. Start one, or run: workstation session start spread-reversion --venue nova --venue orion "
    "--symbol BTC/USDT"
)


class SessionsPage:
    """`place` is what the address keeps: the chosen session, and the strategy whose form is open."""

    question: ClassVar[str] = "What runs?"

    def __init__(self, visit: Visit, place: dict[str, str]) -> None:
        self._visit = visit
        self.on_place: OnPlace = lambda place: None
        self._wanted, self._form_for = place.get("session", ""), place.get("start", "")
        self.sessions = LiveTable("Sessions", SESSIONS, source="sessions", empty=EMPTY, margin=(0, 0, 12, 0))
        self.jobs = LiveTable(
            "Jobs", JOBS, source="jobs", empty="No replays, back-tests or downloads were asked of this engine.",
            buttons={"cancel": ["cancel", "End this job before its time", {"state": OPEN_JOBS}]},
        )  # fmt: skip
        self.chosen = pmui.Select(label="Session", options={NONE: ""}, value="", size="small", width=230)
        self.new = pmui.Button(
            label="Start a session", variant="contained", size="small", on_click=self._on_new, margin=(14, 8)
        )
        self.waiting = Words(WAITING, margin=(8, 8))
        self.panel = SessionPanel(visit)
        self._form: SessionForm | None = None
        self._form_place = stack()
        self.chosen.param.watch(self._on_chosen, "value")
        self.sessions.on_row(lambda row: self._choose(row["session"]))
        self.jobs.on_button("cancel", self._on_cancel)
        self.show(visit.state)
        if self._form_for:
            pn.state.execute(self._open_named)

    @property
    def form(self) -> SessionForm:
        """Made when it is first asked for: it costs as much as the rest of the page."""
        if self._form is None:
            self._form = SessionForm(self._visit, self._on_started)
            self._form.show(self._visit.state)
            self._form_place.append(self._form.view())
        return self._form

    @property
    def place(self) -> dict[str, str]:
        return {"session": self.chosen.value or ""}

    def view(self) -> pn.viewable.Viewable:
        head = head_of(self.question, self.chosen, self.new)
        return stack(
            head, self._form_place, self.waiting, self.sessions, self.jobs, self.panel.view(),
            margin=(0, 8), css_classes=["sessions-page"],
        )  # fmt: skip

    def show(self, state: EngineState) -> None:
        """After each look."""
        is_known = state.heard_s is not None
        self.waiting.say("" if is_known else WAITING)
        self.sessions.visible = self.jobs.visible = is_known
        self._offer(state)
        self.panel.show(state, self.chosen.value or "")
        if self._form is not None:
            self._form.show(state)
        may = self._visit.controls.may(Role.TRADER)
        if self.jobs.acts != may:
            self.jobs.acts = may
        if self.new.disabled == may:
            self.new.param.update(
                disabled=not may,
                description=None if may else "A viewer watches; to start takes the role trader or admin.",
            )

    def _offer(self, state: EngineState) -> None:
        options = {NONE: ""} | {one.session: one.session for one in in_order(state.sessions)}
        if options != self.chosen.options:
            self.chosen.options = options
        if self._wanted and self._wanted in options.values():
            wanted, self._wanted = self._wanted, ""
            self.chosen.value = wanted

    def restyle(self, *, is_dark: bool) -> None:
        """Its colours are the theme's own."""

    def _choose(self, session: str) -> None:
        """Where the engine has not told of it yet, as soon as it does."""
        self._wanted = session
        self._offer(self._visit.state)

    def _on_chosen(self, _: Any) -> None:
        self.panel.show(self._visit.state, self.chosen.value or "")
        self.on_place(self.place)

    async def _on_new(self, _: Any) -> None:
        await self._open_form("")

    async def _open_named(self) -> None:
        await self._open_form(self._form_for)

    async def _open_form(self, strategy: str) -> None:
        """It reads, and so runs, one's own strategies: not for a viewer, whatever a link says."""
        if not self._visit.controls.may(Role.TRADER):
            return
        self.new.loading = True
        try:
            await self.form.open(strategy)
        finally:
            self.new.loading = False

    def _on_started(self, session: str) -> None:
        if session:
            self._choose(session)

    async def _on_cancel(self, row: Row) -> None:
        job = row["job"]
        known = next((one for one in self._visit.state.jobs if one.job == job), None)
        if known is None or known.state in ENDED:
            return
        what = known.series or f"{known.strategy} on {', '.join(known.instruments)}"
        rest = "is lost" if known.series is None else "stays stored"
        lines = [f"{what}: {known.progress:.0%} is done, and {rest}."]
        if await self._visit.confirm(f"Cancel {job}?", lines, "Cancel the job"):
            await self._visit.do(lambda client, by: client.cancel_job(job, by), f"{job} is cancelled.")
