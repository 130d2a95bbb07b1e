"""Bitvavo names orders, fills and trades by UUIDs: here each holds the core's number, so that it can be read back."""

from uuid import UUID

ORDER, TRADE = 1, 2
"""What is named: the first digits of its UUID."""
NUMBER_BITS = 60


def uuid_of(kind: int, number: int) -> str:
    """A UUID of version 4 in form."""
    return str(UUID(int=kind << 96 | 4 << 76 | 8 << 60 | number & ((1 << NUMBER_BITS) - 1)))


def number_of(kind: int, text: str) -> int | None:
    """The number that a UUID of ours holds; None for another text."""
    try:
        number = UUID(text).int & ((1 << NUMBER_BITS) - 1)
    except ValueError:
        return None
    return number if uuid_of(kind, number) == text.lower() else None


def is_uuid(text: str) -> bool:
    """Whether a client may name its order so."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
