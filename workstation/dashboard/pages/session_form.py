"""The form that starts a session, made of the strategy's declaration; each field has its own error beside it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workstation.client.client import Client
from workstation.client.declaration import SessionDeclaration, free_name
from workstation.client.jobs import ReplayJob
from workstation.config.own_strategies import take_in_own_strategies
from workstation.config.words import SIZING_MODES
from workstation.dashboard.controls import Outcome
from workstation.dashboard.declared_words import command_of, preview
from workstation.dashboard.declaring import (
    LIMITS,
    PARAMETER,
    WHOLE,
    Form,
    FormMode,
    FormRefused,
    declaration_of,
    field_of,
    of_mode,
)
from workstation.dashboard.learning import learned_form, manifests_of
from workstation.dashboard.look import RAISED, flow, stack
from workstation.dashboard.pages.session_fields import help_of, parameter_field, row, shown, text_field, words_in
from workstation.dashboard.sheet import FactSheet
from workstation.dashboard.state import EngineState
from workstation.dashboard.users import Role
from workstation.dashboard.visit import Visit
from workstation.errors import WorkstationError
from workstation.model.market import INTERVALS_NS, interval_label
from workstation.session.manifest import RunManifest
from workstation.strategies.base import BarStrategy
from workstation.strategies.catalog import OWN, known_strategies

MODES = {"On paper, live": FormMode.PAPER, "Replay of history": FormMode.REPLAY}
FIGURES = {
    "leverage": "Leverage (1)",
    "balance": "Balance a venue, quote (10000)",
    "coins": "Coins a venue, base (0)",
    "slippage_bps": "Slippage, bps",
    "latency_ms": "Latency, ms",
    "entry_timeout_ms": "Give up entries, ms (never)",
}
"""In brackets, here and below, what an empty field means."""
LIMIT_LABELS = {
    "max_position_notional": "Largest position, quote",
    "max_open_positions": "Most open positions",
    "max_quote_age_ms": "Oldest quote, ms",
}
NO_OTHER = "none"
Started = Callable[[str], None]


class SessionForm:
    """Words as they are typed; what is made of them is `declaring`'s. `started` is called with the session's name."""

    def __init__(self, visit: Visit, started: Started) -> None:
        self._visit, self._started = visit, started
        self._manifests: list[RunManifest] = []
        self._is_filling, self._is_wanted = False, False
        self.fields: dict[str, Any] = {}
        self._known: dict[str, list[str]] = {}
        """Venues and symbols that the engine watches; another one may be typed."""
        self.mode = pmui.RadioButtonGroup(options=MODES, value=FormMode.PAPER, size="small", margin=(4, 10), width=280)
        self.strategy = self._put("strategy", pmui.Select(label="Strategy", options=[], size="small", width=180))
        self.session = self._put("session", text_field("Name", 200))
        self.venues = [
            self._put_choice(name, label, 150) for name, label in (("venues", "Venue"), ("other_venue", "Other venue"))
        ]
        self.symbol = self._put_choice("symbol", "Symbol", 190)
        intervals = [interval_label(one) for one in INTERVALS_NS]
        self.interval = self._put("interval", pmui.Select(label="Interval", options=intervals, size="small", width=110))
        self.sizing_mode = pmui.Select(label="Size by", options=list(SIZING_MODES), size="small", width=170)
        self.sizing = self._put("sizing", text_field("Size", 130))
        self.with_trades = pmui.Checkbox(label="Public trades fill resting orders", value=True, margin=(14, 10))
        self.span = [self._put(name, text_field(label, 210, "all that is stored")) for name, label in (
            ("start", "From, UTC"), ("end", "To, UTC"))]  # fmt: skip
        for name, label in (FIGURES | LIMIT_LABELS).items():
            usual = "" if "(" in label else f" ({self._setting(name)})"
            self._put(name, text_field(label + usual, 230, 'a number, or "none"' if name in LIMITS else "a number"))
        self._parameters = flow(gap="0 4px")
        self._of_strategy = FactSheet(margin=(2, 10), sizing_mode="stretch_width")
        self.says = FactSheet(margin=(4, 10), sizing_mode="stretch_width")
        self.trouble = FactSheet(margin=(4, 10), sizing_mode="stretch_width")
        self.send = pmui.Button(
            label="Start", variant="contained", size="small", on_click=self._on_send, margin=(10, 10)
        )
        self.mode.param.watch(self._on_mode, "value")
        for widget in (self.sizing_mode, self.with_trades):
            widget.param.watch(self._on_change, "value")
        self._fold = pmui.Button(label="Put away", variant="text", size="small", on_click=self._on_fold)
        self._card, self._place = self._layout(), stack()

    def view(self) -> pn.viewable.Viewable:
        """Empty until the form is filled: then the browser gets it as a whole, and never shows an empty field first."""
        return self._place

    # -- opened, and kept up to date

    async def open(self, strategy: str = "") -> None:
        """Reads one's own strategies and the last sessions anew, and shows the form once it is filled."""
        paths = self._visit.settings.paths
        await asyncio.to_thread(take_in_own_strategies, paths.strategies)
        try:
            self._manifests = await asyncio.to_thread(manifests_of, paths.ledger)
        except WorkstationError as error:
            self._tell(str(error))
        names = sorted(known_strategies())
        wanted = strategy or self.strategy.value or ""
        self.strategy.param.update(options=names, value=wanted if wanted in names else self._usual(names))
        self._is_wanted = True
        self._reveal()
        for fault in OWN.faults:
            self._tell(fault)

    def _reveal(self) -> None:
        """Once the engine has told of its instruments: before that, fields would be empty that are not."""
        if self._is_wanted and self._visit.state.heard_s is not None:
            self._is_wanted = False
            if not self._parameters.objects:
                self._learn()
            self._card.visible = True
            if not self._place.objects:
                self._place.append(self._card)

    def _usual(self, names: list[str]) -> str:
        last = next((one.session.strategy for one in reversed(self._manifests) if one.session.strategy in names), None)
        return names[0] if last is None else last

    def show(self, state: EngineState) -> None:
        """Choices that came or went, and who may press the button."""
        venues = sorted({venue for venue, _ in state.instruments} | {one.venue for one in _feeds(state)})
        symbols = sorted({symbol for _, symbol in state.instruments})
        for name, known in (("venues", venues), ("other_venue", venues), ("symbol", symbols)):
            self._offer(name, known)
        self._reveal()
        may = self._visit.controls.may(Role.TRADER)
        is_off = not may or bool(state.loss)
        if self.send.disabled != is_off:
            why = (
                "A viewer watches; to start takes the role trader or admin."
                if not may
                else "The engine does not answer."
            )
            self.send.param.update(disabled=is_off, description=why if is_off else None)

    # -- fields

    def _put(self, name: str, widget: Any) -> Any:
        self.fields[name] = widget
        widget.param.watch(self._on_strategy if name == "strategy" else self._on_change, "value")
        return widget

    def _put_choice(self, name: str, label: str, width: int) -> Any:
        """Of what the engine watches, or what is typed; with each letter, for what it shows is what starts."""
        widget = pmui.AutocompleteInput(
            label=label, options=[], restrict=False, min_characters=0, size="small", width=width
        )
        self.fields[name], self._known[name] = widget, []
        widget.param.watch(lambda event: self._on_typed(name, event.new), "value_input")
        return widget

    def _on_typed(self, name: str, text: str) -> None:
        if not self._is_filling:
            self._write(name, text)
            self._look()

    def _write(self, name: str, text: str) -> None:
        """Among the options too: Panel shows nothing for a value that is not one of them, and keeps it."""
        widget = self.fields[name]
        was_filling, self._is_filling = self._is_filling, True
        try:
            widget.param.update(options=sorted({*self._known[name], text} - {""}), value=text)
            if widget.value_input != text:
                widget.param.trigger("value")
        finally:
            self._is_filling = was_filling

    def _offer(self, name: str, known: list[str]) -> None:
        if self._known[name] != known:
            self._known[name] = known
            self._write(name, self.fields[name].value_input)

    def _setting(self, name: str) -> str:
        settings = self._visit.settings
        return str(getattr(settings.risk if name in LIMITS else settings.paper, name))

    def _on_strategy(self, _: Any) -> None:
        if not self._is_filling:
            self._learn()

    def _learn(self) -> None:
        """The form of that strategy's last session, under a new name."""
        if not self.strategy.value:
            return
        form = learned_form(self.strategy.value, self._manifests, self._visit.settings)
        self._fill(replace(of_mode(form, self.mode.value), session=free_name(form.strategy, self._taken())))

    def _fill(self, form: Form) -> None:
        kind = known_strategies()[form.strategy]
        self._is_filling = True
        try:
            self._of_strategy.lines = [[" ".join((kind.__doc__ or "").replace("`", "").split())]]
            self._build_parameters(kind, form.parameters)
            self.session.value = form.session
            venues = form.venues or tuple(self._known["venues"][: min(kind.venues)])
            for name, venue in zip(("venues", "other_venue"), (*venues, "", ""), strict=False):
                self._write(name, venue)
            self.venues[1].visible = 2 in kind.venues
            self._write("symbol", form.symbol or next(iter(self._known["symbol"]), ""))
            self.interval.param.update(value=form.interval or "1m", visible=issubclass(kind, BarStrategy))
            self.sizing_mode.value, self.sizing.value = form.sizing_mode, form.sizing
            for name in FIGURES:
                self.fields[name].value = form.figures.get(name, "")
            for name in LIMITS:
                self.fields[name].value = form.limits.get(name, "")
            self.with_trades.value = form.with_trades
        finally:
            self._is_filling = False
        self._look()

    def _build_parameters(self, kind: Any, words: Mapping[str, str]) -> None:
        for name in [one for one in self.fields if one.startswith(PARAMETER)]:
            del self.fields[name]
        widgets = []
        for name in (one for one in kind.param if one != "name"):
            widget = parameter_field(name, kind.param[name], words.get(name, ""))
            widgets.append(self._put(PARAMETER + name, widget))
        self._parameters.objects = widgets

    # -- what is typed

    def form(self) -> Form:
        """As it stands."""
        return Form(
            mode=self.mode.value,
            strategy=self.strategy.value or "",
            session=(self.session.value or "").strip(),
            venues=tuple(shown(one) for one in self.venues if one.visible and shown(one)),
            symbol=shown(self.symbol),
            interval=self.interval.value or "",
            sizing_mode=self.sizing_mode.value or "",
            sizing=self.sizing.value or "",
            parameters={
                name.removeprefix(PARAMETER): words_in(widget)
                for name, widget in self.fields.items()
                if name.startswith(PARAMETER)
            },
            figures={name: self.fields[name].value or "" for name in FIGURES},
            limits={name: self.fields[name].value or "" for name in LIMITS},
            with_trades=self.with_trades.value,
            span=(self.span[0].value or "", self.span[1].value or ""),
        )

    def _taken(self) -> set[str]:
        """Names of sessions that the engine or the ledger knows, and of replays."""
        state = self._visit.state
        known = {one.session for one in state.sessions} | {str(one.session.session_id) for one in self._manifests}
        return known | {one.session for one in state.jobs if one.session is not None}

    def _on_mode(self, _: Any) -> None:
        """Public trades are taken from history only where somebody says so: they must be stored."""
        self.with_trades.value = self.mode.value is FormMode.PAPER
        self._on_change(None)

    def _on_change(self, _: Any) -> None:
        if not self._is_filling:
            self._look()

    def _look(self) -> SessionDeclaration | ReplayJob | None:
        """Shows what it would do, or what is wrong beside each field; None where something is."""
        is_replay = self.mode.value is FormMode.REPLAY
        for widget in self.span:
            widget.visible = is_replay
        self.send.label = "Start the replay" if is_replay else "Start on paper"
        try:
            declared = declaration_of(self.form(), () if is_replay else self._taken())
        except FormRefused as refused:
            self._point_at(refused.problems)
            self.says.lines = []
            return None
        self._point_at({})
        lines: list[list[Any]] = [[line] for line in preview(declared, self._visit.settings)]
        self.says.lines = [*lines, ["The same in a terminal: ", ["id", command_of(declared)]]]
        return declared

    def _point_at(self, problems: Mapping[str, str]) -> None:
        for name, widget in self.fields.items():
            problem = problems.get(name, "")
            if hasattr(widget, "error_state"):
                widget.param.update(error_state=bool(problem), helper_text=problem or help_of(widget))
        rest = [
            f"{name}: {text}" if name != WHOLE else text for name, text in problems.items() if name not in self.fields
        ]
        self._tell("; ".join(rest))

    def _tell(self, text: str) -> None:
        self.trouble.lines = [[["down", f"▲ {text}"]]] if text else []

    # -- sent

    async def _on_send(self, _: Any) -> None:
        declared = self._look()
        if declared is None:
            return
        self.send.loading = True
        try:
            outcome = await self._visit.controls.do(lambda client, by: _start(client, declared, by), "")
        finally:
            self.send.loading = False
        is_there = any(one.session == declared.session for one in self._visit.state.sessions)
        if not outcome.is_done and not is_there:  # an answer that came too late may have been a yes
            name = field_of(outcome.text, self.fields)
            self._point_at({name: outcome.text})
            return
        is_job = isinstance(declared, ReplayJob)
        done = f"Replay of {declared.session} is asked for." if is_job else f"Session {declared.session} is started."
        self._visit.show_outcome(Outcome(is_done=True, text=done))
        self._card.visible = False
        self.session.value = free_name(declared.strategy, {*self._taken(), declared.session})
        self._started("" if is_job else declared.session)

    def _on_fold(self, _: Any) -> None:
        self._card.visible = False

    def _layout(self) -> pn.Column:
        return stack(
            row(pn.pane.HTML("<b>Start a session</b>", margin=(8, 10)), self._fold),
            row(self.mode, self.strategy, self.session, *self.venues, self.symbol, self.interval),
            self._of_strategy,
            self._parameters,
            row(self.sizing_mode, self.sizing, *(self.fields[name] for name in ("leverage", "balance", "coins"))),
            row(*(self.fields[name] for name in LIMITS)),
            row(*(self.fields[name] for name in ("slippage_bps", "latency_ms", "entry_timeout_ms")), self.with_trades),
            row(*self.span),
            self.trouble,
            self.says,
            self.send,
            visible=False, margin=(8, 0), css_classes=["session-form"], styles=RAISED,
        )  # fmt: skip


def _start(client: Client, declared: SessionDeclaration | ReplayJob, by: str) -> object:
    if isinstance(declared, ReplayJob):
        return client.start_job(declared, by)
    return client.start_session(declared, by)


def _feeds(state: EngineState) -> Iterable[Any]:
    return () if state.health is None else state.health.feeds
