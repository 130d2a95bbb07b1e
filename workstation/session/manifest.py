"""The manifest of a run: what it takes to run it again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from workstation.errors import BadInput, JournalCorrupt
from workstation.model.events import BalanceSet
from workstation.model.ids import RunId
from workstation.model.instrument import Instrument, InstrumentKey
from workstation.session.settings import SessionSettings
from workstation.trading.paper import PaperSettings

REPLAY, PAPER = "replay", "paper"
"""Modes: rows come from history, counted; or live, from the recording made of them, with the numbers that they had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSelection:
    """One series that feeds the gate; its place is its feed rank."""

    key: InstrumentKey
    kind: str
    interval_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunManifest:
    """Code, configuration, strategy and inputs of one run. Times are ns UTC."""

    schema: int = 1
    run_id: RunId
    mode: str
    session: SessionSettings
    paper: PaperSettings
    balances: tuple[BalanceSet, ...]
    instruments: tuple[Instrument, ...]
    """In the order of the registry: an instrument's place is its integer."""
    sources: tuple[SourceSelection, ...]
    history: str
    """The folder the rows came from; verify takes another one by word."""
    start_ns: int | None = None
    end_ns: int | None = None
    assumed_delay_ns: int = 0
    seed: int | None = None
    code_hash: str
    kernel_hash: str
    versions: Mapping[str, str]
    strategy_hash: str | None = None
    """Of the file that a strategy of one's own came from; the code's hash covers the shipped ones."""
    gap_ns: tuple[int, int] | None = None
    """From the last fact of the run before to the first row of this one: what was not watched. Nothing in replay."""


def manifest_bytes(manifest: RunManifest) -> bytes:
    """Canonical bytes of a manifest."""
    return msgspec.json.encode(manifest, order="deterministic")


def read_manifest(data: bytes) -> RunManifest:
    """Raises JournalCorrupt for what `manifest_bytes` did not make."""
    try:
        return msgspec.json.decode(data, type=RunManifest)
    except (msgspec.DecodeError, BadInput) as error:
        raise JournalCorrupt(f"run manifest: {error}; restore the ledger from a backup") from error


def manifest_hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def plain(manifest: RunManifest) -> Any:
    """For people: dicts and lists."""
    return msgspec.json.decode(manifest_bytes(manifest))
