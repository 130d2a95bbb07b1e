"""Closed choices of `workstation data` that are no nouns of the history."""

from enum import StrEnum


class DownloadKind(StrEnum):
    """What venues tell of their past."""

    BARS = "bars"
    TRADES = "trades"
    FUNDING = "funding"
