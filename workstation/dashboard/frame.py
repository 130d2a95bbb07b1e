"""The frame of every page: bar, rail, and the page in sight. One document holds all pages: a turn costs nothing."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qsl, urlencode

import panel as pn
import panel_material_ui as pmui

from workstation.client.client import Client
from workstation.client.kill import RESET, KillOrder, KillReset
from workstation.dashboard.bar import TopBar
from workstation.dashboard.controls import Outcome
from workstation.dashboard.first_frame import TEMPLATE
from workstation.dashboard.look import PAGE_SX, RAIL_WIDTH, RAW_CSS, THEME_CONFIG, stack, title_of
from workstation.dashboard.users import Role
from workstation.dashboard.visit import OnPlace, Visit


class DeskPage(Protocol):
    """One page. `place` is what its address keeps; `on_place` is called when that has changed."""

    question: ClassVar[str]
    """Its title."""
    on_place: OnPlace

    def __init__(self, visit: Visit, place: dict[str, str]) -> None: ...

    @property
    def place(self) -> dict[str, str]: ...

    def view(self) -> pn.viewable.Viewable: ...

    def show(self, state: Any) -> None: ...

    def restyle(self, *, is_dark: bool) -> None: ...


class Entry:
    """A page of the rail, made when it is first turned to; `key` after g turns to it."""

    def __init__(self, name: str, icon: str, key: str, make: type[DeskPage]) -> None:
        self.name, self.icon, self.key, self.make = name, icon, key, make
        self.label = name.capitalize()


class Frame:
    """One viewer's document. `facts` are what its bar is made of."""

    def __init__(
        self, visit: Visit, entries: list[Entry], first: str, *, account: str, kill_command: str, is_dark: bool
    ) -> None:
        self._visit, self._entries = visit, {one.name: one for one in entries}
        self._pages: dict[str, DeskPage] = {}
        self._views: dict[str, pn.Column] = {one.name: _place_of(one) for one in entries}
        self.facts: dict[str, Any] = {
            "account": account, "kill_command": kill_command, "can_kill": visit.controls.may(Role.TRADER),
            "pages": [{"name": one.name, "label": one.label, "key": one.key} for one in entries], "is_dark": is_dark,
        }  # fmt: skip
        self.bar = TopBar(self._act, **self.facts, sizing_mode="stretch_width", margin=0)
        visit.show_outcome, visit.confirm, visit.open_page = self._tell, self.bar.ask, self.open_page
        visit.is_dark = is_dark
        self.rail = pmui.MenuList(
            items=[{"label": one.label, "icon": one.icon} for one in entries],
            dense=True,
            margin=0,
            sizing_mode="stretch_width",
        )
        self.page = pmui.Page(
            meta_title="workstation", header=[self.bar], sidebar=[self.rail], main=list(self._views.values()),
            sidebar_width=RAIL_WIDTH, sidebar_variant="persistent", sidebar_resizable=False, busy_indicator=None,
            dark_theme=is_dark, theme_config=THEME_CONFIG, raw_css=[RAW_CSS], sx=PAGE_SX, template=TEMPLATE,
        )  # fmt: skip
        # it follows the server's own "busy", which would keep each page for ever (panel-material-ui 0.16.6)
        self.page.param._update_ref("busy", None)
        self.rail.param.watch(self._on_rail, "active")
        self.page.param.watch(self._on_theme, "dark_theme")
        self._current = ""
        first = first if first in self._entries else entries[0].name
        self._wanted = {first: _asked()}
        """At which place a page that is not made yet begins."""
        visit.once_met(partial(self.turn_to, first))

    def turn_to(self, name: str) -> None:
        """A page that is met for the first time shows its title at once, and the rest when that is made."""
        if name == self._current:
            return
        self._current = name
        self.bar.page = name
        index = list(self._entries).index(name)
        if self.rail.active != (index,):
            self.rail.active = (index,)
        if name in self._pages:
            self._show(name)
        else:
            self._visit.soon(partial(self._make, name))

    def _make(self, name: str) -> None:
        if name not in self._pages:
            page = self._pages[name] = self._entries[name].make(self._visit, self._wanted.pop(name, {}))
            page.on_place = lambda _: self._tell_place(name)
            self._visit.on_look(name, page.show)
            self._views[name][:] = [page.view()]
        if name == self._current:
            self._show(name)

    def _show(self, name: str) -> None:
        self._visit.turn_to(name)
        self._tell_place(name)

    def open_page(self, name: str, place: dict[str, str]) -> None:
        """Turns to a page at that place of it; one that shows another place is made anew."""
        page = self._pages.get(name)
        if page is not None and any(page.place.get(key) != value for key, value in place.items()):
            del self._pages[name]
            self._views[name][:] = [_title_of(page)]
            self._current = ""
        if name not in self._pages:
            self._wanted[name] = place
        self.turn_to(name)

    # -- the address

    def _tell_place(self, name: str) -> None:
        location = pn.state.location
        if name != self._current or location is None:
            return
        place = {key: value for key, value in self._pages[name].place.items() if value}
        search = f"?{urlencode(place)}" if place else ""
        if (location.pathname, location.search) != (f"/{name}", search):
            location.param.update(reload=False, pathname=f"/{name}", search=search)

    # -- what the browser asks

    def _on_rail(self, event: Any) -> None:
        if event.new:
            self.turn_to(list(self._entries)[event.new[0]])

    def _on_theme(self, event: Any) -> None:
        self.bar.is_dark = self._visit.is_dark = event.new
        for page in self._pages.values():
            self._visit.soon(partial(page.restyle, is_dark=event.new))

    async def _act(self, asked: Mapping[str, Any]) -> None:
        match asked.get("act"):
            case "kill":
                flatten = asked.get("flatten") is True
                done = "New orders are blocked, waiting entries are being cancelled" + (
                    ", positions are being closed." if flatten else "."
                )
                await self._visit.do(
                    lambda client, by: client.kill(KillOrder(flatten=flatten, reason="by the dashboard"), by), done
                )
            case "reset_kill":
                if asked.get("confirm") == RESET:
                    await self._visit.do(self._lift_all, "New orders are allowed again.", Role.ADMIN)
            case "page" if str(asked.get("name")) in self._entries:
                self._visit.soon(partial(self.turn_to, str(asked["name"])))
            case "sight":
                self._visit.see(asked.get("is_visible") is not False)

    def _lift_all(self, client: Client, by: str) -> None:
        """The switch of every scope that is on."""
        for scope in client.kill_state().scopes:
            client.lift_kill(KillReset(confirm=RESET, session=scope.session), by)

    def _tell(self, outcome: Outcome) -> None:
        self.bar.tell(outcome.text, is_done=outcome.is_done)


def _place_of(entry: Entry) -> pn.Column:
    """Where a page stands. One out of sight keeps its size and its drawings: a turn computes nothing."""
    return stack(_title_of(entry.make), styles={"content-visibility": f"var(--page-{entry.name}, hidden)"})


def _title_of(page: DeskPage | type[DeskPage]) -> pn.pane.HTML:
    """Where the made page will have it."""
    return title_of(page.question, margin=(12, 16, 4, 16))


def _asked() -> dict[str, str]:
    """What the address said after its question mark."""
    location = pn.state.location
    return dict(parse_qsl((location.search if location is not None else "").lstrip("?")))
