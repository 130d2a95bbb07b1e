"""Which kinds of series are downloaded; apart from `layout`, since the client needs it, and does without arrays."""

from enum import StrEnum


class DownloadKind(StrEnum):
    """What venues tell of their past."""

    BARS = "bars"
    TRADES = "trades"
    FUNDING = "funding"
