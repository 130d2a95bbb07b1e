"""Help and completion answer at once: the compiler and pandas are loaded by the work, not by its options."""

import pytest

from tests.cli.histories import run
from tests.cli.test_config_show import HEAVY, loaded_modules


@pytest.mark.parametrize("command", ["backtest", "demo", "doctor", "engine", "replay", "session", "spreads", "verify"])
def test_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    imports = "import contextlib\nfrom workstation.cli.main import main\n"
    modules = loaded_modules(imports + f"with contextlib.suppress(SystemExit): main(['{command}', '--help'])")
    assert f"workstation.cli.{command}" in modules
    assert modules.isdisjoint(HEAVY)


def test_completion_knows_the_strategies() -> None:
    from workstation.cli.strategy_options import known_strategies

    assert known_strategies() == ["ma-cross", "spread-reversion"]


def test_a_back_test_offers_strategies_on_bars_only(capsys: pytest.CaptureFixture[str]) -> None:
    from workstation.cli.strategy_options import known_bar_strategies

    assert known_bar_strategies() == ["ma-cross"]
    run("backtest", "--help")
    assert "spread-reversion" not in capsys.readouterr().out


def test_help_promises_no_live_trading(capsys: pytest.CaptureFixture[str]) -> None:
    run("--help")
    assert "live" not in capsys.readouterr().out
