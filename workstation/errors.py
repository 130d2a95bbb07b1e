"""Errors, placed by who must act.

    WorkstationError
    ├── CallerError            the calling code is wrong: mend the call
    │   ├── BadInput           a value breaks a stated rule (also a ValueError)
    │   │   ├── RowsOutOfOrder
    │   │   └── StrategyNonsense
    │   ├── StrategyRaised     a strategy's own code raised: mend its file
    │   ├── UnknownInstrument
    │   ├── SessionNotFound
    │   ├── SessionExists
    │   ├── JobNotFound
    │   ├── CollectionNotFound
    │   ├── CollectionExists
    │   ├── OrderNotFound
    │   ├── GroupNotFound
    │   └── IllegalTransition  an order event that the table does not know
    ├── OperatorError          a person must act: mend the file, the setting, the disk
    │   ├── ConfigError
    │   ├── ImportRefused
    │   ├── HistoryMissing
    │   ├── HistoryChanged
    │   ├── DownloadRunning    the same series is being downloaded
    │   ├── RunNotFound
    │   ├── LedgerInUse        another process holds the ledger
    │   ├── OrderRefused       risk said no to an order by hand: its limit, and the figure that broke it
    │   ├── VenueRefused       the venue said no: symbol, permission, wrong request
    │   └── AccessRefused      the engine said no: token, host or origin
    ├── RetryError             the same may work later
    │   ├── VenueUnavailable   no answer from the venue, or "not now"
    │   └── EngineUnreachable  no engine answers
    └── HaltError              trading stops until it is looked at
        ├── JournalCorrupt
        ├── JournalStalled
        ├── JournalWriteFailed
        ├── KillFlagFailed     the kill switch could not be made durable
        └── VerifyMismatch

Each message bears the subject, the value and what was expected.
"""

from collections.abc import Mapping


class WorkstationError(Exception):
    """Any error this package raises on purpose."""


class CallerError(WorkstationError):
    """The calling code is wrong; nothing was changed."""


class BadInput(CallerError, ValueError):
    """A value breaks a stated rule."""


class RowsOutOfOrder(BadInput):
    """Market rows whose receipt time falls."""


class StrategyNonsense(BadInput):
    """A strategy returned what is no decision."""


class StrategyRaised(CallerError):
    """A strategy's own code raised; the cause has the traceback."""


class UnknownInstrument(CallerError, KeyError):
    """No such (venue, symbol) in the registry."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class SessionNotFound(CallerError):
    """No such session in the engine."""


class SessionExists(CallerError):
    """A session of that name is there already."""


class JobNotFound(CallerError):
    """No such job in the engine's home."""


class CollectionNotFound(CallerError):
    """No such collection in this history."""


class CollectionExists(CallerError):
    """A collection of that name is there already."""


class OrderNotFound(CallerError):
    """No such order in the engine's sessions."""


class GroupNotFound(CallerError):
    """No such open group in the engine's sessions."""


class IllegalTransition(CallerError):
    """An order event that the transition table does not know."""


class OperatorError(WorkstationError):
    """A person must act."""


class ConfigError(OperatorError):
    """A setting is unknown, of the wrong type or out of range."""


class ImportRefused(OperatorError):
    """A data file cannot be taken in."""


class HistoryMissing(OperatorError):
    """No stored history for what was asked."""


class HistoryChanged(OperatorError):
    """The rows that a session had taken are not those that are stored now."""


class DownloadRunning(OperatorError):
    """Another download fills the same series."""


class RunNotFound(OperatorError):
    """No such run in the ledger."""


class LedgerInUse(OperatorError):
    """Another process holds the ledger's one read-write connection."""


class OrderRefused(OperatorError):
    """Risk said no to an order by hand; `refusal` names limit, allowed, figure and instrument, where it is known."""

    def __init__(self, message: str, refusal: Mapping[str, str | None] | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal


class VenueRefused(OperatorError):
    """The venue understood, and said no."""


class AccessRefused(OperatorError):
    """The engine does not answer this caller: another token, host or origin."""


class RetryError(WorkstationError):
    """The same may work later."""


class VenueUnavailable(RetryError):
    """No answer from the venue, or "not now"."""


class EngineUnreachable(RetryError):
    """No engine answers."""


class HaltError(WorkstationError):
    """Trading stops until somebody has looked."""


class JournalCorrupt(HaltError):
    """A journal row does not fit the hash chain."""


class JournalStalled(HaltError):
    """The journal's writer is too far behind."""


class JournalWriteFailed(HaltError):
    """The journal could not be committed (full disk, I/O error)."""


class KillFlagFailed(HaltError):
    """The kill switch could not be written, or lifted."""


class VerifyMismatch(HaltError):
    """The same inputs gave another decision."""
