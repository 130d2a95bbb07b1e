"""One TOML file: its tables, and the line of each key, for errors that say where to look."""

import re
import tomllib
from pathlib import Path
from typing import Any

from workstation.errors import ConfigError

LISTED = re.compile(r"\s*\[\[\s*([^\[\]]+?)\s*\]\]")
HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
ASSIGNMENT = re.compile(r"\s*([\w.\-\"' ]+?)\s*=")
POSITION = re.compile(r" \(at line (\d+), column (\d+)\)$")


def read_toml(file: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The file's content, and the line (from 1) on which each dotted key stands; of a list of tables `name`, the first
    is `name[1]`."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from error
    try:
        return tomllib.loads(text), _lines(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_broken(file, text, str(error))) from error


def _lines(text: str) -> dict[str, int]:
    # tomllib keeps no positions; a key inside an inline table is not found, and its error then names the file alone
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if listed := LISTED.match(line):
            place = 1 + sum(name.startswith(f"{listed[1]}[") and name.endswith("]") for name in lines)
            table = f"{listed[1]}[{place}]."
            lines.setdefault(listed[1], number)
            lines[table[:-1]] = number
        elif header := HEADER.match(line):
            table = header[1] + "."
            lines.setdefault(header[1], number)
        elif assignment := ASSIGNMENT.match(line):
            lines.setdefault(table + re.sub(r"[\"' ]", "", assignment[1]), number)
    return lines


def _broken(file: Path, text: str, message: str) -> str:
    position = POSITION.search(message)
    if position is None:  # "(at end of document)"
        return f"{file}:{len(text.splitlines())}: not valid TOML: {message}"
    return f"{file}:{position[1]}: not valid TOML: {message[: position.start()]}, column {position[2]}"
