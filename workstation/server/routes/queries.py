"""What a list may be narrowed to; an unknown word is refused, not passed over."""

from typing import Annotated

from pydantic import Field

from workstation.client.declaration import Message, SessionName, Word


class OfSession(Message):
    session: Annotated[SessionName | None, Field(description="Of this session alone")] = None


class OfOrders(OfSession):
    open_only: Annotated[bool, Field(description="Without those that are final")] = False


class OfSymbol(Message):
    symbol: Annotated[Word | None, Field(description="Of this symbol alone")] = None
