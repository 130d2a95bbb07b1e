"""What every kernel's Python wrapper checks before it enters compiled code."""

from operator import index

import numpy as np
from numpy.typing import NDArray

from workstation.errors import BadInput

Float64s = NDArray[np.float64]


def checked_series(kernel: str, **series: Float64s) -> list[Float64s]:
    """The arrays, contiguous; raises BadInput unless all are float64[n] of one length."""
    lengths = {name: len(values) for name, values in series.items() if _is_series(kernel, name, values)}
    if len(set(lengths.values())) > 1:
        raise BadInput(f"{kernel}: series of different lengths {lengths}")
    return [np.ascontiguousarray(values) for values in series.values()]


def checked_window(kernel: str, window: int) -> int:
    """The window in points; raises BadInput unless it is a whole number >= 1."""
    try:
        points = index(window)
    except TypeError:
        raise BadInput(f"{kernel}: window {window!r} is not a whole number") from None
    if points < 1:
        raise BadInput(f"{kernel}: window {points} < 1")
    return points


def output_for(kernel: str, values: Float64s, out: Float64s | None) -> Float64s:
    """`out`, or a fresh array made by numpy (outside the kernel, as that is faster: measured); raises BadInput."""
    if out is None:
        return np.empty_like(values)
    _is_series(kernel, "out", out)
    if len(out) != len(values):
        raise BadInput(f"{kernel}: out has {len(out)} values, the input {len(values)}")
    if not (out.flags.c_contiguous and out.flags.writeable):
        raise BadInput(f"{kernel}: out of {len(out)} values is not contiguous and writable")
    return out


def _is_series(kernel: str, name: str, values: Float64s) -> bool:
    if not isinstance(values, np.ndarray):
        raise BadInput(f"{kernel}: {name} is {type(values).__name__}, expected a float64 array")
    if values.ndim != 1 or values.dtype != np.float64:
        raise BadInput(f"{kernel}: {name} is {values.dtype} of shape {values.shape}, expected float64 of shape (n,)")
    return True
