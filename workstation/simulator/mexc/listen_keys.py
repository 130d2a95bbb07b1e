"""Listen keys: who holds one may open a socket that tells of the account, without a signature."""

import hashlib

from workstation.simulator.accounts import Account
from workstation.simulator.mexc.errors import NO_LISTEN_KEY, MexcError


class ListenKeys:
    """An account has one, until it ends it."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._accounts: dict[str, Account] = {}

    def open(self, account: Account) -> str:
        """The account's key; the same as long as it is not closed."""
        text = f"{self._venue}:{account.credentials.api_key}:{account.credentials.secret}"
        key = hashlib.sha256(text.encode()).hexdigest()
        self._accounts[key] = account
        return key

    def of_account(self, account: Account) -> list[str]:
        return [key for key, one in self._accounts.items() if one is account]

    def keep(self, account: Account, key: str) -> str:
        """It is kept alive. Raises MexcError for one that the account does not have."""
        if self._accounts.get(key) is not account:
            raise MexcError(*NO_LISTEN_KEY)
        return key

    def close(self, account: Account, key: str) -> str:
        """It opens no socket any more. Raises MexcError for one that the account does not have."""
        del self._accounts[self.keep(account, key)]
        return key

    def find(self, key: str) -> Account | None:
        return self._accounts.get(key)
