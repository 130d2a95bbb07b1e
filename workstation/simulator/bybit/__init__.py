"""The wire of Bybit spot, version 5."""
