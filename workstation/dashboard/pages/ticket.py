"""The order ticket: an order by hand in a session on paper, with what it will cost said before it is sent."""

from decimal import Decimal, InvalidOperation
from typing import Any

import panel as pn
import panel_material_ui as pmui
from pydantic import ValidationError

from workstation.client.client import Client
from workstation.client.messages import SessionStatus, SessionSummary
from workstation.client.ticket import OrderTicket, TicketSide, TicketType
from workstation.dashboard.look import RAISED, flow, stack
from workstation.dashboard.sheet import FactSheet
from workstation.dashboard.state import EngineState
from workstation.dashboard.text_field import TextField
from workstation.dashboard.users import Role
from workstation.dashboard.visit import Visit
from workstation.errors import BadInput

SIDES = {"▲ Buy": TicketSide.BUY, "▼ Sell": TicketSide.SELL}
SIZES = ("quantity", "notional")


class Ticket:
    """Folded until it is wanted; only for a session that runs. `opener` stands where a session's other buttons do."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._session: str | None = None
        self._form: TicketForm | None = None
        self._card = stack(margin=(4, 0), visible=False, styles=RAISED)
        self.opener = pmui.Button(
            label="Order by hand", variant="outlined", size="small", on_click=self._on_open, visible=False,
            sizing_mode="stretch_width", margin=(0, 16, 4, 0),
        )  # fmt: skip

    def view(self) -> pn.viewable.Viewable:
        return self._card

    @property
    def form(self) -> "TicketForm":
        """Made when it is first asked for: its fields cost as much as half of the page."""
        if self._form is None:
            self._form = TicketForm(self._visit)
            self._card.append(self._form.view())
        return self._form

    def _on_open(self, _: Any) -> None:
        self._card.visible = not self._card.visible
        self.show(self._visit.state, self._session)

    def show(self, state: EngineState, session: str | None) -> None:
        chosen = next((one for one in state.sessions if one.session == session), None)
        is_running = chosen is not None and chosen.status is SessionStatus.RUNNING
        self._session = session
        self.opener.visible = is_running and self._visit.controls.may(Role.TRADER)
        if not self.opener.visible:
            self._card.visible = False
        elif self._card.visible and chosen is not None:
            self.form.show(chosen)


class TicketForm:
    """The fields of one order."""

    def __init__(self, visit: Visit) -> None:
        self._visit, self._session = visit, ""
        field = {"size": "small", "width": 150}
        self.instrument = pmui.Select(label="Instrument", options={}, size="small", width=230)
        self.side = pmui.RadioButtonGroup(
            options=SIDES, value=TicketSide.BUY, size="small", width=150, margin=(14, 10),
            sx={".MuiToggleButton-root": {"whiteSpace": "nowrap"}},
        )  # fmt: skip
        self.type = pmui.Select(label="Type", options=[one.value for one in TicketType], value="market", **field)
        self.by = pmui.Select(label="Size by", options=list(SIZES), value="notional", **field)
        self.size = TextField(label="Size", placeholder="e.g. 500", **field)
        self.limit = TextField(label="Limit price", visible=False, **field)
        self.stop = TextField(label="Stop price", placeholder="none", **field)
        self.target = TextField(label="Target price", placeholder="none", **field)
        self.title = FactSheet(margin=(2, 10), sizing_mode="stretch_width")
        self.says = FactSheet(margin=(4, 10), sizing_mode="stretch_width")
        self.send = pmui.Button(
            label="Place on paper", variant="contained", size="small", on_click=self._on_send, margin=(14, 10)
        )
        self.type.param.watch(self._on_type, "value")
        what = (self.instrument, self.side, self.type, self.by, self.size)
        at = (self.limit, self.stop, self.target, self.send)
        self._fields = stack(self.title, flow(*what, *at), self.says)

    def view(self) -> pn.viewable.Viewable:
        return self._fields

    def show(self, session: SessionSummary) -> None:
        self._session = session.session
        options = {key.partition(":")[2] + " · " + key.partition(":")[0]: key for key in session.instruments}
        if options != self.instrument.options:
            self.instrument.param.update(options=options, value=session.instruments[0])
        self.title.lines = [[["b", f"Order by hand in {session.session}, on paper"]]]

    def _on_type(self, _: Any) -> None:
        self.limit.visible = self.type.value == TicketType.LIMIT

    async def _on_send(self, _: Any) -> None:
        try:
            ticket = self._ticket()
        except ValueError as error:
            self.says.lines = [[["down", f"▲ {error}"]]]
            return
        self.says.lines = []
        size = f"{ticket.quantity:f}" if ticket.quantity is not None else f"{ticket.notional:f} worth"
        done = f"{ticket.side} {size} of {ticket.symbol} at {ticket.venue} was placed in {ticket.session}."
        await self._visit.do(lambda client, by: _placed(client, ticket, by), done)

    def _ticket(self) -> OrderTicket:
        """Raises ValueError with a sentence for the first field that cannot be."""
        venue, _, symbol = (self.instrument.value or "").partition(":")
        size = _number("Size", self.size.value)
        if size is None:
            raise ValueError("Size: expected a number such as 0.05 or 500; it is empty")
        is_limit = self.type.value == TicketType.LIMIT
        try:
            return OrderTicket(
                session=self._session,
                venue=venue,
                symbol=symbol,
                side=self.side.value,
                type=TicketType(self.type.value),
                quantity=size if self.by.value == "quantity" else None,
                notional=size if self.by.value == "notional" else None,
                limit_price=_number("Limit price", self.limit.value) if is_limit else None,
                stop_price=_number("Stop price", self.stop.value),
                target_price=_number("Target price", self.target.value),
            )
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "order"
            raise ValueError(f"{field}: {first['msg']}; it is {first['input']!r}"[:300]) from error


def _placed(client: Client, ticket: OrderTicket, by: str) -> None:
    """Raises BadInput with the limit and its numbers where risk said no."""
    placed = client.place_order(ticket, by)
    if placed.refusal is not None:
        raise BadInput(placed.refusal.sentence)


def _number(name: str, text: str) -> Decimal | None:
    """A thousands separator is taken; None for an empty field."""
    plain = (text or "").replace(",", "").replace(" ", "").strip()
    if not plain:
        return None
    try:
        number = Decimal(plain)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise ValueError(f"{name}: expected a number such as 0.05 or 500, not {text!r}")
    return number
