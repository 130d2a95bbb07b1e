"""Whose token it is, and whose account: each account of the core has a number by its place."""

from collections.abc import Callable, Iterator
from functools import partial

from workstation.simulator.accounts import Account
from workstation.simulator.exchange import Exchange
from workstation.simulator.oanda.account_book import AccountBook
from workstation.simulator.oanda.errors import FORBIDDEN, UNAUTHORIZED, OandaError
from workstation.simulator.oanda.format import Json
from workstation.simulator.oanda.transactions import TransactionLog
from workstation.simulator.wire import WireRequest

BEARER = "Bearer "
Publish = Callable[[str, Json], None]
"""Of an account's number and a transaction."""


def account_number(place: int) -> str:
    """101-001-0000001-001."""
    return f"101-001-{place + 1:07d}-001"


class OandaAccounts:
    """A token is the secret of the core's account."""

    def __init__(self, exchange: Exchange, publish: Publish) -> None:
        self._by_token: dict[str, AccountBook] = {}
        self._by_key: dict[str, AccountBook] = {}
        self._by_number: dict[str, AccountBook] = {}
        for place, (key, account) in enumerate(exchange.accounts.items()):
            number = account_number(place)
            book = AccountBook(account, number, exchange, TransactionLog(number, partial(publish, number)))
            self._by_token[account.credentials.secret] = self._by_key[key] = self._by_number[number] = book

    def of_account(self, account: Account) -> AccountBook:
        return self._by_key[account.credentials.api_key]

    def __iter__(self) -> Iterator[AccountBook]:
        return iter(self._by_key.values())

    def by_number(self, account_id: str) -> AccountBook:
        return self._by_number[account_id]

    def asking(self, request: WireRequest) -> AccountBook:
        """Whose token the request bears. Raises OandaError."""
        authorization = request.headers.get("authorization", "")
        book = self._by_token.get(authorization.removeprefix(BEARER))
        if book is None or not authorization.startswith(BEARER):
            raise OandaError(*UNAUTHORIZED)
        return book

    def require_own(self, book: AccountBook, account_id: str) -> None:
        """Raises OandaError for an account that the token is not for."""
        if account_id != book.account_id:
            raise OandaError(*FORBIDDEN)
