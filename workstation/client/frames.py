"""The messages of the event stream beside the events themselves: one JSON object each, in text frames.

to the engine    {"token": "…"}                      first, where no Authorization header came with the handshake
                 {"subscribe": {"topics": ["order_filled"], "symbols": null, "session": null},
                  "resume_from": 41, "life": "…"}    again whenever it is to change
from it          {"subscribed": {…}}, {"missed": {"from": 7, "to": 9}}, {"heartbeat": {…}}, an event, a Problem
"""

from typing import Annotated

from pydantic import ConfigDict, Field

from workstation.client.declaration import Message, SessionName, Word
from workstation.client.messages import Topic

MOST_SYMBOLS = 1_000


class Wanted(Message):
    """Which events. A filter is about events that have what it names: one without a symbol passes any symbols."""

    topics: Annotated[frozenset[Topic], Field(min_length=1)]
    symbols: Annotated[frozenset[Word], Field(max_length=MOST_SYMBOLS)] | None = None
    """None: all."""
    session: SessionName | None = None


class Request(Message):
    """What a client sends. `resume_from` is the last sequence it has seen, `life` the engine's life that counted it."""

    token: Annotated[str, Field(max_length=200)] | None = None
    subscribe: Wanted | None = None
    resume_from: Annotated[int, Field(ge=0)] | None = None
    life: Annotated[str, Field(max_length=40)] | None = None


class Gap(Message):
    """Events of these sequences, both included, were not sent; some of them may not have been wanted."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    first: Annotated[int, Field(alias="from")]
    last: Annotated[int, Field(alias="to")]


class Missed(Message):
    """Told to a client that was too slow."""

    missed: Gap


class Acknowledgement(Message):
    """`sequence` is the last one before the events that follow, those that are resumed aside."""

    topics: tuple[Topic, ...]
    symbols: tuple[str, ...] | None
    session: str | None
    sequence: int
    life: str
    """Another life than before: the engine was started anew and counts from 1."""
    missed: Gap | None
    """What cannot be resumed any more."""


class Subscribed(Message):
    subscribed: Acknowledgement


class Beat(Message):
    sequence: int


class Heartbeat(Message):
    """Says that a quiet stream is alive."""

    heartbeat: Beat
