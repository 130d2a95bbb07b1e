"""A research-to-live workstation for crypto and FX traders who work in notebooks.

`import workstation as ws` costs nothing: a public name loads its room when it is first used.
"""

import importlib

__version__ = "0.1.0"

# public name → the module that defines it
PUBLIC: dict[str, str] = {
    **dict.fromkeys(
        ("open_history", "load_bars", "strategy", "backtest", "replay", "verify"), "workstation.research.notebook"
    ),
    "open_sample": "workstation.research.sample",
    "report": "workstation.research.reports.in_notebook",
    **dict.fromkeys(("spreads", "opportunities", "pairs"), "workstation.research.notebook_spreads"),
    **dict.fromkeys(("datasets", "quality", "quality_map", "make_bars"), "workstation.research.notebook_data"),
    "asof": "workstation.research.notebook_asof",
    "connect": "workstation.client.client",
    "history": "workstation.history",  # a room that can be called
}


def __getattr__(name: str) -> object:
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(PUBLIC[name])
    value: object = module if module.__name__ == f"{__name__}.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *PUBLIC})
