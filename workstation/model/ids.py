"""Every identifier has a type of its own, so that none is passed for another."""

from typing import NewType

Venue = NewType("Venue", str)
Symbol = NewType("Symbol", str)
"""ccxt's unified form: "BTC/USDT" is spot, "BTC/USDT:USDT" a linear perpetual."""
Currency = NewType("Currency", str)
InstrumentIndex = NewType("InstrumentIndex", int)
"""The registry's integer of one run; on disk only in that run's manifest."""
SnapshotId = NewType("SnapshotId", str)
SessionId = NewType("SessionId", str)
RunId = NewType("RunId", str)
SignalId = NewType("SignalId", str)
GroupId = NewType("GroupId", str)
ClientOrderId = NewType("ClientOrderId", str)
VenueOrderId = NewType("VenueOrderId", str)
TradeId = NewType("TradeId", str)
SlotIndex = NewType("SlotIndex", int)
"""A window's place in the tables of one market."""
