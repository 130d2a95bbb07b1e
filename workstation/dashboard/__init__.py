"""The screen: pages in a browser, a client of the engine and a reader of history. It holds no trading state."""
