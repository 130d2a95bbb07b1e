"""What a person does in a session: each act an input through its gate, answered with what became of it."""

from collections.abc import Sequence

from workstation.client.messages import GroupView, OrderView
from workstation.client.ticket import OrderTicket, Placed, RefusalView
from workstation.engine.live_session import LiveSession
from workstation.engine.sessions import Sessions
from workstation.engine.turns import Turns
from workstation.engine.views import group_views, order_view
from workstation.errors import BadInput, GroupNotFound, JournalWriteFailed, OrderNotFound
from workstation.model.events import CancelAsked, CloseAsked, EntryRefused, Event, Fact, OrderAsked, OrderSubmitted
from workstation.model.ids import ClientOrderId, GroupId, Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.order import Order, OrderPurpose, OrderType
from workstation.model.units import Side


class Hand:
    """Of one engine; `by` is who asks, for the journal."""

    def __init__(self, sessions: Sessions, turns: Turns) -> None:
        self._sessions, self._turns = sessions, turns

    def place(self, ticket: OrderTicket, by: str) -> Placed:
        """Raises BadInput for what cannot be; what risk refuses is an answer."""
        live = self._sessions.of(ticket.session)
        key = _instrument_of(live, ticket.venue, ticket.symbol)
        self._turns.turn()  # what is seen now is part of the input
        now_ns = self._turns.market.gate.now_ns
        seen = live.session.view.quoted(key, now_ns)
        asked = OrderAsked(
            by=by,
            instrument=key,
            side=Side[ticket.side.name],
            type=OrderType(ticket.type),
            quantity=ticket.quantity,
            notional_quote=ticket.notional,
            limit_price=ticket.limit_price,
            stop_price=ticket.stop_price,
            target_price=ticket.target_price,
            seen_price=None if seen is None else seen.price,
            seen_age_ns=0 if seen is None else seen.age_ns,
        )
        for fact in self._inject(live, asked):
            if isinstance(fact.event, EntryRefused):
                return Placed(refusal=_refusal_view(fact.event))
            if isinstance(fact.event, OrderSubmitted):
                order = live.session.state.orders[fact.event.request.client_order_id]
                return Placed(order=order_view(live.session_id, order))
        raise BadInput(f"session {ticket.session}: {live.session.state.halted or 'the order came to nothing'}")

    def cancel(self, client_order_id: str, by: str) -> OrderView:
        """Of an entry that waits; asked twice, it is cancelled once."""
        live, order = self._order(ClientOrderId(client_order_id))
        request = order.request
        subject = f"order {client_order_id} of session {live.session_id}"
        if order.is_final:
            raise BadInput(f"{subject}: it is {order.status} already")
        if request.purpose is not OrderPurpose.ENTRY:
            what = f"it is the {request.purpose} of group {request.group_id}"
            raise BadInput(f"{subject}: {what}; close that group instead, what it holds would be without it")
        self._inject(live, CancelAsked(by=by, client_order_id=request.client_order_id))
        return order_view(live.session_id, live.session.state.orders[request.client_order_id])

    def close_group(self, group: str, by: str, session: str | None = None) -> GroupView:
        """At the market. Groups are numbered in each session: where several have it, `session` says which."""
        live = self._live_with(GroupId(group), session)
        self._inject(live, CloseAsked(by=by, group_id=GroupId(group)))
        state = live.session.state
        found = state.groups.get(GroupId(group)) or state.closed_groups[GroupId(group)]
        return next(group_views(live.session, [found], self._turns.market.gate.now_ns))

    def close_position(self, session: str, venue: str, symbol: str, by: str) -> Sequence[GroupView]:
        """Every group with a leg there, at the market; of a spread both legs, since one alone would be a bet."""
        live = self._sessions.of(session)
        key = _instrument_of(live, venue, symbol)
        groups = live.session.state.groups.values()
        wanted = [one.group_id for one in groups if any(leg.instrument == key for leg in one.legs)]
        if not wanted:
            raise GroupNotFound(f"session {session}: it holds nothing on {key}")
        self._inject(live, CloseAsked(by=by, instrument=key))
        state = live.session.state
        found = [state.groups.get(group) or state.closed_groups[group] for group in wanted]
        return list(group_views(live.session, found, self._turns.market.gate.now_ns))

    def _inject(self, live: LiveSession, event: Event) -> Sequence[Fact]:
        facts = self._turns.inject(live, event)
        if not facts:
            raise JournalWriteFailed(f"session {live.session_id}: not done: {live.fault}")
        return facts

    def _order(self, client_order_id: ClientOrderId) -> tuple[LiveSession, Order]:
        for live in self._sessions.all():
            order = live.session.state.orders.get(client_order_id)
            if order is not None:
                return live, order
        raise OrderNotFound(f"order {client_order_id}: no session knows it, or it was final over an hour ago")

    def _live_with(self, group: GroupId, session: str | None) -> LiveSession:
        asked = self._sessions.all() if session is None else [self._sessions.of(session)]
        found = [live for live in asked if group in live.session.state.groups]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(live.session_id for live in found)
            raise BadInput(f"group {group}: sessions {names} have one of that name; say which session")
        known = [f"{one} of {live.session_id}" for live in asked for one in live.session.state.groups]
        raise GroupNotFound(f"group {group}: not open (open are: {', '.join(known) or 'none'})")


def _instrument_of(live: LiveSession, venue: str, symbol: str) -> InstrumentKey:
    key, traded = InstrumentKey(Venue(venue), Symbol(symbol)), live.session.settings.instruments
    if key not in traded:
        known = ", ".join(map(str, traded))
        raise BadInput(f"session {live.session_id}: {key}: expected an instrument that it trades: {known}")
    return key


def _refusal_view(event: EntryRefused) -> RefusalView:
    instrument = None if event.instrument is None else str(event.instrument)
    return RefusalView(limit=event.limit, allowed=event.allowed, figure=event.figure, instrument=instrument)
