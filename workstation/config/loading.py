"""Settings in force: defaults, the TOML file over them, the environment over both; each value knows its source.

The variable of `[paper] latency_ms` is `WORKSTATION_PAPER__LATENCY_MS`; that of `[paths] home` is also
`WORKSTATION_HOME`. An empty variable counts as not set. A venue is a section of its own: `[venues.nova] url` is
`WORKSTATION_VENUES__NOVA__URL`.
"""

import difflib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from workstation.config.settings import (
    SECRETS,
    SECTIONS,
    SENTENCE,
    VENUE_NAME,
    VENUES,
    PairTable,
    Settings,
    VenueTable,
    default_home,
)
from workstation.config.toml_file import read_toml
from workstation.errors import ConfigError

FILE_NAME = "workstation.toml"
PREFIX = "WORKSTATION_"
HOME_VARIABLE = "WORKSTATION_HOME"
TESTS_VARIABLE = "WORKSTATION_SHARED"
"""Names the folder of reference data to the tests; no setting."""
DEFAULT = "default"
EXCHANGE_WANTED = 'expected exchange = "binance", or another one; `workstation exchange list` lists them'
KNOWN_KEYS = tuple(f"{section}.{key}" for section, model in SECTIONS.items() for key in model.model_fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingInForce:
    """One value; `key` is dotted ("paper.latency_ms"), `source` a file's line, a variable's name, or "default"."""

    key: str
    value: object
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The settings, the file that was looked for (it need not exist), and the source of each dotted key."""

    settings: Settings
    file: Path
    sources: Mapping[str, str]

    def in_force(self) -> list[SettingInForce]:
        """Every setting in the order of its declaration, its value as plain JSON would hold it."""
        tables: dict[str, BaseModel] = {name: getattr(self.settings, name) for name in SECTIONS}
        tables |= {f"{VENUES}.{name}": table for name, table in self.settings.venues.items()}
        return [
            SettingInForce(key=f"{section}.{name}", value=value, source=self.sources.get(f"{section}.{name}", DEFAULT))
            for section, table in tables.items()
            for name, value in table.model_dump(mode="json").items()
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One value as it was written; from the environment it is text whatever its type."""

    section: str
    key: str | None  # None: a plain value or an empty unknown table for a section; a variable without "__"
    value: object = field(repr=False)  # it may be a secret
    source: str
    is_text: bool
    lines: Mapping[str, str] = field(default_factory=dict)
    """Where parts of it stand: "[2].a" is key `a` of the second table of a list."""

    @property
    def variable(self) -> str:
        """By which the environment names it."""
        return PREFIX + self.name.upper().replace(".", "__")

    @property
    def name(self) -> str:
        return self.section if self.key is None else f"{self.section}.{self.key}"


def load_configuration(file: Path | None = None, environ: Mapping[str, str] | None = None) -> Configuration:
    """Reads the named file, or `workstation.toml` in the home folder if it exists; ConfigError lists every fault."""
    variables = list(_environment_entries(os.environ if environ is None else environ))
    found = file if file is not None else _home(variables) / FILE_NAME
    entries = [*(_file_entries(found) if file is not None or found.exists() else ()), *variables]
    if problems := [problem for entry in entries if (problem := _problem(entry)) is not None]:
        raise ConfigError("\n".join(problems))
    values: dict[str, dict[str, object]] = {}
    for entry in entries:
        values.setdefault(entry.section, {})[str(entry.key)] = entry.value
    venues = {name.removeprefix(f"{VENUES}."): values.pop(name) for name in [*values] if name.startswith(f"{VENUES}.")}
    if nameless := [name for name, table in venues.items() if "exchange" not in table]:
        missing = (f"{found}: {VENUES}.{name}.exchange is missing: {EXCHANGE_WANTED}" for name in nameless)
        raise ConfigError("\n".join(missing))
    sources = dict.fromkeys(KNOWN_KEYS, DEFAULT) | {entry.name: entry.source for entry in entries}
    settings = Settings.model_validate({**values, VENUES: venues})
    if strangers := list(_strangers(settings, entries)):
        raise ConfigError("\n".join(strangers))
    return Configuration(settings=settings, file=found, sources=sources)


def _strangers(settings: Settings, entries: Iterable[_Entry]) -> Iterator[str]:
    """Venues that stand in a pair and nowhere else."""
    declared = [entry for entry in entries if entry.name == "engine.pairs"]
    known = f"[venues.NAME] ({', '.join(settings.venues) or 'none'})"
    for place, pair in enumerate(settings.engine.pairs, start=1):
        for name, key in zip(PairTable.model_fields, pair.sides, strict=True):
            if key is not None and key.venue not in settings.venues:
                part, entry = f"[{place}].{name}", declared[-1]
                source = entry.lines.get(part, entry.source)
                yield f"{source}: {entry.name}{part} = {key}: venue {key.venue}: expected one of {known}"


def with_secrets(settings: Settings, environ: Mapping[str, str] | None = None) -> Settings:
    """The same with this process's secrets, for settings that were read from a file, where none ever lies."""
    venues = dict(settings.venues)
    for entry in _environment_entries(os.environ if environ is None else environ):
        venue = entry.section.removeprefix(f"{VENUES}.")
        if entry.key in SECRETS and venue in venues:
            venues[venue] = VenueTable.model_validate({**dict(venues[venue]), str(entry.key): entry.value})
    return settings.model_copy(update={"venues": venues})


def home_of(file: Path | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """The home folder, also where other settings are wrong: what must work then asks for nothing else.

    Raises ConfigError where the file can not be read at all and the environment names no home.
    """
    variables = list(_environment_entries(os.environ if environ is None else environ))
    found = file if file is not None else _home(variables) / FILE_NAME
    if any(entry.name == "paths.home" for entry in variables) or (file is None and not found.exists()):
        return _home(variables).absolute()
    named = [entry.value for entry in _file_entries(found) if entry.name == "paths.home"]
    return Path(str(named[-1])).expanduser().absolute() if named else default_home()


def _environment_entries(environ: Mapping[str, str]) -> Iterator[_Entry]:
    for variable in sorted(environ):  # WORKSTATION_HOME comes before WORKSTATION_PATHS__HOME, which wins
        section, separator, key = variable.removeprefix(PREFIX).lower().partition("__")
        if variable == HOME_VARIABLE:
            section, key = "paths", "home"
        elif not variable.startswith(PREFIX) or variable == TESTS_VARIABLE:
            continue
        if section == VENUES and "__" in key:
            venue, _, key = key.partition("__")
            section = f"{VENUES}.{venue}"
        if environ[variable]:
            name = key if separator or variable == HOME_VARIABLE else None
            yield _Entry(section=section, key=name, value=environ[variable], source=variable, is_text=True)


def _file_entries(file: Path) -> Iterator[_Entry]:
    content, lines = read_toml(file)

    def entry(section: str, key: str | None, value: object) -> _Entry:
        line = lines.get(section if key is None else f"{section}.{key}")
        source = str(file) if line is None else f"{file}:{line}"
        name = f"{section}.{key}"
        parts = {part.removeprefix(name): f"{file}:{at}" for part, at in lines.items() if part.startswith(f"{name}[")}
        return _Entry(section=section, key=key, value=value, source=source, is_text=False, lines=parts)

    venues = content.pop(VENUES, {})
    if not isinstance(venues, dict):
        yield entry(VENUES, None, venues)
    else:
        content |= {f"{VENUES}.{name}": table for name, table in venues.items()}
    for section, table in content.items():
        if not isinstance(table, dict) or (not table and section not in SECTIONS):
            yield entry(section, None, table)
            continue
        for key, value in table.items():
            yield entry(section, key, value)


def _home(variables: Iterable[_Entry]) -> Path:
    named = [str(entry.value) for entry in variables if entry.name == "paths.home"]
    return Path(named[-1]).expanduser() if named else default_home()


def _problem(entry: _Entry) -> str | None:
    """Why this entry cannot be taken, or None."""
    _, is_venue, venue = entry.section.partition(f"{VENUES}.")
    if is_venue and not VENUE_NAME.fullmatch(venue):
        return f"{entry.source}: venue {venue!r}: expected a name of a-z, 0-9 and _, at most 32, a letter first"
    model = VenueTable if is_venue else SECTIONS.get(entry.section)
    if is_venue and entry.value == {}:
        return f"{entry.source}: [{entry.section}] is empty: {EXCHANGE_WANTED}"
    if entry.key is None and (model or entry.section == VENUES) and not entry.is_text:
        table = f"{VENUES}.NAME" if entry.section == VENUES else entry.section
        return f"{entry.source}: {entry.section} = {_shown(entry.value)}: expected a table, [{table}]"
    if model is None or entry.key not in model.model_fields:
        return f"{entry.source}: unknown setting {entry.name}{_suggestion(entry)}"
    is_hidden = entry.key in SECRETS
    if is_hidden and not entry.is_text:
        return f"{entry.source}: {entry.name}: a secret does not stand in a file: set {entry.variable} instead"
    try:
        if entry.is_text:
            model.model_validate({entry.key: entry.value})
        else:  # JSON's strictness is TOML's: a number in quotes is text, but a path is written as text
            model.model_validate_json(json.dumps({entry.key: entry.value}, default=str), strict=True)
    except ValidationError as error:
        # a key that is missing beside this one is told once all entries are known
        own = [detail for detail in error.errors() if detail["loc"][0] == entry.key]
        if own and _is_of_tables(own[0]):
            return "\n".join(_problem_within(entry, detail) for detail in own)
        shown = "(hidden)" if is_hidden else _shown(entry.value)
        expected = " and ".join(_expected(detail["msg"]) for detail in own)
        return f"{entry.source}: {entry.name} = {shown}: expected {expected}" if own else None
    return None


def _is_of_tables(detail: ErrorDetails) -> bool:
    return detail["type"] == SENTENCE or (len(detail["loc"]) > 2 and isinstance(detail["loc"][1], int))


def _problem_within(entry: _Entry, detail: ErrorDetails) -> str:
    """Of one table in a list of tables, or of one key of it."""
    place = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in detail["loc"][1:])
    source = entry.lines.get(place) or entry.lines.get(place.partition(".")[0]) or entry.source
    name, given = f"{entry.name}{place}", detail["input"]
    match detail["type"]:
        case "sentence":
            return f"{source}: {name}: {detail['msg']}"
        case "missing":
            return f"{source}: {name} is missing: expected VENUE:SYMBOL, such as nova:BTC/USDT"
        case "extra_forbidden":
            return f"{source}: unknown setting {name}: expected {', '.join(PairTable.model_fields)}"
    return f"{source}: {name} = {_shown(given)}: expected {_expected(detail['msg'])}"


def _suggestion(entry: _Entry) -> str:
    venue_keys = [f"{entry.section}.{key}" for key in VenueTable.model_fields if entry.section.startswith(VENUES)]
    written, candidates = entry.name, [*KNOWN_KEYS, *venue_keys]
    if entry.is_text:
        variables = (PREFIX + key.upper().replace(".", "__") for key in candidates)
        written, candidates = entry.source, [HOME_VARIABLE, *variables]
    elif entry.key is None and isinstance(entry.value, dict):
        candidates = list(SECTIONS)
    nearest = difflib.get_close_matches(written, candidates, n=1)
    return f"; did you mean {nearest[0]}?" if nearest else "; `workstation config show` lists the known ones"


def _expected(message: str) -> str:
    # pydantic's sentences: "Input should be greater than 0", "Decimal input should be an integer, ..."
    return re.sub(r"^.*?[Ii]nput should be ", "", message)


def _shown(value: Any) -> str:
    return json.dumps(value, default=str)
