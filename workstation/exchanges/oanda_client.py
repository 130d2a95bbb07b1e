"""Questions to OANDA's v20 API over HTTP: answers whole, streams line by line.

The token goes into one header and nowhere else: no error, log or name of a thing here bears it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import msgspec

from workstation.errors import ConfigError, VenueRefused, VenueUnavailable
from workstation.exchanges.rest_limiter import TOO_MANY, RestLimiter
from workstation.exchanges.settings import LIVE, PRACTICE, VenueSettings

HOSTS = {
    PRACTICE: ("api-fxpractice.oanda.com", "stream-fxpractice.oanda.com"),
    LIVE: ("api-fxtrade.oanda.com", "stream-fxtrade.oanda.com"),
}
"""For questions, and for streams."""
REQUEST_S = 1 / 100
"""Between two requests: OANDA refuses more than 120 a second, and recommends 100 on one connection."""
CONNECTION_S = 1 / 2
"""Between two new connections, as OANDA recommends."""
PAUSE_S = "1"
"""After a 429 without a time: the limit is counted by the second."""
MOST_ANSWER = 16 * 1024 * 1024
MOST_MESSAGE = 300
REFUSED_TOKEN = frozenset({401, 403})
LATER = frozenset({408, 425, TOO_MANY})

Answer = TypeVar("Answer")


class OandaClient:
    """One account's connections. `connections` is the line in which new ones stand."""

    def __init__(self, settings: VenueSettings, limiter: RestLimiter, connections: RestLimiter) -> None:
        """Raises ConfigError without account or token."""
        require_account(settings)
        assert settings.token is not None
        self._settings, self._limiter, self._connections = settings, limiter, connections
        self._token = settings.token
        self._session: aiohttp.ClientSession | None = None
        self.sent_ns = 0
        """When the last question left the line, by this machine's clock."""

    @property
    def account_path(self) -> str:
        return f"/v3/accounts/{self._settings.account}"

    async def ask(self, path: str, query: Mapping[str, str], form: type[Answer]) -> Answer:
        """The answer to a GET as `form`. Raises VenueUnavailable, VenueRefused."""
        await self._limiter.turn(REQUEST_S)
        self.sent_ns = time.time_ns()
        try:
            async with asyncio.timeout(self._settings.timeout_s), self._get(0, path, query) as response:
                body = await self._body(response)
        except (aiohttp.ClientError, OSError, ValueError) as error:  # a TimeoutError is an OSError
            raise self._unavailable(path, error) from None
        self._require_yes(response, path, body)
        try:
            return msgspec.json.decode(body, type=form)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise VenueUnavailable(f"{self._subject(path)}: answer not understood: {self._told(error)}") from None

    @asynccontextmanager
    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncIterator[AsyncIterator[bytes]]:
        """What comes, in pieces, until the venue ends it. Raises VenueUnavailable, VenueRefused."""
        await self._limiter.turn(REQUEST_S)
        response: aiohttp.ClientResponse | None = None
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                response = await self._get(1, path, query, {"Accept-Encoding": "identity"})
                body = b"" if response.status == 200 else await self._body(response)
            self._require_yes(response, path, body)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if response is not None:
                response.close()
            raise self._unavailable(path, error) from None
        try:
            yield self._pieces(path, response)
        finally:
            if response is not None:
                response.close()

    async def _pieces(self, path: str, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        """Faults of the line alone are the venue's; what is made of a piece is not within this."""
        pieces = response.content.iter_any()
        while True:
            try:
                piece = await anext(pieces)
            except StopAsyncIteration:
                return
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise self._unavailable(path, error) from None
            yield piece

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _get(self, host: int, path: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Any:
        if self._session is None:
            self._session = self._open()
        url = self._settings.url
        name = HOSTS[self._settings.environment][host]
        base = f"https://{name}" if url is None else f"{url}/{name}"
        # a redirect would take the token elsewhere
        return self._session.get(base + path, params=query, headers=headers, allow_redirects=False)

    def _open(self) -> aiohttp.ClientSession:
        tracing = aiohttp.TraceConfig()

        async def stand_in_line(*_: object) -> None:
            await self._connections.turn(CONNECTION_S)

        tracing.on_connection_create_start.append(stand_in_line)
        return aiohttp.ClientSession(
            headers={
                "Authorization": f"Bearer {self._token.get_secret_value()}",
                "Accept-Datetime-Format": "RFC3339",
            },
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._settings.timeout_s),
            trace_configs=[tracing],
        )

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """Raises ValueError for one that is far too long."""
        body = bytearray()
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > MOST_ANSWER:
                raise ValueError(f"an answer of more than {MOST_ANSWER} bytes")
        return bytes(body)

    def _require_yes(self, response: aiohttp.ClientResponse, path: str, body: bytes) -> None:
        status = response.status
        after = response.headers.get("Retry-After", PAUSE_S)
        self._limiter.answered(asyncio.get_running_loop().time(), status, after)
        if status == 200:
            return
        said = self._told(_error_message(body) or response.reason or "no reason")
        if status in LATER or status >= 500:
            raise VenueUnavailable(f"{self._subject(path)}: HTTP {status}: {said}")
        if status in REFUSED_TOKEN:
            said += f"; is {token_variable(self._settings)} of this account, and of {self._settings.environment}?"
        raise VenueRefused(f"{self._subject(path)}: HTTP {status}: {said}")

    def _unavailable(self, path: str, error: Exception) -> VenueUnavailable:
        why = f"{type(error).__name__}: {self._told(error)}".removesuffix(": ")  # a timeout says nothing more
        return VenueUnavailable(f"{self._subject(path)}: {why}")

    def _subject(self, path: str) -> str:
        return f"{self._settings.venue} ({self._settings.exchange}) {path.removeprefix(self.account_path) or path}"

    def _told(self, said: object) -> str:
        """In one line, without the token, whoever put it there."""
        text = str(said).replace(self._token.get_secret_value(), "(token)")
        return " ".join(text.split())[:MOST_MESSAGE]


def require_account(settings: VenueSettings) -> None:
    """Raises ConfigError where account or token is not set."""
    name = settings.venue
    if settings.account is None:
        raise ConfigError(f'venue {name}: account is missing: expected account = "101-001-1234567-001" or such')
    if settings.token is None:
        raise ConfigError(f"venue {name}: token is missing: set {token_variable(settings)} in the environment")


def token_variable(settings: VenueSettings) -> str:
    """By which the environment names this venue's token."""
    return f"WORKSTATION_VENUES__{settings.venue.upper()}__TOKEN"


def _error_message(body: bytes) -> str | None:
    """What the venue says of an error; the beginning of what is no JSON of its."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return body[:MOST_MESSAGE].decode("utf-8", "replace") or None
    said = found.get("errorMessage") if isinstance(found, dict) else None
    return str(said) if said else None
