"""The pages of Python names: each public name and each kernel, described by its docstring."""

import importlib
import inspect
import pkgutil

import workstation
from workstation import kernels as kernel_room

NOT_FORMULAS = ("arguments", "compiled", "formula")
"""Modules of the room that hold no kernel."""


def public() -> str:
    """Every name of `import workstation as ws`, by the words of a notebook."""
    return "\n\n".join(f"## `ws.{name}`\n\n{_described(name)}" for name in workstation.PUBLIC)


def _described(name: str) -> str:
    value = getattr(importlib.import_module(workstation.PUBLIC[name]), name, None)
    module = workstation.PUBLIC[name]
    if value is None:  # a room that can be called; the function of that name is the notebook's
        module = "workstation.research.notebook"
        value = getattr(importlib.import_module(module), name)
    kind = "class" if inspect.isclass(value) else "function" if callable(value) else "data"
    return directive(f"auto{kind}", f"{module}.{name}")


def kernels() -> str:
    """Every module of formulas."""
    names = [module.name for module in pkgutil.iter_modules(kernel_room.__path__) if module.name not in NOT_FORMULAS]
    return "\n\n".join(f"## {name}\n\n{directive('automodule', f'workstation.kernels.{name}')}" for name in names)


def directive(kind: str, argument: str) -> str:
    return f"```{{eval-rst}}\n.. {kind}:: {argument}\n```"
