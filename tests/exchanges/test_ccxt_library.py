"""ccxt with exchanges that are loaded when they are asked for: each is the class that ccxt's own import gives."""

import json
import subprocess
import sys

import pytest

TELLS = """
import json, sys
LINE
import ccxt.pro
def told(one):
    return [f"{base.__module__}.{base.__qualname__}" for base in one.__mro__]
packages = (ccxt, ccxt.async_support, ccxt.pro)
print(json.dumps({package.__name__: {name: told(getattr(package, name)) for name in ORDER} for package in packages}))
"""


def answer(code: str) -> str:
    """Of a process of its own: an import is for good."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("order", ["package.exchanges", "reversed(package.exchanges)"])
def test_every_exchange_is_the_class_that_it_always_was(order: str) -> None:
    ours = TELLS.replace("LINE", "import workstation.exchanges.ccxt_library").replace("ORDER", order)
    assert json.loads(answer(ours)) == json.loads(answer(TELLS.replace("LINE", "").replace("ORDER", order)))


def test_only_what_is_asked_for_is_loaded() -> None:
    loaded = answer(
        """
import sys
from workstation.exchanges.ccxt_library import ccxt
kinds = ("ccxt.", "ccxt.async_support.", "ccxt.pro.")
known = {kind + name for kind in kinds for name in ccxt.exchanges}
print(sorted(known & set(sys.modules)))
from ccxt.pro import binanceusdm
assert isinstance(ccxt.pro.binance, type) and issubclass(binanceusdm, ccxt.pro.binance)
print(sorted(known & set(sys.modules)))
"""
    )
    before, after = (eval(line) for line in loaded.splitlines())
    assert before == []
    bases = ("ccxt.async_support.binance", "ccxt.pro.binance", "ccxt.pro.binanceusdm")
    assert set(after) >= set(bases) and all("binance" in name for name in after)


def test_a_name_that_ccxt_does_not_have_is_refused_as_ever() -> None:
    answer(
        """
from workstation.exchanges.ccxt_library import ccxt
assert not hasattr(ccxt.pro, "nonsense") and not hasattr(ccxt, "nonsense")
assert issubclass(ccxt.NetworkError, ccxt.BaseError) and "binance" in ccxt.exchanges and ccxt.__version__
"""
    )


def test_what_somebody_has_imported_before_is_left_as_it_is() -> None:
    answer(
        """
import sys
import ccxt
had = ccxt.binance
from workstation.exchanges import ccxt_library
assert ccxt_library.ccxt is ccxt and ccxt.binance is had and "ccxt.kraken" in sys.modules
assert type(ccxt) is type(sys)
"""
    )
