"""The engine as a command reaches it, and what it says where there is none."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workstation.client.access import read_token
from workstation.client.client import Client, connect
from workstation.config.loading import load_configuration
from workstation.errors import EngineUnreachable, SessionNotFound

BY = "command line"


@contextmanager
def engine_of(config: Path | None) -> Iterator[Client]:
    """A client of the engine of the settings. Raises EngineUnreachable with the command that starts one."""
    settings = load_configuration(config).settings
    try:
        client = connect(api_url(settings.api.host, settings.api.port), read_token(settings.paths.home), by=BY)
    except EngineUnreachable as error:
        raise EngineUnreachable(f"{error}; `{start_command(config)}` starts one") from error
    with client:
        yield client


@contextmanager
def named(client: Client, session: str) -> Iterator[None]:
    """Asking for that session; a name that the engine does not know is answered with the nearest that it does."""
    try:
        yield
    except SessionNotFound:
        raise not_found(session, [one.session for one in client.sessions()]) from None


def not_found(session: str, known: Iterable[str]) -> SessionNotFound:
    names = list(known)
    nearest = difflib.get_close_matches(session, names, n=1)
    if nearest:
        return SessionNotFound(f"session {session}: there is none of that name; did you mean {nearest[0]}?")
    listed = f"there are {', '.join(names)}" if names else "there are none; `workstation session start` starts one"
    return SessionNotFound(f"session {session}: there is none of that name; {listed}")


def api_url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def start_command(config: Path | None) -> str:
    return "workstation engine" if config is None else f"workstation engine --config {config}"
