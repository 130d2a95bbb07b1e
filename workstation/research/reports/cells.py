"""What the cells of the report's notebook call."""

from pathlib import Path
from typing import Any

from IPython import display

from workstation.config.loading import load_configuration
from workstation.research.reports.account import Account
from workstation.research.reports.drawn import result_chart, spread_chart
from workstation.research.reports.making import entry_facts
from workstation.research.reports.request import ReportRequest, make
from workstation.research.reports.sections import assumptions, figures, heading, months, provenance, trades
from workstation.research.reports.shelf import ENTRY

__all__ = (
    "assumptions",
    "entry",
    "figures",
    "heading",
    "months",
    "provenance",
    "result_chart",
    "run",
    "show",
    "spread_chart",
    "trades",
)


def run(*, history: str | None, config: str | None, venues: list[str], **fields: Any) -> Account:
    """The result that the parameters ask for. Raises what making it raises."""
    settings = load_configuration(None if config is None else Path(config)).settings
    request = ReportRequest(venues=tuple(venues), **fields)
    return Account(result=make(request, settings, None if history is None else Path(history)))


def entry(account: Account) -> None:
    """For the list of reports, beside the page."""
    display.display({ENTRY: entry_facts(account)}, raw=True)  # type: ignore[no-untyped-call]  # IPython's is untyped


def show(part: Any, account: Account) -> Any:
    """A part of the page; nothing where there is nothing to show."""
    content = part(account)
    return display.HTML(content) if content else None  # type: ignore[no-untyped-call]  # as above
