"""What a list may be narrowed to; an unknown word is refused, not passed over."""

from typing import Annotated

from pydantic import Field

from workstation.client.control import LARGEST_PAGE, USUAL_INTERVAL, USUAL_PAGE
from workstation.client.declaration import Message, SessionName, Word
from workstation.config.settings import IntervalLabel


class OfSession(Message):
    session: Annotated[SessionName | None, Field(description="Of this session alone")] = None


class Page(OfSession):
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="At most so many")] = USUAL_PAGE
    after: Annotated[
        str | None,
        Field(max_length=200, description="Those behind this id, from the oldest on if empty; without it, the last"),
    ] = None


class OfOrders(Page):
    open_only: Annotated[bool, Field(description="Without those that are final")] = False


class OfSymbol(Message):
    symbol: Annotated[Word | None, Field(description="Of this symbol alone")] = None


class OfOpportunities(OfSymbol):
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="At most so many, the last ones")] = USUAL_PAGE


class OfInstrument(Message):
    venue: Annotated[Word, Field(description="Such as nova")]
    symbol: Annotated[Word, Field(description="Such as BTC/USDT")]


class OfBars(OfInstrument):
    interval: Annotated[IntervalLabel, Field(description="The length of a bar")] = USUAL_INTERVAL
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="At most so many closed bars")] = USUAL_PAGE
