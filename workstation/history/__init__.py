"""Stored market rows as a notebook asks for them; `history(venue, symbol, kind)` is that of `research/notebook.py`.

The package has one attribute for the room and for the function `ws.history`, whichever is imported first: so the room
can be called.
"""

import importlib
import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, *words: Any, **options: Any) -> Any:
        return importlib.import_module("workstation.research.notebook").history(*words, **options)


sys.modules[__name__].__class__ = _Room
