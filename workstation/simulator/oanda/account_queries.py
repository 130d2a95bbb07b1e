"""What an account may ask of itself: summary, trades, positions, transactions."""

from collections.abc import Callable
from decimal import Decimal

from workstation.model.units import MONEY
from workstation.simulator.exchange import Exchange
from workstation.simulator.number_text import plain
from workstation.simulator.oanda.account_book import HOME, ZERO, AccountBook
from workstation.simulator.oanda.errors import NO_SUCH_TRANSACTION, OandaError, wrong
from workstation.simulator.oanda.format import USER_ID, Json, money, rfc3339
from workstation.simulator.oanda.netting import Trade
from workstation.simulator.oanda.requests import whole
from workstation.simulator.request_fields import Fields

MOST_PAGE = 1_000
MOST_TRADES = 500


class AccountQueries:
    """Of one venue's accounts."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def summary(self, book: AccountBook) -> Json:
        return {"account": self._account(book), "lastTransactionID": book.log.last_id}

    def details(self, book: AccountBook) -> Json:
        whole_account = self._account(book) | {
            "orders": [one.shown() for one in book.pending()],
            "trades": self._trades(book, book.netting.open_trades()),
            "positions": [self._position(book, name) for name in self._exchange.markets if self._was_held(book, name)],
        }
        return {"account": whole_account, "lastTransactionID": book.log.last_id}

    def trades(self, book: AccountBook, fields: Fields) -> Json:
        """The newest first."""
        state, count = fields.get("state", "OPEN"), whole(fields, "count", 50, MOST_TRADES)
        if state not in ("OPEN", "CLOSED", "ALL"):
            raise wrong("state")
        ids = fields["ids"].split(",") if "ids" in fields else None
        found = [
            one
            for one in reversed(book.netting.trades.values())
            if (state == "ALL" or (one.closed_ns is None) == (state == "OPEN") or ids is not None)
            and (ids is None or one.trade_id in ids)
            and fields.get("instrument", one.market) == one.market
        ]
        return {"trades": self._trades(book, found[:count]), "lastTransactionID": book.log.last_id}

    def open_trades(self, book: AccountBook) -> Json:
        found = self._trades(book, book.netting.open_trades()[::-1])
        return {"trades": found, "lastTransactionID": book.log.last_id}

    def trade(self, book: AccountBook, trade: Trade) -> Json:
        return {"trade": self._trades(book, [trade])[0], "lastTransactionID": book.log.last_id}

    def positions(self, book: AccountBook, *, only_open: bool) -> Json:
        names = [name for name in self._exchange.markets if self._was_held(book, name)]
        if only_open:
            names = [name for name in names if book.netting.open_trades(name)]
        found = [self._position(book, name) for name in names]
        return {"positions": found, "lastTransactionID": book.log.last_id}

    def position(self, book: AccountBook, market_name: str) -> Json:
        return {"position": self._position(book, market_name), "lastTransactionID": book.log.last_id}

    def transactions(self, book: AccountBook, fields: Fields, address: str) -> Json:
        """Where the pages of them are."""
        size, last = whole(fields, "pageSize", 100, MOST_PAGE), int(book.log.last_id)
        pages = [
            f"{address}/idrange?from={first}&to={min(first + size - 1, last)}" for first in range(1, last + 1, size)
        ]
        return {
            "from": rfc3339(book.created_ns),
            "to": rfc3339(self._exchange.now_ns),
            "pageSize": size,
            "count": last,
            "pages": pages,
            "lastTransactionID": book.log.last_id,
        }

    def transaction(self, book: AccountBook, number: str) -> Json:
        """Raises OandaError."""
        found = book.log.found(int(number)) if number.isdecimal() and len(number) < 12 else None
        if found is None:
            message, status, code = NO_SUCH_TRANSACTION
            raise OandaError(message, status, code, lastTransactionID=book.log.last_id)
        return {"transaction": found, "lastTransactionID": book.log.last_id}

    def id_range(self, book: AccountBook, fields: Fields) -> Json:
        """Raises OandaError."""
        first, last = whole(fields, "from", 1, 10**11), whole(fields, "to", 10**11, 10**11)
        if first > last:
            raise wrong("from")
        return self._listed(book, fields, book.log.between(first, last))

    def since_id(self, book: AccountBook, fields: Fields) -> Json:
        """Raises OandaError."""
        if "id" not in fields or not fields["id"].isdecimal() or len(fields["id"]) > 11:
            raise wrong("id")
        return self._listed(book, fields, book.log.since(int(fields["id"])))

    def _listed(self, book: AccountBook, fields: Fields, found: list[Json]) -> Json:
        kinds = fields["type"].split(",") if "type" in fields else None
        chosen = [one for one in found if kinds is None or one["type"] in kinds]
        return {"transactions": chosen[:MOST_PAGE], "lastTransactionID": book.log.last_id}

    def _account(self, book: AccountBook) -> Json:
        """The core locks all that an order may pay: nothing is lent, so that the margin rate is 1."""
        unrealized, balance = book.unrealized(), book.balance
        worth = self._sum(book, lambda trade: abs(MONEY.multiply(trade.current, book.closing_price(trade))))
        realized = sum(book.netting.realized.values(), ZERO)
        worth_now = MONEY.add(balance, unrealized)
        trades = book.netting.open_trades()
        return {
            "id": book.account_id,
            "alias": book.account.credentials.api_key,
            "currency": HOME,
            "balance": money(balance),
            "createdByUserID": USER_ID,
            "createdTime": rfc3339(book.created_ns),
            "pl": money(realized),
            "resettablePL": money(realized),
            "financing": "0.0000",
            "commission": "0.0000",
            "marginRate": "1",
            "openTradeCount": len(trades),
            "openPositionCount": len({one.market for one in trades}),
            "pendingOrderCount": len(book.pending()),
            "hedgingEnabled": False,
            "unrealizedPL": money(unrealized),
            "NAV": money(worth_now),
            "marginUsed": money(worth),
            "marginAvailable": money(book.account.free(HOME)),
            "positionValue": money(worth),
            "marginCloseoutUnrealizedPL": money(unrealized),
            "marginCloseoutNAV": money(worth_now),
            "marginCloseoutMarginUsed": money(worth),
            "marginCloseoutPercent": "0.00000",
            "marginCloseoutPositionValue": money(worth),
            "withdrawalLimit": money(book.account.free(HOME)),
            "lastTransactionID": book.log.last_id,
        }

    def _sum(self, book: AccountBook, of: Callable[[Trade], Decimal]) -> Decimal:
        """Over all open trades, in the account's currency."""
        worth = (MONEY.multiply(of(one), book.rate(one.market)) for one in book.netting.open_trades())
        return sum(worth, ZERO)

    def _trades(self, book: AccountBook, trades: list[Trade]) -> list[Json]:
        return [one.shown(book.netting.unrealized(one, book.closing_price(one))) for one in trades]

    def _was_held(self, book: AccountBook, name: str) -> bool:
        return any(one.market == name for one in book.netting.trades.values())

    def _position(self, book: AccountBook, name: str) -> Json:
        sides = {word: self._side(book, name, is_long=word == "long") for word in ("long", "short")}
        realized = sum((book.netting.realized.get((name, is_long), ZERO) for is_long in (True, False)), ZERO)
        whole_position: Json = {
            "instrument": name,
            "pl": money(realized),
            "resettablePL": money(realized),
            "unrealizedPL": money(book.unrealized(name)),
            "financing": "0.0000",
            "commission": "0.0000",
        }
        return whole_position | sides

    def _side(self, book: AccountBook, name: str, *, is_long: bool) -> Json:
        trades = [one for one in book.netting.open_trades(name) if (one.current > 0) is is_long]
        units = sum((one.current for one in trades), ZERO)
        realized = money(book.netting.realized.get((name, is_long), ZERO))
        unrealized = book.unrealized(name) if trades else ZERO
        side: Json = {
            "units": plain(units),
            "pl": realized,
            "resettablePL": realized,
            "unrealizedPL": money(unrealized),
            "financing": "0.0000",
        }
        if not trades:
            return side
        worth = sum((MONEY.multiply(one.current, one.price) for one in trades), ZERO)
        average = round(MONEY.divide(worth, units), 8)
        return side | {"averagePrice": plain(average), "tradeIDs": [one.trade_id for one in trades]}
