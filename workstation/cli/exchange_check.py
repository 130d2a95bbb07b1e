"""What `workstation exchange list` and `exchange check` print."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workstation.cli.tables import aligned
from workstation.config.settings import Settings
from workstation.exchanges.venue_facts import UNKNOWN, VENUES, facts_of

if TYPE_CHECKING:
    from workstation.exchanges.venue_check import CheckLine  # imports ccxt: half a second that help does without

REAL = "the real one"
NONE = "-"


def venue_table(settings: Settings) -> str:
    """The venues in the settings, then the exchanges that one may be made of."""
    rows = [
        (name, table.exchange, REAL if table.url is None else table.url, facts_of(table.exchange).lacks or NONE)
        for name, table in settings.venues.items()
    ]
    rows += [(NONE, exchange, NONE, facts.lacks or NONE) for exchange, facts in VENUES.items()]
    rows.append((NONE, "any other id of ccxt", NONE, UNKNOWN.lacks))
    return aligned(("VENUE", "EXCHANGE", "URL", "LACKS"), rows)


def venues_as_json(settings: Settings) -> str:
    """The same for programs; `venue` and `url` are null where there is none."""
    rows = [(name, table.exchange, table.url) for name, table in settings.venues.items()]
    rows_of_none = [(None, exchange, None) for exchange in VENUES]
    return json.dumps(
        [
            {"venue": venue, "exchange": exchange, "url": url, "lacks": facts_of(exchange).lacks}
            for venue, exchange, url in [*rows, *rows_of_none]
        ],
        indent=2,
    )


def checks_as_json(lines: "Sequence[CheckLine]") -> str:
    return json.dumps(
        [{"subject": one.subject, "ok": one.is_ok, "found": one.found, "remedy": one.remedy} for one in lines], indent=2
    )


def check_line(line: "CheckLine") -> str:
    """Subject, verdict, finding, and what to do about it."""
    verdict = "ok" if line.is_ok else "FAILED"
    return f"{line.subject:<16}  {verdict:<6}  {line.found}" + ("" if line.is_ok else f"; {line.remedy}")
