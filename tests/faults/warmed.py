"""Imported by the fork server: compiled loops are read from their cache, and sources hashed, once for all processes."""

from tests.session.desks import NOVA, ORION, a_desk, linear, random_quotes, run
from workstation.session import identity
from workstation.strategies.spread_reversion import SpreadReversion
from workstation.trading.paper import PaperSettings

run(a_desk(SpreadReversion(), [linear(NOVA), linear(ORION)], paper=PaperSettings()), random_quotes(1, 500))
identity.take_note()
