"""Broker: where effects go. Their outcomes come back through the gate, as reports."""

from typing import Protocol

from msgspec import Struct

from workstation.model.ids import ClientOrderId
from workstation.model.order import OrderRequest


class SubmitOrder(Struct, frozen=True):
    request: OrderRequest


class CancelOrder(Struct, frozen=True):
    client_order_id: ClientOrderId
    now_ns: int


Effect = SubmitOrder | CancelOrder


class Broker(Protocol):
    def send(self, effect: Effect) -> None:
        """Takes an effect whose intent is durable; never raises for what a venue may answer."""
