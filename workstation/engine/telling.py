"""Facts as events of the stream: what a page or a program is told when something happens to a session."""

from collections.abc import Mapping, Sequence

from workstation.client.messages import Topic
from workstation.engine.bus import Bus
from workstation.engine.live_session import LiveSession
from workstation.engine.views import group_views, order_view, position_views, signal_view
from workstation.ledger.journal import Ledger
from workstation.model.events import (
    EntryRefused,
    Event,
    Fact,
    FeedLagChanged,
    GroupChanged,
    GroupOpened,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    OrderTimedOut,
    OrderTriggered,
    RunStarted,
    SessionHalted,
    SessionKilled,
    SessionPaused,
    SessionRearmed,
    SessionResumed,
    SessionStopped,
    SignalGenerated,
)
from workstation.model.ids import ClientOrderId, SessionId
from workstation.ports.journal import Ticket

ORDER_TOPICS: dict[type[Event], Topic] = {
    OrderSubmitted: Topic.ORDER_CREATED,
    OrderAccepted: Topic.ORDER_CREATED,
    OrderTriggered: Topic.ORDER_CREATED,
    OrderFilled: Topic.ORDER_FILLED,
    OrderCancelled: Topic.ORDER_CANCELLED,
    OrderExpired: Topic.ORDER_CANCELLED,
    OrderRejected: Topic.ORDER_REJECTED,
    OrderTimedOut: Topic.ORDER_REJECTED,
}
SESSION_EVENTS = (
    RunStarted,
    SessionPaused,
    SessionResumed,
    SessionStopped,
    SessionHalted,
    SessionKilled,
    SessionRearmed,
    FeedLagChanged,
)


class TellingJournal:
    """The ledger's journal of one session; what was taken there is kept for pages, and told."""

    def __init__(self, live: LiveSession, ledger: Ledger, bus: Bus) -> None:
        self._live, self._ledger, self._bus = live, ledger, bus

    def append(self, session_id: SessionId, facts: Sequence[Fact]) -> Ticket:
        """As Ledger.append."""
        ticket = self._ledger.append(session_id, facts)
        self._live.observe(facts)
        for fact in facts:
            self._tell(fact)
        return ticket

    def _tell(self, fact: Fact) -> None:
        event, session = fact.event, self._live.session_id
        if type(event) in ORDER_TOPICS:
            self._tell_order(event, fact)
        elif isinstance(event, GroupOpened | GroupChanged):
            group_id = event.group.group_id if isinstance(event, GroupOpened) else event.group_id
            state = self._live.session.state
            group = state.groups.get(group_id) or state.closed_groups.get(group_id)
            for view in group_views(self._live.session, [] if group is None else [group], fact.ts_received):
                self._publish(Topic.GROUP_UPDATED, fact, view.model_dump())
        elif isinstance(event, SignalGenerated):
            self._publish(
                Topic.SIGNAL_GENERATED, fact, signal_view(session, event.signal, fact.ts_received).model_dump()
            )
        elif isinstance(event, EntryRefused):
            symbol = None if event.instrument is None else event.instrument.symbol
            data = {"signal": event.signal_id, "limit": event.limit, "allowed": event.allowed, "figure": event.figure}
            self._publish(Topic.RISK_ALERT, fact, data, symbol)
        elif isinstance(event, SESSION_EVENTS):
            status, reason = self._live.status
            self._publish(
                Topic.SESSION_UPDATED, fact, {"event": type(event).__name__, "status": status, "reason": reason}
            )

    def _tell_order(self, event: Event, fact: Fact) -> None:
        order = self._live.session.state.orders.get(_order_id(event))
        if order is None:
            return
        symbol = order.request.instrument.symbol
        self._publish(ORDER_TOPICS[type(event)], fact, order_view(self._live.session_id, order).model_dump(), symbol)
        if isinstance(event, OrderFilled):
            for position in position_views(self._live.session, fact.ts_received):
                if (position.venue, position.symbol) == event.fill.instrument:
                    self._publish(Topic.POSITION_UPDATED, fact, position.model_dump(), symbol)

    def _publish(self, topic: Topic, fact: Fact, data: Mapping[str, object], symbol: str | None = None) -> None:
        self._bus.publish(topic, data, time_ns=fact.ts_received, session=self._live.session_id, symbol=symbol)


def _order_id(event: Event) -> ClientOrderId:
    if isinstance(event, OrderSubmitted):
        return event.request.client_order_id
    if isinstance(event, OrderFilled):
        return event.fill.client_order_id
    order_id: ClientOrderId = event.client_order_id  # type: ignore[union-attr]
    return order_id
