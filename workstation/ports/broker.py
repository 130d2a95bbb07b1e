"""Broker: where effects go. Their outcomes come back through the gate, as reports."""

from dataclasses import dataclass
from typing import Protocol

from workstation.model.ids import ClientOrderId
from workstation.model.order import OrderRequest


@dataclass(frozen=True, slots=True)
class SubmitOrder:
    request: OrderRequest


@dataclass(frozen=True, slots=True)
class CancelOrder:
    client_order_id: ClientOrderId
    now_ns: int


Effect = SubmitOrder | CancelOrder


class Broker(Protocol):
    def send(self, effect: Effect) -> None:
        """Takes an effect whose intent is durable; never raises for what a venue may answer."""
