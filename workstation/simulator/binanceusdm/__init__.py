"""The wire of Binance's USD-M futures: market data of linear perpetuals."""
