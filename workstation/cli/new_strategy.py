"""`workstation new-strategy`: a strategy of one's own begins as a file that trades, with a test beside it."""

import keyword
import re
import shlex
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from workstation.cli import strategy_options as options
from workstation.config.loading import load_configuration
from workstation.errors import BadInput, OperatorError
from workstation.history.durable import write_all_durably

TEMPLATES = Path(__file__).parent / "templates"
PLACE = ("--venue", "nova", "--symbol", "BTC/USDT:USDT", "--interval", "1h")
"""Of the sample."""

app = typer.Typer(help="Write a strategy of one's own, ready to be changed.", add_completion=False)


@app.command("new-strategy")
def new_strategy_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as my-breakout.", show_default=False)],
    config: options.ConfigFile = None,
) -> None:
    """Write NAME as a file in the folder of one's own strategies, with its test. What is there is not touched."""
    from workstation.research.sample import has_instruments, sample_folder

    paths = load_configuration(config).settings.paths
    sample = sample_folder(paths.home)
    history = () if has_instruments(paths.history) else ("--history", _from_here(sample))
    strategy, test = write_strategy(paths.strategies, name, shlex.join(history))
    typer.echo(str(strategy))
    options.note(f"its test: python -m pytest {shlex.quote(str(test))}")
    if history and not has_instruments(sample):
        options.note(f"sample:   {options.command_line_of('demo', '--replay')}")
    options.note(f"try it:   {options.command_line_of('backtest', name, *PLACE, *history)}")


def _from_here(folder: Path) -> str:
    """As short as it can be written where the command was called."""
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)


def write_strategy(folder: Path, name: str, history: str = "") -> tuple[Path, Path]:
    """The new files: the strategy and its test; `history` are the words by which its first commands find bars.

    Raises BadInput for the name, OperatorError for the disk.
    """
    # with the compiler: seconds that help need not wait
    from workstation.config.own_strategies import NAME_FORM, load_own_strategies
    from workstation.strategies.catalog import STRATEGIES

    if not NAME_FORM.fullmatch(name):
        raise BadInput(f"name {name!r}: expected a-z, 0-9 and -, at most 40, a letter first, such as my-breakout")
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or module.startswith("test_"):
        raise BadInput(f"name {name!r}: a file of that name is no strategy's; take another")
    if name in STRATEGIES:
        raise BadInput(f"name {name!r}: is that of a shipped strategy; take another")
    found = load_own_strategies(folder)
    if name in found.files:
        raise BadInput(f"name {name!r}: is that of the strategy in {found.files[name]}; take another")
    files = {"strategy": folder / f"{module}.py", "test_strategy": folder / f"test_{module}.py"}
    for file in files.values():
        if file.exists():
            raise BadInput(f"{file}: is there already; take another name, or remove it first")
    title = "".join(word.capitalize() for word in re.split("-+", name))
    place = f"{shlex.join(PLACE)} {history}".rstrip()
    words = {"name": name, "title": title, "place": place, "test_file": str(files["test_strategy"])}
    contents = {file: Template(_template(kind)).substitute(words).encode() for kind, file in files.items()}
    try:
        write_all_durably(contents)
    except OSError as error:
        raise OperatorError(f"folder {folder}: cannot be written: {error.strerror}") from error
    return files["strategy"], files["test_strategy"]


def _template(kind: str) -> str:
    return (TEMPLATES / f"{kind}.py.txt").read_text("utf-8")
