"""`workstation user`: who may use the dashboard. A password is asked for or read, and never an argument."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workstation.cli.tables import aligned
from workstation.config.loading import load_configuration
from workstation.errors import BadInput

if TYPE_CHECKING:
    from workstation.dashboard.users import UserStore

app = typer.Typer(help="Who may use the dashboard, and what they may do.", no_args_is_help=True, add_completion=False)


class AsRole(StrEnum):
    """As `Role` in dashboard/users.py, which help does without."""

    VIEWER = "viewer"
    TRADER = "trader"
    ADMIN = "admin"


Name = Annotated[str, typer.Argument(help="Such as ada; upper and lower case are the same.", show_default=False)]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin, for scripts.")
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="The TOML file; otherwise workstation.toml in WORKSTATION_HOME.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def add(
    name: Name,
    role: Annotated[AsRole, typer.Option(help="viewer looks; trader trades and kills; admin changes settings too.")],
    password_stdin: FromStdin = False,
    config: ConfigFile = None,
) -> None:
    """Add a user; asks for the password twice."""
    from workstation.dashboard.users import Role, check_name

    store = _store(config)
    check_name(name)
    user = store.add(name, Role(role), _password(name, from_stdin=password_stdin))
    typer.echo(f"added {user.name}, {user.role}")


@app.command("list")
def list_users(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Print names and roles."""
    store = _store(config)
    users = store.users()
    if as_json:
        typer.echo(json.dumps([{"name": user.name, "role": str(user.role)} for user in users], indent=2))
    elif users:
        typer.echo(aligned(("NAME", "ROLE"), [(user.name, str(user.role)) for user in users]))
    else:
        typer.echo("No users yet. Add one with `workstation user add NAME --role admin`.")


@app.command()
def password(name: Name, password_stdin: FromStdin = False, config: ConfigFile = None) -> None:
    """Give a user a new password, and log them out everywhere."""
    store = _store(config)
    store.found(name)
    user = store.set_password(name, _password(name, from_stdin=password_stdin))
    typer.echo(f"{user.name} has a new password and is logged out everywhere")


@app.command()
def role(
    name: Name,
    role: Annotated[AsRole, typer.Argument(help="The new one.", show_default=False)],
    config: ConfigFile = None,
) -> None:
    """Give a user another role, and log them out everywhere."""
    from workstation.dashboard.users import Role

    user = _store(config).set_role(name, Role(role))
    typer.echo(f"{user.name} is {user.role} now")


@app.command()
def remove(name: Name, config: ConfigFile = None) -> None:
    """Remove a user, and log them out everywhere."""
    user = _store(config).remove(name)
    typer.echo(f"removed {user.name}")


def _store(config: Path | None) -> "UserStore":
    from workstation.dashboard.users import UserStore  # with the hashing: help does without

    return UserStore(load_configuration(config).settings.paths.home)


def _password(name: str, *, from_stdin: bool) -> str:
    from workstation.dashboard.passwords import check_password

    if from_stdin:
        line = sys.stdin.buffer.readline().decode("utf-8", "surrogateescape")
        given = line.removesuffix("\n").removesuffix("\r")
    elif sys.stdin.isatty():
        given = str(typer.prompt("Password", hide_input=True))
        check_password(given, name)  # before it is typed again
        given = given if given == typer.prompt("The same again", hide_input=True) else ""
        if not given:
            raise BadInput("the two passwords differ: nothing was changed; run the command again")
    else:
        raise BadInput("password: no terminal to ask at; give it on stdin with --password-stdin")
    return given
