"""A SpreadView with sensible values; keywords change what a test is about."""

from typing import Any

from workstation.client.messages import SpreadView


def a_spread(**fields: Any) -> SpreadView:
    sensible = {
        "symbol": "BTC/USDT", "venue_a": "nova", "venue_b": "orion", "symbol_b": fields.get("symbol", "BTC/USDT"),
        "basis": None, "bid_basis": None, "ask_basis": None, "age_basis_ms": None, "spread_bps": 1.0, "mean_bps": 0.5,
        "deviation_bps": 2.0, "z": 0.25, "upper_bps": 4.5, "lower_bps": -3.5, "min_bps": -3.25,
        "max_bps": 4.25, "edge_ab_bps": 0.5, "edge_ba_bps": -2.5,
        "net_edge_ab_bps": -19.5, "net_edge_ba_bps": -22.5, "bid_a": 99.0, "ask_a": 100.0, "bid_b": 98.0,
        "half_life_s": 12.5, "correlation": 0.9, "lead_s": 1.0, "lead_correlation": 0.95,
        "ask_b": 99.0, "age_a_ms": 10.0, "age_b_ms": 20.0, "points": 100, "is_truncated": False,
    }  # fmt: skip
    return SpreadView.model_validate(sensible | fields)
