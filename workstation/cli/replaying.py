"""What `workstation replay` does once its options are read: choices, progress, Ctrl-C, and what was refused."""

from collections.abc import Sequence
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any

from workstation.cli import strategy_options as options
from workstation.cli.progress import Progress
from workstation.config.own_strategies import take_in_own_strategies
from workstation.config.settings import Settings
from workstation.config.words import fill_at_of, limits_of, milliseconds_of, strategy_from_words
from workstation.errors import BadInput, LedgerInUse
from workstation.history.store import HistoryStore
from workstation.ledger.journal import Ledger
from workstation.model.market import rows_taken
from workstation.research.choices import span_of
from workstation.research.replay import replay
from workstation.research.replay_result import ReplayResult
from workstation.research.session_request import (
    DEFAULT_SIZING,
    Choices,
    free_session,
    open_ledger,
    replay_request,
    run_before,
)
from workstation.session.state import fold
from workstation.strategies.base import BarStrategy
from workstation.trading.limits import NO_LIMITS, Limits

__all__ = (
    "HistoryStore",
    "choices_of",
    "fill_at_of",
    "ledger_file",
    "limits_over",
    "run",
    "span_of",
    "take_in_own_strategies",
)

LIMIT_OPTIONS = {
    "max_position_notional_quote": "--max-notional",
    "max_open_positions": "--max-positions",
    "max_quote_age_ms": "--max-quote-age-ms",
    "size": "--sizing or --balance",
    "balance": "--sizing or --balance",
}
"""What to set for another answer."""


def choices_of(strategy: str, parameters: Sequence[str], sizing: str | None, **rest: Any) -> Choices:
    """`rest` are fields of Choices. Says so where a bar strategy takes another size than in a back-test."""
    made = strategy_from_words(strategy, parameters)
    if sizing is None and isinstance(made, BarStrategy):
        options.note(f"sizing {DEFAULT_SIZING}; that of a back-test is equity-fraction=0.95 (--sizing)")
    return Choices(strategy=made, sizing=DEFAULT_SIZING if sizing is None else sizing, **rest)


def limits_over(
    settings: Settings, notional: Decimal | None, positions: int | None, age_ms: int | None, no_limits: bool
) -> Limits:
    """The settings' limits, each with its option over it. Raises BadInput."""
    if no_limits:
        if any(given is not None for given in (notional, positions, age_ms)):
            raise BadInput("--no-limits: given together with a limit")
        return NO_LIMITS
    default = limits_of(settings)
    if age_ms is not None:
        milliseconds_of("max_quote_age_ms", age_ms)
    return Limits(
        max_position_notional_quote=default.max_position_notional_quote if notional is None else notional,
        max_open_positions=default.max_open_positions if positions is None else positions,
        max_quote_age_ns=default.max_quote_age_ns if age_ms is None else age_ms * 1_000_000,
    )


def ledger_file(settings: Settings, ledger: Path | None, no_ledger: bool) -> Path | None:
    """The ledger's file; None to journal nothing. Raises BadInput."""
    if not no_ledger:
        return (settings.paths.ledger if ledger is None else ledger).absolute()
    if ledger is not None:
        raise BadInput(f"--no-ledger: given together with --ledger {ledger}")
    return None


def run(
    store: HistoryStore,
    choices: Choices,
    settings: Settings,
    *,
    file: Path | None,
    session: str | None,
    is_durable: bool,
) -> ReplayResult:
    """Replays with progress; Ctrl-C ends the command with a sentence, the journal whole."""
    with nullcontext() if file is None else _own_ledger(file) as ledger:
        name = free_session(ledger, choices.strategy) if session is None else session
        request = replay_request(store, choices, name, settings)
        if ledger is not None and run_before(ledger, request) is not None:
            taken = rows_taken(fold(ledger.facts(request.session.session_id)).last_sequence)
            options.note(f"session {name} goes on after row {taken:,}, where its journal ends")
        try:
            with Progress(name) as progress:
                result = replay(store, request, ledger=ledger, is_durable=is_durable, progress=progress.show)
        except KeyboardInterrupt:
            options.note(interrupted(name, file))
            raise  # the command line exits with 130, as shells have it
        for sentence in refusals(result):
            options.note(sentence)
    return result


def _own_ledger(file: Path) -> Ledger:
    """Raises LedgerInUse with both ways out: a replay needs no particular ledger."""
    try:
        return open_ledger(file)
    except LedgerInUse as error:
        raise LedgerInUse(f"{error}, or name another file: --ledger FILE") from error


def interrupted(session: str, file: Path | None) -> str:
    """What Ctrl-C left behind, and how to go on."""
    if file is None:
        return "\nstopped by Ctrl-C; nothing was journaled"
    return f"\nstopped by Ctrl-C; the journal is whole: the same options and --session {session} go on from there"


def refusals(result: ReplayResult) -> list[str]:
    """For each limit, how many entries it refused, its value, and the option that changes it."""
    return [
        f"{number:,} entries refused by {limit} {last.allowed}, the last one at {last.figure}{_way_out(limit)}"
        for limit, (number, last) in result.log.refused.items()
    ]


def _way_out(limit: str) -> str:
    option = LIMIT_OPTIONS.get(limit)
    return "" if option is None else f"; {option} changes it"
