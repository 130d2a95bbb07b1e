"""Simulated venues with OANDA's protocol, and the client of others that trades there, unmodified but for its host."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import oandapyV20
from oandapyV20 import API
from oandapyV20.endpoints import orders, pricing, transactions
from oandapyV20.exceptions import V20Error

from tests.simulator.client import PATIENCE_S, running_exchanges
from workstation.simulator.market_source import ModelSource
from workstation.simulator.markets import MarketModel
from workstation.simulator.server import AccountSettings, ServerSettings, SimulatedExchanges, account_of
from workstation.simulator.settings import FX_CLIMATE, FX_SYMBOLS, NOVA, of_fx

VENUE = "nova"
HOSTS = {"api": "api-fxpractice.oanda.com", "stream": "stream-fxpractice.oanda.com"}
NAMES = ("alice", "bob", "carol", "dave", "erin", "frank")
POOR = "poor"
FEW = {"USD": 10, "EUR": 5, "GBP": 0, "JPY": 0}
ACCOUNTS: tuple[AccountSettings, ...] = (*map(account_of, NAMES), account_of(POOR, **FEW))
EURO, POUND, YEN = "EUR_USD", "GBP_USD", "USD_JPY"


def an_fx_source(quotes_per_second: float | None = None) -> ModelSource:
    """Three currencies at one venue."""
    model = MarketModel(seed=5, venues=(of_fx(NOVA),), symbols=FX_SYMBOLS, climate=FX_CLIMATE)
    return ModelSource(model, quotes_per_second)


@contextmanager
def running_oanda(quotes_per_second: float | None = None, **settings: Any) -> Iterator[SimulatedExchanges]:
    wanted = ServerSettings(accounts=ACCOUNTS, wires={VENUE: "oanda"}, **settings)
    with running_exchanges(an_fx_source(quotes_per_second), wanted) as exchanges:
        yield exchanges


def account_id(name: str) -> str:
    return f"101-001-{[*NAMES, POOR].index(name) + 1:07d}-001"


def api_of(exchanges: SimulatedExchanges, token: str, timeout_s: float = PATIENCE_S) -> API:
    """The client, at the address of the simulated venue."""
    address = f"{exchanges.url}/{VENUE}"
    oandapyV20.oandapyV20.TRADING_ENVIRONMENTS[address] = {name: f"{address}/{host}" for name, host in HOSTS.items()}
    return API(access_token=token, environment=address, request_params={"timeout": timeout_s})


class Desk:
    """One account and its client."""

    def __init__(self, exchanges: SimulatedExchanges, name: str, timeout_s: float = PATIENCE_S) -> None:
        self.account = account_id(name)
        self.api = api_of(exchanges, f"{name}-secret", timeout_s)

    def ask(self, endpoint: type[Any], *named: Any, **words: Any) -> Any:
        """One request of the account's."""
        return self.api.request(endpoint(self.account, *named, **words))

    def order(self, **fields: Any) -> Any:
        """A new order."""
        return self.ask(orders.OrderCreate, data={"order": {"instrument": EURO, **fields}})

    def refused(self, call: Callable[[], Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of an error."""
        try:
            call()
        except V20Error as error:
            return int(error.code), json.loads(str(error))
        raise AssertionError("expected a refusal")

    def price(self, instrument: str = EURO) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(pricing.PricingInfo, params={"instruments": instrument})["prices"][0]
        return found

    def prices(self, instruments: str = f"{EURO},{YEN}", **params: Any) -> Iterator[dict[str, Any]]:
        """Lines of the pricing stream."""
        return iter(self.ask(pricing.PricingStream, params={"instruments": instruments, **params}))

    def transactions(self) -> Iterator[dict[str, Any]]:
        return iter(self.ask(transactions.TransactionsStream))


def first_of(lines: Iterator[Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    """The next line of that type."""
    return next(line for line in lines if line["type"] == kind)


def aside(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread
