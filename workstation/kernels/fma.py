"""Fused multiply-add: one rounding instead of two, and a shorter chain in a recurrence.

Written out where it pays, because the compiler may not contract by itself (it could differ from caller to caller).
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from numba import types
from numba.extending import intrinsic, overload


def fma(a: float, b: float, c: float) -> float:
    """a * b + c, rounded once. With the compiler off this body runs, in exact fractions: slow, and the same bits.

    Only at the edge of float64 do they part: where a * b alone overflows, this body gives the infinity at once.
    """
    plain = float(a) * float(b) + float(c)
    if not math.isfinite(plain):
        return plain
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    return float(exact) if exact else plain  # a fraction has no negative zero


def _typed_fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:  # pragma: no cover - runs inside the compiler
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


_instruction: Any = intrinsic(_typed_fma)


@overload(fma)
def _compiled_fma(a: Any, b: Any, c: Any) -> Callable[..., float]:  # pragma: no cover - runs inside the compiler
    def call(a: Any, b: Any, c: Any) -> Any:
        return _instruction(a, b, c)

    return call
