"""Passwords are looked at aside: each takes a tenth of a second of a core and 64 MiB, and the pages go on meanwhile."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from workstation.dashboard.users import User, UserStore
from workstation.errors import RetryError

MOST_AT_A_TIME = 2
MOST_WAITING = 16


class TooManyLogins(RetryError):
    """More people log in at this moment than can be looked at soon."""


class Verifier:
    """In the loop of the server."""

    def __init__(self, store: UserStore) -> None:
        self._store, self._waiting = store, 0
        self._pool = ThreadPoolExecutor(MOST_AT_A_TIME, thread_name_prefix="login")

    async def verify(self, name: str, password: str) -> User | None:
        """As the store's; raises what it raises, and TooManyLogins."""
        if self._waiting >= MOST_WAITING:
            raise TooManyLogins(
                f"{self._waiting} logins wait: expected fewer than {MOST_WAITING}; try again in a second"
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._store.verify, name, password)
        finally:
            self._waiting -= 1
