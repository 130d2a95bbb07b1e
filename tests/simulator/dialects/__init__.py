"""The wires, each in its own words."""

from tests.simulator.dialects.base import BTC, ETH, LOST, PLACED, Dialect
from tests.simulator.dialects.binance import Binance
from tests.simulator.dialects.binanceusdm import BinanceUsdm
from tests.simulator.dialects.bitvavo import Bitvavo
from tests.simulator.dialects.bybit import Bybit
from tests.simulator.dialects.gate import Gate
from tests.simulator.dialects.mexc import Mexc

DIALECTS: dict[str, Dialect] = {one.wire: one for one in (Binance(), Bybit(), Gate(), Bitvavo(), Mexc())}
MARKET_DIALECTS: dict[str, Dialect] = DIALECTS | {one.wire: one for one in (BinanceUsdm(),)}
"""Those that take no orders too."""

__all__ = ["BTC", "DIALECTS", "ETH", "LOST", "MARKET_DIALECTS", "PLACED", "Dialect"]
