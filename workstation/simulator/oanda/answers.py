"""OANDA's answers to requests by HTTP: who asks, for what, and whose it is."""

from collections.abc import Callable
from typing import Any

from workstation.simulator.line_host import LineStream
from workstation.simulator.oanda.account_book import AccountBook
from workstation.simulator.oanda.account_queries import AccountQueries
from workstation.simulator.oanda.candles import OandaCandles
from workstation.simulator.oanda.errors import NO_PATH, OandaError
from workstation.simulator.oanda.market_data import OandaMarketData
from workstation.simulator.oanda.orders import OandaOrders
from workstation.simulator.oanda.requests import body_fields, body_object, boolean
from workstation.simulator.oanda.streams import OandaStreams
from workstation.simulator.request_fields import query_fields
from workstation.simulator.wire import WireParts, WireRequest

Handler = Callable[[AccountBook, WireRequest, str], Any]
"""Of the account, the request, and what a path names in place of `*`."""
ACCOUNTS = "/v3/accounts"
INSTRUMENTS = "/v3/instruments"
CANDLES = "candles"


class OandaAnswers:
    """What can be asked of one venue."""

    def __init__(self, parts: WireParts, streams: OandaStreams, is_open: Callable[[int], bool]) -> None:
        exchange = parts.exchange

        def is_open_now() -> bool:
            return is_open(exchange.now_ns)

        self._streams, self._accounts = streams, streams.accounts
        self._data = OandaMarketData(exchange, is_open_now)
        self._candles = OandaCandles(parts, is_open)
        self._orders = OandaOrders(exchange, streams.flush, is_open_now)
        self._queries = AccountQueries(exchange)
        self._routes: dict[tuple[str, str], Handler] = {
            **self._of_markets(),
            **self._of_orders(),
            **self._of_positions(),
            **self._of_transactions(),
        }

    def answer(self, request: WireRequest) -> Any:
        """The answer to one request. Raises OandaError."""
        book = self._accounts.asking(request)
        if request.path == ACCOUNTS and request.method == "GET":
            return {"accounts": [{"id": book.account_id, "tags": []}]}
        if request.path.startswith(f"{INSTRUMENTS}/"):
            name, _, what = request.path.removeprefix(f"{INSTRUMENTS}/").partition("/")
            if (request.method, what) == ("GET", CANDLES):
                return self._candles.answer(self._data.market(name), query_fields(request.query))
        if request.path.startswith(f"{ACCOUNTS}/"):
            number, _, what = request.path.removeprefix(f"{ACCOUNTS}/").partition("/")
            self._accounts.require_own(book, number)
            return self._of_account(book, request, what)
        raise OandaError(*NO_PATH)

    def _of_account(self, book: AccountBook, request: WireRequest, what: str) -> Any:
        handler = self._routes.get((request.method, what))
        if handler is not None:
            return handler(book, request, "")
        noun, _, rest = what.partition("/")
        named, _, verb = rest.partition("/")
        pattern = f"{noun}/*/{verb}" if verb else f"{noun}/*"
        handler = self._routes.get((request.method, pattern)) if named else None
        if handler is None:
            raise OandaError(*NO_PATH)
        return handler(book, request, named)

    def _of_markets(self) -> dict[tuple[str, str], Handler]:
        return {
            ("GET", ""): lambda book, request, name: self._queries.details(book),
            ("GET", "summary"): lambda book, request, name: self._queries.summary(book),
            ("GET", "instruments"): lambda book, request, name: self._data.instruments(query_fields(request.query)),
            ("GET", "pricing"): lambda book, request, name: self._data.pricing(query_fields(request.query)),
            ("GET", "pricing/stream"): self._pricing_stream,
            ("GET", f"instruments/*/{CANDLES}"): lambda book, request, name: self._candles.answer(
                self._data.market(name), query_fields(request.query)
            ),
        }

    def _of_orders(self) -> dict[tuple[str, str], Handler]:
        orders = self._orders
        return {
            ("POST", "orders"): lambda book, request, name: orders.create(book, body_object(request.body, "order")),
            ("GET", "orders"): lambda book, request, name: orders.listed(book, query_fields(request.query)),
            ("GET", "pendingOrders"): lambda book, request, name: orders.pending(book),
            ("GET", "orders/*"): lambda book, request, name: orders.one(book, name),
            ("PUT", "orders/*"): lambda book, request, name: orders.replace(
                book, name, body_object(request.body, "order")
            ),
            ("PUT", "orders/*/cancel"): lambda book, request, name: orders.cancel(book, name),
        }

    def _of_positions(self) -> dict[tuple[str, str], Handler]:
        orders, queries = self._orders, self._queries
        return {
            ("GET", "trades"): lambda book, request, name: queries.trades(book, query_fields(request.query)),
            ("GET", "openTrades"): lambda book, request, name: queries.open_trades(book),
            ("GET", "trades/*"): lambda book, request, name: queries.trade(book, orders.trade(book, name)),
            ("PUT", "trades/*/close"): lambda book, request, name: orders.close_trade(
                book, orders.trade(book, name), body_fields(request.body)
            ),
            ("GET", "positions"): lambda book, request, name: queries.positions(book, only_open=False),
            ("GET", "openPositions"): lambda book, request, name: queries.positions(book, only_open=True),
            ("GET", "positions/*"): lambda book, request, name: queries.position(book, self._data.market(name).name),
            ("PUT", "positions/*/close"): lambda book, request, name: orders.close_position(
                book, self._data.market(name).name, body_fields(request.body)
            ),
        }

    def _of_transactions(self) -> dict[tuple[str, str], Handler]:
        queries = self._queries
        return {
            ("GET", "transactions"): lambda book, request, name: queries.transactions(
                book, query_fields(request.query), f"https://{request.headers.get('host', '')}{request.path}"
            ),
            ("GET", "transactions/idrange"): lambda book, request, name: queries.id_range(
                book, query_fields(request.query)
            ),
            ("GET", "transactions/sinceid"): lambda book, request, name: queries.since_id(
                book, query_fields(request.query)
            ),
            ("GET", "transactions/stream"): lambda book, request, name: LineStream(
                lambda client: self._streams.begin_transactions(client, book)
            ),
            ("GET", "transactions/*"): lambda book, request, name: queries.transaction(book, name),
        }

    def _pricing_stream(self, book: AccountBook, request: WireRequest, name: str) -> LineStream:
        fields = query_fields(request.query)
        markets, snapshot = self._data.named(fields), boolean(fields, "snapshot", otherwise=True)
        return LineStream(lambda client: self._streams.begin_pricing(client, markets, self._data, snapshot=snapshot))
