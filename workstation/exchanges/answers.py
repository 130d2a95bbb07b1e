"""REST answers up to a size: what is longer, or unpacks to more, is cut off before it fills the memory."""

from typing import Any

import aiohttp

MOST_BYTES = 64 * 2**20
"""Unpacked. The longest of a real venue, the rules of thousands of markets, has a third of it at most."""


class Answer(aiohttp.ClientResponse):
    """Its body is read piece by piece."""

    async def read(self) -> bytes:
        """Raises ClientConnectionError for a body of more than MOST_BYTES."""
        if self._body is None:
            body = bytearray()
            async for piece in self.content.iter_any():
                body += piece
                if len(body) > MOST_BYTES:
                    self.close()
                    raise aiohttp.ClientConnectionError(f"an answer of more than {MOST_BYTES >> 20} MB")
            self._body = bytes(body)
        return await super().read()


def limit_answers(client: Any) -> None:
    """From its next opening on, a ccxt client reads answers so."""
    open_session = client.open

    def open_limited(lazy: bool = False) -> None:
        before = client.session
        open_session(lazy)
        if client.own_session and client.session is not before:
            client.session.detach()  # the connector lives on in the next one
            client.session = aiohttp.ClientSession(
                connector=client.tcp_connector, trust_env=client.aiohttp_trust_env, response_class=Answer
            )

    client.open = open_limited
