"""What `workstation doctor` looks at, one finding after the other."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from workstation import __version__
from workstation.cli.connection import BY, api_url, start_command
from workstation.client.access import read_token
from workstation.client.client import Client
from workstation.config.loading import Configuration, load_configuration
from workstation.config.own_strategies import load_own_strategies
from workstation.config.settings import Settings
from workstation.errors import ConfigError, EngineUnreachable, WorkstationError
from workstation.exchanges.settings import venue_settings
from workstation.exchanges.venue_check import CheckLine, check_venue
from workstation.history.store import HistoryStore
from workstation.kernels.compiled import cache_folder
from workstation.ledger.journal import read_rows, read_runs

OK, WARN, FAIL = "ok", "warn", "fail"
PYTHONS = ((3, 11), (3, 14))
PACKAGES = ("numpy", "numba", "pandas", "pyarrow", "duckdb", "sqlalchemy", "pydantic", "ccxt", "fastapi", "panel")
LITTLE_SPACE, TOO_LITTLE_SPACE = 5 * 2**30, 2**29
MOST_DRIFT_MS = 1_000.0
WITHIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`remedy` says what to do; empty when all is well."""

    subject: str
    verdict: str
    found: str
    remedy: str = ""


def as_line(finding: Finding) -> str:
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    return f"{finding.subject:<12}  {finding.verdict:<4}  {finding.found}{remedy}"


def examine(config: Path | None, *, asks_venues: bool) -> Iterator[Finding]:
    """Everything; without settings that can be read, only what needs none."""
    yield python()
    yield from packages()
    yield numba_cache()
    try:
        configuration = load_configuration(config)
    except ConfigError as error:
        yield Finding(subject="settings", verdict=FAIL, found=str(error), remedy="mend that line")
        return
    settings = configuration.settings
    yield written_settings(configuration)
    yield home(settings.paths.home)
    yield space(settings.paths.home)
    yield ledger(settings.paths.ledger)
    yield history(settings.paths.history)
    yield own_strategies(settings.paths.strategies)
    yield from engine(settings, config)
    yield from venues(settings, asks_venues=asks_venues)


def python() -> Finding:
    found = f"{sys.version.split()[0]} on {sys.platform}, workstation {__version__}"
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return Finding(subject="python", verdict=OK, found=found)
    return Finding(subject="python", verdict=FAIL, found=found, remedy="take Python 3.11 to 3.14")


def packages() -> Iterator[Finding]:
    known, missing = [], []
    for name in PACKAGES:
        try:
            known.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    yield Finding(subject="packages", verdict=OK, found=", ".join(known))
    if missing:
        remedy = "install the locked ones: pip install -r requirements.lock"
        yield Finding(subject="packages", verdict=FAIL, found=f"missing: {', '.join(missing)}", remedy=remedy)


def numba_cache() -> Finding:
    """Without it every start compiles the kernels anew."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or cache_folder())
    why = unwritable(folder)
    if why is None:
        return Finding(subject="numba cache", verdict=OK, found=str(folder))
    remedy = "let it be written, or name another by NUMBA_CACHE_DIR: every start compiles for a minute without it"
    return Finding(subject="numba cache", verdict=WARN, found=f"{folder}: {why}", remedy=remedy)


def written_settings(configuration: Configuration) -> Finding:
    there = configuration.file.exists()
    found = f"{configuration.file}" if there else f"no {configuration.file}: the defaults, and the environment"
    return Finding(subject="settings", verdict=OK, found=found)


def home(folder: Path) -> Finding:
    why = unwritable(folder)
    if why is None:
        return Finding(subject="home", verdict=OK, found=f"{folder} can be written")
    return Finding(
        subject="home", verdict=FAIL, found=f"{folder}: {why}", remedy="let it be written, or set WORKSTATION_HOME"
    )


def space(folder: Path) -> Finding:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    found = f"{free / 2**30:.1f} GB free for {folder}"
    if free >= LITTLE_SPACE:
        return Finding(subject="disk", verdict=OK, found=found)
    verdict = FAIL if free < TOO_LITTLE_SPACE else WARN
    return Finding(subject="disk", verdict=verdict, found=found, remedy="make room: recorder and journal stop without")


def ledger(file: Path) -> Finding:
    """Reads the last run's session from its first fact to its last, hash by hash."""
    if not file.exists():
        return Finding(subject="ledger", verdict=OK, found=f"no {file} yet: the first session makes it")
    try:
        runs = read_runs(file)
        if not runs:
            return Finding(subject="ledger", verdict=OK, found=f"{file}: no run yet")
        last = deque(read_rows(file, runs[-1].session_id), maxlen=1)
    except WorkstationError as error:
        return Finding(subject="ledger", verdict=FAIL, found=str(error), remedy="restore it from a backup")
    facts = last[0].position + 1 if last else 0
    found = f"{file}: {len(runs):,} runs; the chain of {runs[-1].session_id}, {facts:,} facts, is whole"
    return Finding(subject="ledger", verdict=OK, found=found)


def history(folder: Path) -> Finding:
    try:
        store = HistoryStore(folder)
        recording, series = store.recording(), store.series()
    except (WorkstationError, OSError) as error:
        return Finding(subject="history", verdict=FAIL, found=str(error), remedy="restore that file from a copy")
    found = f"{folder}: {len(series)} series, {recording.rows:,} rows recorded, {recording.gap_count} gaps"
    if not recording.damages:
        return Finding(subject="history", verdict=OK, found=found)
    damages = f"{found}; {len(recording.damages)} damaged logs, the last one: {recording.damages[-1]}"
    return Finding(subject="history", verdict=WARN, found=damages, remedy="what is readable was kept; look at the disk")


def own_strategies(folder: Path) -> Finding:
    found = load_own_strategies(folder)
    names = f"{folder}: {', '.join(found.files)}" if found.files else f"none of one's own in {folder}"
    if not found.faults:
        return Finding(subject="strategies", verdict=OK, found=names)
    return Finding(subject="strategies", verdict=WARN, found=f"{names}; {'; '.join(found.faults)}", remedy="mend it")


def engine(settings: Settings, config: Path | None) -> Iterator[Finding]:
    """Whether one runs, what it says of itself, and its clock."""
    try:
        with Client(api_url(settings.api.host, settings.api.port), read_token(settings.paths.home), by=BY) as client:
            health = client.health()
    except EngineUnreachable:
        found = f"none runs at {api_url(settings.api.host, settings.api.port)}; `{start_command(config)}` starts one"
        yield Finding(subject="engine", verdict=OK, found=found)
        return
    except WorkstationError as error:
        yield Finding(subject="engine", verdict=FAIL, found=str(error), remedy="see api.host, api.port and the token")
        return
    states = ", ".join(f"{feed.venue} {feed.state}" for feed in health.feeds)
    found = f"up at {client.url}, {health.sessions} sessions, {health.rows_per_second:.0f} rows/s; {states}"
    yield Finding(subject="engine", verdict=OK, found=found)
    for problem in health.problems:
        yield Finding(subject="engine", verdict=WARN, found=problem, remedy="see its log")
    drift = f"moved {health.clock_drift_ms:+.0f} ms since the engine started"
    if abs(health.clock_drift_ms) < MOST_DRIFT_MS:
        yield Finding(subject="clock", verdict=OK, found=drift)
    else:
        yield Finding(subject="clock", verdict=WARN, found=drift, remedy="see NTP, then start the engine again")


def venues(settings: Settings, *, asks_venues: bool) -> Iterator[Finding]:
    """Their names; on demand, whether each can be reached, and how its clock differs."""
    if not settings.venues:
        found = 'none; add [venues.NAME] with exchange = "…", or try `workstation demo`'
        yield Finding(subject="venues", verdict=OK, found=found)
        return
    if not asks_venues:
        found = f"{', '.join(settings.venues)}; --venues asks each of them"
        yield Finding(subject="venues", verdict=OK, found=found)
        return
    for name in settings.venues:
        lines: list[CheckLine] = []
        try:
            asyncio.run(check_venue(venue_settings(settings, name), [], WITHIN_S, lines.append))
        except ConfigError as error:
            yield Finding(subject=name, verdict=FAIL, found=str(error), remedy="mend the settings of this venue")
        for line in lines:
            verdict = OK if line.is_ok else FAIL
            yield Finding(subject=name, verdict=verdict, found=f"{line.subject}: {line.found}", remedy=line.remedy)


def unwritable(folder: Path) -> str | None:
    """Why nothing can be written there; None where it can. A folder that is missing is made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)
