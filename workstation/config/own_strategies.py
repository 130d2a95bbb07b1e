"""Strategies of one's own: the files of Python in the folder `paths.strategies`, each read, checked and run.

A file says at its top for which API it was written, `STRATEGY_API = 1`, and has classes below BarStrategy or
TickStrategy, each with a `name_in_cli` of its own. One that cannot be taken in keeps no other from it. A file is read
again when its bytes have changed; what was made from the old ones stays what it is. Files whose names begin with `_`
or `test_` are left alone.
"""

import ast
import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from workstation import __version__
from workstation.errors import BadInput
from workstation.strategies.base import STRATEGY_API, BarStrategy, Strategy, TickStrategy
from workstation.strategies.catalog import OWN, STRATEGIES, OwnStrategies, take_in

NAME_FORM = re.compile(r"[a-z][a-z0-9-]{0,39}")
VERSION = "STRATEGY_API"


def take_in_own_strategies(folder: Path) -> OwnStrategies:
    """Makes the strategies of the folder known by their names; what cannot be taken in stands in the faults."""
    found = load_own_strategies(folder)
    take_in(found)
    return found


def load_own_strategies(folder: Path) -> OwnStrategies:
    """The strategies of the folder, which need not exist. Runs the files that are new or have changed."""
    kinds: dict[str, type[Strategy]] = {}
    files: dict[str, str] = {}
    faults: list[str] = []
    for file in _files(folder):
        try:
            found = _strategies_of(file)
            for name in found:
                if name in kinds:
                    raise BadInput(f"{file}: {name!r} is the name of a strategy in {files[name]} too; take another")
        except BadInput as fault:
            faults.append(str(fault))
        else:
            kinds |= found
            files |= dict.fromkeys(found, str(file))
    return OwnStrategies(kinds=kinds, files=files, faults=faults)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.py") if not path.name.startswith(("_", "test_", ".")))


def _strategies_of(file: Path) -> dict[str, type[Strategy]]:
    """Raises BadInput that names the file, what is wrong, and what was expected."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror}") from error
    digest = hashlib.sha256(content).hexdigest()
    kept = {name: kind for name, kind in OWN.kinds.items() if OWN.files.get(name) == str(file)}
    if kept and all(kind.file_hash == digest for kind in kept.values()):
        return kept
    found: dict[str, type[Strategy]] = {}
    for kind in _checked(file, _run(file, content)):
        if kind.name_in_cli in found:
            raise BadInput(f"{file}: {kind.name_in_cli!r} is the name of two classes; expected another for each")
        kind.file_hash = digest
        found[kind.name_in_cli] = kind
    if not found:
        raise BadInput(f"{file}: has no strategy; expected a class below BarStrategy or TickStrategy")
    return found


def _run(file: Path, content: bytes) -> ModuleType:
    """The file as a module. The bytes that are run are those that were hashed, no cached code of others."""
    try:
        tree = ast.parse(content, str(file))
    except (SyntaxError, ValueError) as error:  # ValueError: a null byte
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise BadInput(f"{file}{line}: is not Python: {getattr(error, 'msg', error)}") from error
    _check_version(file, tree)
    module = ModuleType(f"own_strategies_{re.sub(r'[^0-9A-Za-z]', '_', file.stem)}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module  # where dataclasses and pickle look their classes up
    try:
        exec(compile(tree, str(file), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        raise BadInput(f"{file}:{last_line(error, file) or 1}: {type(error).__name__}: {error}") from error
    return module


def _check_version(file: Path, tree: ast.Module) -> None:
    """Before anything of it runs: against another API it would fail somewhere else, with another word."""
    told = [
        statement.value.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Constant)
        and any(isinstance(target, ast.Name) and target.id == VERSION for target in statement.targets)
    ]
    if not told:
        raise BadInput(f"{file}: {VERSION} is not given; expected the line {VERSION} = {STRATEGY_API} at its top")
    if told[-1] != STRATEGY_API:
        raise BadInput(
            f"{file}: {VERSION} = {told[-1]!r}: workstation {__version__} has {STRATEGY_API}; see the changelog for "
            "what has changed, mend the file, and write the new number"
        )


def last_line(error: BaseException, file: Path) -> int | None:
    """The last line of the file that the error passed; None where it passed none."""
    line: int | None = None
    place = error.__traceback__
    while place is not None:
        if place.tb_frame.f_code.co_filename == str(file):
            line = place.tb_lineno
        place = place.tb_next
    return line


def _checked(file: Path, module: ModuleType) -> Iterator[type[Strategy]]:
    """The strategies that the file itself declares; a class whose name begins with `_` is for others to stand on."""
    for word, kind in vars(module).items():
        if not isinstance(kind, type) or not issubclass(kind, BarStrategy | TickStrategy):
            continue
        if kind.__module__ != module.__name__ or word.startswith("_") or word != kind.__name__:
            continue
        name = getattr(kind, "name_in_cli", None)
        if not isinstance(name, str) or not NAME_FORM.fullmatch(name):
            form = 'expected a word such as "my-breakout": a-z, 0-9 and -, at most 40, a letter first'
            raise BadInput(f"{file}: class {word}: name_in_cli {name!r}: {form}")
        if name in STRATEGIES:
            raise BadInput(f"{file}: class {word}: name_in_cli {name!r} is that of a shipped strategy; take another")
        yield kind
