"""What `workstation kill` does: the flag by its own hand first, and then the engine, if one answers."""

import json
import time
from pathlib import Path

import msgspec
import typer

from workstation.cli.connection import BY, engine_of, named
from workstation.client.client import Client
from workstation.client.declaration import SESSION_NAME
from workstation.client.kill import RESET, KillOrder, KillReset
from workstation.config.loading import home_of
from workstation.engine.kill_flag import Kill, KillFlag
from workstation.errors import BadInput, ConfigError, KillFlagFailed, SessionNotFound, WorkstationError
from workstation.model.ids import SessionId

LOOK_S = 0.1
PATIENCE_S = 10.0
"""How long entries that are being cancelled are watched."""
MOST_REASON = 200


def kill(session: str | None, config: Path | None, *, flatten: bool, reason: str, as_json: bool) -> None:
    """Raises KillFlagFailed where the disk refused the flag, after the engine was asked all the same."""
    if len(reason) > MOST_REASON:
        raise BadInput(f"reason of {len(reason)} characters: expected at most {MOST_REASON}")
    scope, flag = _scope(session), _flag_of(config)
    was_on, failure = _is_on(flag, scope), None
    try:
        flag.switch_on(Kill(session=scope, by=BY, since_ns=time.time_ns(), reason=reason, flatten=flatten))
    except KillFlagFailed as error:
        failure = error
    try:
        with engine_of(config) as engine:
            told = _asked(engine, KillOrder(session=session, flatten=flatten, reason=reason))
    except SessionNotFound:
        if not was_on and failure is None:  # a slip of the pen is no session that a flag could hold
            flag.lift(scope)
        raise
    except WorkstationError as error:
        told = f"no engine was asked to cancel what waits ({error})"
    if failure is not None:
        raise failure
    _print(flag, f"kill switch: on for {_words(session)}; {told}", as_json=as_json)


def lift(session: str | None, confirm: str | None, config: Path | None, *, as_json: bool) -> None:
    """Raises BadInput where the word was not typed."""
    scope, flag = _scope(session), _flag_of(config)
    word = confirm if confirm is not None else typer.prompt(f'Type "{RESET}" to let {_words(session)} open positions')
    if word.strip() != RESET:
        raise BadInput(f"{word!r}: expected the word {RESET}; the kill switch stays as it is")
    was_on = _is_on(flag, scope)
    try:
        with engine_of(config) as engine:
            engine.lift_kill(KillReset(confirm="reset", session=session), BY)
    except KillFlagFailed:
        raise
    except WorkstationError:  # no engine needs to answer for this: it looks at the flag by itself
        was_on = flag.lift(scope) or was_on
    what = "lifted" if was_on else "was not on"
    _print(flag, f"kill switch: {what} for {_words(session)}{_left(flag)}", as_json=as_json)


def show(config: Path | None, *, as_json: bool) -> None:
    flag = _flag_of(config)
    _print(flag, f"kill switch: {_left(flag)[2:] or 'off'}", as_json=as_json)


def _asked(engine: Client, order: KillOrder) -> str:
    """Asks the engine to cancel, and looks until no entry waits; what came of it."""
    if order.session is None:
        view = engine.kill(order)
    else:
        with named(engine, order.session):
            view = engine.kill(order)
    end_s = time.monotonic() + PATIENCE_S
    while True:
        scope = next((one for one in view.scopes if one.session == order.session), None)
        waiting, held = (0, 0) if scope is None else (scope.waiting_entries, scope.open_groups)
        if not waiting or time.monotonic() > end_s:
            break
        time.sleep(LOOK_S)
        view = engine.kill_state()
    closing = "being closed" if order.flatten else "left to its stops and targets"
    entries = "no entry waits" if not waiting else f"{waiting} entries still wait, they are being cancelled"
    return f"{entries}, {held} open {closing}" if held else entries


def _flag_of(config: Path | None) -> KillFlag:
    try:
        return KillFlag(home_of(config))
    except ConfigError as error:
        raise ConfigError(f"{error}; WORKSTATION_HOME=… names the home without the settings") from error


def _is_on(flag: KillFlag, scope: SessionId | None) -> bool:
    return any(one.session == scope for one in flag.kills())


def _scope(session: str | None) -> SessionId | None:
    if session is not None and not SESSION_NAME.fullmatch(session):
        raise BadInput(f"session {session!r}: expected a name of letters, digits, '.', '_' and '-', at most 60")
    return None if session is None else SessionId(session)


def _words(session: str | None) -> str:
    return "every session" if session is None else f"session {session}"


def _left(flag: KillFlag) -> str:
    kills = [f"{_words(one.session)}, by {one.by}{f': {one.reason}' if one.reason else ''}" for one in flag.kills()]
    return f"; on for {'; '.join(kills)}" if kills else ""


def _print(flag: KillFlag, sentence: str, *, as_json: bool) -> None:
    if as_json:
        kills = [msgspec.to_builtins(one) for one in flag.kills()]
        sentence = json.dumps({"is_on": bool(kills), "scopes": kills}, indent=2)
    typer.echo(sentence)
