"""A report of a result: its parts in their order, and what the list says of it."""

import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from workstation.config.settings import Settings
from workstation.research.reports import sections
from workstation.research.reports.account import Account
from workstation.research.reports.drawn import result_chart, spread_chart
from workstation.research.reports.request import Result
from workstation.research.reports.shelf import ReportEntry, put_away

SECTIONS: tuple[Callable[[Account], str], ...] = (
    sections.heading,
    sections.figures,
    result_chart,
    spread_chart,
    sections.months,
    sections.trades,
    sections.assumptions,
    sections.provenance,
)
"""In the order of the page, and of the notebook's cells."""


def report_of(result: Result, settings: Settings, out: Path | None, now: datetime) -> ReportEntry:
    """A report of a result in hand, made in this process. Raises OperatorError for the disk."""
    account = Account(result=result)
    parts = [part(account) for part in SECTIONS]
    return put_away(settings.paths.reports, out, now, entry_facts(account), parts)


def entry_facts(account: Account) -> dict[str, Any]:
    """What the list says of a report."""
    where = " and ".join(str(one.key) for one in account.instruments)
    return {
        "kind": account.kind,
        "strategy": account.strategy,
        "title": f"{account.strategy} on {where}",
        "summary": sections.summary(account),
        "figures": {name: value if math.isfinite(value) else None for name, value in account.metrics.items()},
    }
