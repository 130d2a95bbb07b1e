"""The engine: live market data and sessions in one process and one event loop."""
