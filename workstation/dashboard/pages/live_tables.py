"""The Live page's tables: positions, resting orders, signals and fills, of one session or of all."""

import panel as pn

from workstation.dashboard.live_rows import FILLS, ORDERS, POSITIONS, SIGNALS
from workstation.dashboard.look import flow
from workstation.dashboard.tables import LiveTable, Row
from workstation.dashboard.visit import Visit

BESIDE = {"flex": "1 1 480px", "min-width": "0"}
SHOWN = 30
"""Of the last signals and fills."""


class LiveTables:
    """Positions beside orders, signals beside fills; below one another where it is narrow."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.positions = LiveTable(
            "Positions",
            POSITIONS,
            source="positions",
            styles=BESIDE,
            empty="No positions. A session that enters shows them here.",
            buttons={"close": ["close", "Close at the market"]},
        )
        self.orders = LiveTable(
            "Resting orders",
            ORDERS,
            source="orders",
            styles=BESIDE,
            empty="No resting orders: nothing waits at a venue.",
            buttons={"cancel": ["cancel", "Cancel this order"]},
        )
        self.signals = LiveTable(
            "Signals", SIGNALS, source="signals", most=SHOWN, styles=BESIDE,
            empty="No signals yet. They come when the strategy's rule is met.",
        )  # fmt: skip
        self.fills = LiveTable("Fills", FILLS, source="fills", most=SHOWN, empty="No fills yet.", styles=BESIDE)
        self.positions.on_button("close", self._close)
        self.orders.on_button("cancel", self._cancel)

    @property
    def _all(self) -> tuple[LiveTable, ...]:
        return self.positions, self.orders, self.signals, self.fills

    def view(self) -> pn.viewable.Viewable:
        return flow(*self._all, gap="16px", margin=(8, 0))

    def choose(self, session: str) -> None:
        """Of one session; of all where it is empty."""
        for table in self._all:
            table.session = session

    async def _close(self, row: Row) -> None:
        session, venue, symbol = row["session"], row["venue"], row["symbol"]
        held = next(
            (o for o in self._visit.state.positions if (o.session, o.venue, o.symbol) == (session, venue, symbol)), None
        )
        if held is None:
            return
        lines = [f"{held.quantity:+f} {symbol} at {venue} is closed at the market."]
        if held.mark is not None:
            lines.append(f"About {abs(float(held.quantity)) * held.mark:,.0f}, of {session}.")
        if held.unrealized_pnl is not None:
            lines.append(f"Estimated result: {held.unrealized_pnl:+,.2f}, before fees.".replace("-", "−"))
        if await self._visit.confirm(f"Close the position in {symbol}?", lines, "Close it"):
            await self._visit.do(
                lambda client, by: client.close_position(session, venue, symbol, by),
                f"{symbol} at {venue} is being closed.",
            )

    async def _cancel(self, row: Row) -> None:
        order = row["order"]
        await self._visit.do(lambda client, by: client.cancel_order(order, by), f"Order {order} is being cancelled.")
