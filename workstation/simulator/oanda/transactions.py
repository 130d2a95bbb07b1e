"""An account's transactions, numbered from 1 without a gap: everything that ever happened to it."""

from collections.abc import Callable

from workstation.simulator.oanda.format import USER_ID, Json, rfc3339


class TransactionLog:
    """`tell` is told each as it is added."""

    def __init__(self, account_id: str, tell: Callable[[Json], None]) -> None:
        self._account_id, self._tell = account_id, tell
        self._kept: list[Json] = []

    @property
    def last_id(self) -> str:
        return str(len(self._kept))

    def add(self, ts_ns: int, kind: str, fields: Json, batch_id: str | None = None) -> Json:
        """The transaction with its number; those of one request have the batch of the first."""
        number = str(len(self._kept) + 1)
        transaction = {
            "id": number,
            "time": rfc3339(ts_ns),
            "userID": USER_ID,
            "accountID": self._account_id,
            "batchID": batch_id or number,
            "requestID": f"{ts_ns // 1_000}",
            "type": kind,
        } | fields
        self._kept.append(transaction)
        self._tell(transaction)
        return transaction

    def found(self, number: int) -> Json | None:
        return self._kept[number - 1] if 1 <= number <= len(self._kept) else None

    def between(self, first: int, last: int) -> list[Json]:
        """Numbers first … last, both of them."""
        return self._kept[max(first, 1) - 1 : max(last, 0)]

    def since(self, number: int) -> list[Json]:
        """Those behind a number."""
        return self._kept[max(number, 0) :]
