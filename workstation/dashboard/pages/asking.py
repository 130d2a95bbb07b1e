"""A form that asks the engine for one thing: each field with its own error, what it would do, and one button."""

from collections.abc import Callable, Mapping
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workstation.client.client import Client
from workstation.dashboard.controls import Outcome
from workstation.dashboard.declaring import WHOLE, FormRefused, field_of
from workstation.dashboard.look import RAISED, stack
from workstation.dashboard.pages.session_fields import help_of, row
from workstation.dashboard.sheet import FactSheet
from workstation.dashboard.state import EngineState
from workstation.dashboard.users import Role
from workstation.dashboard.visit import Visit

VIEWER = "A viewer watches; to act takes the role trader or admin."
SILENT = "The engine does not answer."


class Asking:
    """Subclasses put their fields, and say in `_asked` what they ask for: raises FormRefused."""

    def __init__(self, visit: Visit, title: str, button: str) -> None:
        self._visit, self._title = visit, title
        self._is_filling = False
        self.fields: dict[str, Any] = {}
        self.says = FactSheet(margin=(4, 10), sizing_mode="stretch_width")
        self.trouble = FactSheet(margin=(4, 10), sizing_mode="stretch_width")
        self.send = pmui.Button(
            label=button, variant="contained", size="small", on_click=self._on_send, margin=(10, 10)
        )
        self._fold = pmui.Button(label="Put away", variant="text", size="small", on_click=self._on_fold)

    def _asked(self) -> tuple[Callable[[Client, str], object], list[list[Any]], str]:
        """The command, the lines that say what it would do, and the sentence of success. Raises FormRefused."""
        raise NotImplementedError

    def view(self) -> pn.Column:
        return self._card

    def _lay_out(self, *rows: list[Any], name: str) -> None:
        head = row(pn.pane.HTML(f"<b>{self._title}</b>", margin=(8, 10)), self._fold)
        self._card = stack(
            head, *(row(*widgets) for widgets in rows), self.trouble, self.says, self.send,
            visible=False, margin=(0, 0, 12, 0), css_classes=[name], styles=RAISED,
        )  # fmt: skip

    @property
    def is_open(self) -> bool:
        return bool(self._card.visible)

    def open(self) -> None:
        self._card.visible = True
        self._look()

    def show(self, state: EngineState) -> None:
        """Who may press the button, after each look."""
        may = self._visit.controls.may(Role.TRADER)
        is_off = not may or bool(state.loss)
        if self.send.disabled != is_off:
            self.send.param.update(disabled=is_off, description=(VIEWER if not may else SILENT) if is_off else None)

    # -- fields

    def _put(self, name: str, widget: Any) -> Any:
        """Looked at with each letter where it is typed in: what it shows is what is sent."""
        self.fields[name] = widget
        for param in ("value", "value_input"):
            if hasattr(widget, param):
                widget.param.watch(self._on_change, param)
        return widget

    def _fill(self, words: Mapping[str, Any]) -> None:
        self._is_filling = True
        try:
            for name, value in words.items():
                self.fields[name].value = value
        finally:
            self._is_filling = False
        self._look()

    def _on_change(self, _: Any) -> None:
        if not self._is_filling:
            self._look()

    def _look(self) -> tuple[Callable[[Client, str], object], str] | None:
        """Shows what it would do, or what is wrong beside each field; None where something is."""
        try:
            command, lines, done = self._asked()
        except FormRefused as refused:
            self._point_at(refused.problems)
            self.says.lines = []
            return None
        self._point_at({})
        self.says.lines = lines
        return command, done

    def _point_at(self, problems: Mapping[str, str]) -> None:
        for name, widget in self.fields.items():
            problem = problems.get(name, "")
            if hasattr(widget, "error_state"):
                widget.param.update(error_state=bool(problem), helper_text=problem or help_of(widget))
        rest = [f"{name}: {text}" if name != WHOLE else text for name, text in problems.items()
                if not hasattr(self.fields.get(name), "error_state")]  # fmt: skip
        self.trouble.lines = [[["down", f"▲ {'; '.join(rest)}"]]] if rest else []

    # -- sent

    async def _on_send(self, _: Any) -> None:
        looked = self._look()
        if looked is None:
            return
        command, done = looked
        self.send.loading = True
        try:
            outcome = await self._visit.controls.do(command, done)
        finally:
            self.send.loading = False
        if not outcome.is_done:
            self._point_at({field_of(outcome.text, self.fields): outcome.text})
            return
        self._visit.show_outcome(Outcome(is_done=True, text=done))
        self._card.visible = False

    def _on_fold(self, _: Any) -> None:
        self._card.visible = False
