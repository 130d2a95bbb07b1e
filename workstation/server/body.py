"""A request's body, read whole before anybody looks at it: bounded, UTF-8, and not nested without end."""

import asyncio
import re

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from workstation.errors import BadInput
from workstation.server.settings import ServerSettings

STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


class BodyRefused(BadInput):
    """With the status to answer; a client of the API sees it as BadInput."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_body(receive: Receive, announced: str | None, settings: ServerSettings) -> bytes:
    """Raises BodyRefused: too large (also when it comes in chunks), too slow, not UTF-8, nested too deep."""
    most = settings.most_body_bytes
    if announced is not None and (len(announced) > 15 or not announced.isdigit() or int(announced) > most):
        raise BodyRefused(413, f"a body of {announced[:15]} bytes: expected at most {most}")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                part = message.get("body", b"")
                size += len(part)
                if size > most:
                    raise BodyRefused(413, f"a body of more than {most} bytes: expected at most that")
                parts.append(part)
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        raise BodyRefused(408, f"the body did not come within {settings.body_timeout_s:g} s") from None
    return _checked(b"".join(parts), settings.most_depth)


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body again, and then what comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def depth_of(text: str) -> int:
    """How deep brackets and braces are nested, strings aside."""
    depth = deepest = 0
    for mark in re.findall(r"[\[\]{}]", STRING.sub("", text)):
        depth += 1 if mark in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _checked(body: bytes, most_depth: int) -> bytes:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BodyRefused(400, f"the body's byte {error.start} is not UTF-8: expected JSON in UTF-8") from None
    if (depth := depth_of(text)) > most_depth:
        raise BodyRefused(400, f"the body is nested {depth} deep: expected at most {most_depth}")
    return body
