"""The wire of Binance spot."""
