"""Windows: rolling state of market data in flat tables, and the one compiled loop that updates it."""
