"""Formulas over float64 arrays and scalars: each once as a `*_step`, looped by a `*_batch`, compiled by numba."""
