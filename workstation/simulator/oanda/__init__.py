"""The wire of OANDA v20: currencies, by REST and by streams of lines."""
