"""The reference of the command line, from the commands themselves."""

from collections.abc import Iterator
from typing import Any

from docs.site.markdown import code, plain, table
from workstation.cli.main import COMMANDS, load_command


def text() -> str:
    """A section for each command, with the sections of its own commands."""
    return "\n\n".join(block for name in COMMANDS for block in _blocks(load_command(name), f"workstation {name}", 2))


def _blocks(command: Any, name: str, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{name}`"
    if command.help:
        yield from (plain(paragraph) for paragraph in command.help.split("\n\n"))
    children = getattr(command, "commands", {})
    if not children:
        yield f"```text\n{_usage(command, name)}\n```"
    yield from _parameters(command, name)
    for child in children.values():
        if not child.hidden:
            yield from _blocks(child, f"{name} {child.name}", level + 1)


def _usage(command: Any, name: str) -> str:
    context = command.context_class(command, info_name=name)
    return str(command.get_usage(context)).removeprefix("Usage: ")


def _parameters(command: Any, name: str) -> Iterator[str]:
    context = command.context_class(command, info_name=name)
    records = [parameter.get_help_record(context) for parameter in command.params if not parameter.hidden]
    rows = [(code(record[0]), plain(record[1])) for record in records if record is not None]
    if rows:
        yield table(("argument or option", "meaning"), rows)
