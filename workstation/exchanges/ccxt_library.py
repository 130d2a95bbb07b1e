"""ccxt, each of whose exchanges is loaded when it is asked for.

Its own import loads every exchange that it knows, three times: for calls, for calls beside others, and for streams. An
engine talks to a few of these; the rest were 55 MB of its memory (ccxt's issue 29573).
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["ArrayCache", "ArrayCacheByTimestamp", "ccxt"]
PACKAGES = ("ccxt", "ccxt.async_support", "ccxt.pro")


class _Aside(MetaPathFinder, Loader):
    """Gives an empty module for each file that lies in one of PACKAGES itself: these are the exchanges."""

    def __init__(self) -> None:
        self.modules: list[ModuleType] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.rpartition(".")
        is_file = package in PACKAGES and path is not None and Path(next(iter(path)), f"{name}.py").is_file()
        return ModuleSpec(fullname, self) if is_file else None

    def create_module(self, spec: ModuleSpec) -> None:
        """As any other."""

    def exec_module(self, module: ModuleType) -> None:
        self.modules.append(module)
        setattr(module, _name_in_package(module), None)


def _name_in_package(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


class _Package(ModuleType):
    """One of PACKAGES: an exchange's name is its class, as ever; where it is not loaded yet, asking for it loads it."""

    exchanges: list[str]

    def __getattr__(self, name: str) -> Any:
        if name not in self.exchanges:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        import_module(f"{self.__name__}.{name}")
        return self.__dict__[name]

    def __setattr__(self, name: str, value: Any) -> None:
        is_exchange = isinstance(value, ModuleType) and name in self.exchanges
        super().__setattr__(name, getattr(value, name) if is_exchange else value)


def _load() -> None:
    """Imports PACKAGES without their exchanges, unless somebody has imported them with these."""
    if "ccxt" in sys.modules:
        return
    aside = _Aside()
    sys.meta_path.insert(0, aside)
    try:
        import_module(PACKAGES[-1])
    finally:
        sys.meta_path.remove(aside)
        for module in aside.modules:
            del sys.modules[module.__name__]
    for module in aside.modules:
        delattr(sys.modules[module.__package__ or ""], _name_in_package(module))
    for name in PACKAGES:
        sys.modules[name].__class__ = _Package


_load()
import ccxt  # noqa: E402
import ccxt.pro  # noqa: E402
from ccxt.async_support.base.ws.cache import ArrayCache, ArrayCacheByTimestamp  # noqa: E402
