"""The decorator of a plain formula: Python calls it as it is, kernels compile it unchanged.

One call of plain Python costs no more than one call into compiled code, and never compiles at a bad moment (a new
combination of argument types would). The grid functions of `model/units.py` are such formulas.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba.extending import register_jitable

from workstation.model.units import ceil_steps, floor_steps, grid_value

P = ParamSpec("P")
R = TypeVar("R")


def formula(function: Callable[P, R]) -> Callable[P, R]:
    """Itself, known to the compiler; division by zero gives inf or NaN there, so a formula rules it out."""
    register_jitable(error_model="numpy", forceinline=True)(function)
    return function


for _grid in (floor_steps, ceil_steps, grid_value):
    formula(_grid)
