"""Venues: their market data through ccxt. Venue dicts, and the library itself, stop in this room."""
