"""The wire of MEXC: spot, version 3, with its streams in protobuf, and the market data of linear perpetuals."""
