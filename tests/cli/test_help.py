"""Help and completion answer at once: the compiler and pandas are loaded by the work, not by its options."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.histories import run
from tests.cli.test_config_show import HEAVY, loaded_modules
from workstation.cli.main import COMMANDS, load_command


@pytest.mark.parametrize(
    "command",
    [
        "backtest",
        "demo",
        "doctor",
        "engine",
        "groups",
        "kill",
        "orders",
        "positions",
        "replay",
        "session",
        "spreads",
        "verify",
    ],
)
def test_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    imports = "import contextlib\nfrom workstation.cli.main import main\n"
    modules = loaded_modules(imports + f"with contextlib.suppress(SystemExit): main(['{command}', '--help'])")
    assert f"workstation.cli.{command}" in modules
    assert modules.isdisjoint(HEAVY)


def test_completion_knows_the_strategies() -> None:
    from workstation.cli.strategy_options import known_strategies

    assert known_strategies() == ["by-hand", "ma-cross", "spread-reversion"]


def test_a_back_test_offers_strategies_on_bars_only(capsys: pytest.CaptureFixture[str]) -> None:
    from workstation.cli.strategy_options import known_bar_strategies

    assert known_bar_strategies() == ["ma-cross"]
    run("backtest", "--help")
    assert "spread-reversion" not in capsys.readouterr().out


def helps(command: Any, name: str) -> Iterator[tuple[str, str]]:
    """Of the command and all below it: who says it, and each help text as it was written."""
    yield name, command.help or ""
    yield from ((f"{name} {option.name}", getattr(option, "help", None) or "") for option in command.params)
    for below, inner in getattr(command, "commands", {}).items():
        yield from helps(inner, f"{name} {below}")


@pytest.mark.parametrize("name", COMMANDS)
def test_no_help_has_square_brackets_which_would_be_taken_for_a_style_and_left_out(name: str) -> None:
    assert [who for who, text in helps(load_command(name), name) if re.search(r"\[[A-Za-z]", text)] == []


@pytest.mark.parametrize(("command", "light"), [("list", True), ("start", False)])
def test_only_a_start_waits_for_strategies_and_ledger_to_load(home: Path, command: str, light: bool) -> None:
    imports = "import contextlib\nfrom workstation.cli.main import main\n"
    code = imports + f"with contextlib.suppress(SystemExit): main(['session', '{command}'])"
    assert loaded_modules(code).isdisjoint({"numba", "sqlalchemy", "duckdb", "pandas"}) is light


def test_help_promises_no_live_trading(capsys: pytest.CaptureFixture[str]) -> None:
    run("--help")
    assert "live" not in capsys.readouterr().out
