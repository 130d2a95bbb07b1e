"""Decimals as venues write them, where no fixed number of decimals is wanted."""

from decimal import Decimal


def plain(value: Decimal) -> str:
    """Without exponent and without zeros at the end: 100000, 0.001."""
    return f"{value.normalize():f}"
