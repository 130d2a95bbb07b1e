"""The figures of a result, with the formulas that stand in the code."""

from docs.site.markdown import code, plain, table
from workstation.research.results import METRICS


def text() -> str:
    rows = [(code(name), plain(metric.label), metric.unit, plain(metric.formula)) for name, metric in METRICS.items()]
    return table(("name", "label", "unit", "formula"), rows)
