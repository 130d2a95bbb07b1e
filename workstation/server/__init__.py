"""The engine's REST and event stream, on loopback."""
