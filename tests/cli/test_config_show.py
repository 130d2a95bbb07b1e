"""The command line shows settings with their source, and says in one sentence what is wrong."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from workstation import PUBLIC, __version__
from workstation.cli.main import COMMANDS, load_command, main
from workstation.config.loading import KNOWN_KEYS

HEAVY = ("ccxt", "duckdb", "numba", "numpy", "pandas", "panel", "pyarrow")


def run(*arguments: str) -> int | str | None:
    """The exit code of one command."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def loaded_modules(code: str) -> set[str]:
    """Names of all modules that a fresh interpreter has loaded after `code`."""
    code += "\nimport sys\nprint()\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_show_prints_key_value_and_source(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "workstation.toml").write_text("[market]\nassumed_delay_ms = 250\n")
    assert run("config", "show") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["KEY", "VALUE", "SOURCE"]
    assert ["market.assumed_delay_ms", "250", f"{home / 'workstation.toml'}:2"] in lines
    assert ["paths.home", str(home), "WORKSTATION_HOME"] in lines
    assert ["risk.max_quote_age_ms", "5000", "default"] in lines


def test_show_json_holds_the_same(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("config", "show", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"key": "paths.home", "value": str(home), "source": "WORKSTATION_HOME"} in rows
    assert {"key": "risk.max_position_notional", "value": "1000", "source": "default"} in rows


def test_named_file_is_read_instead_of_the_homes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "workstation.toml").write_text("[market]\nassumed_delay_ms = 250\n")
    (home / "other.toml").write_text("[market]\nassumed_delay_ms = 300\n")
    assert run("config", "show", "--config", str(home / "other.toml")) == 0
    assert f"{home / 'other.toml'}:2" in capsys.readouterr().out


def test_check_counts_what_is_not_default(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "workstation.toml").write_text("[market]\nassumed_delay_ms = 250\n")
    assert run("config", "check") == 0
    assert f"settings are in order, 2 of {len(KNOWN_KEYS)} not the default" in capsys.readouterr().out


def test_check_says_that_there_is_no_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("config", "check") == 0
    assert capsys.readouterr().out.startswith(f"no file {home / 'workstation.toml'}")


def test_check_names_the_nearest_of_an_exchange_that_there_is_not(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "workstation.toml").write_text('[venues.nova]\nexchange = "binanse"\n')
    assert run("config", "check") == 1
    assert "exchange 'binanse': no such id in ccxt; did you mean binance" in capsys.readouterr().err


def test_fault_is_one_sentence_on_stderr_and_exit_code_1(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "workstation.toml").write_text("[market]\nassumed_delay_ms = 'fast'\n")
    assert run("config", "check") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    place = f"{home / 'workstation.toml'}:2"
    assert printed.err == f'workstation: {place}: market.assumed_delay_ms = "fast": expected a valid integer\n'


@pytest.mark.parametrize("arguments", [["confg"], ["config", "sho"], ["--no-such-option"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert run(*arguments) == 2


def test_misspelt_command_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    run("confg")
    assert "Did you mean 'config'?" in capsys.readouterr().err


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"workstation {__version__}\n"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in shown] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_registered_command_loads_and_has_help(name: str) -> None:
    assert load_command(name).name == name
    assert run(name, "--help") == 0


def test_help_loads_no_command_and_nothing_heavy() -> None:
    imports = "import contextlib\nfrom workstation.cli.main import main\n"
    modules = loaded_modules(imports + "with contextlib.suppress(SystemExit): main(['--help'])")
    assert "workstation.cli.main" in modules
    assert modules.isdisjoint({*HEAVY, *(registered.module for registered in COMMANDS.values())})


def test_import_of_the_package_loads_nothing_heavy() -> None:
    assert loaded_modules("import workstation").isdisjoint({*HEAVY, "pydantic", "typer"})


def test_python_dash_m_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workstation", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"workstation {__version__}\n"


def test_every_public_name_can_be_called() -> None:
    package = import_module("workstation")
    assert [name for name in PUBLIC if not callable(getattr(package, name))] == []
    assert set(PUBLIC) <= set(dir(package))


def test_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'histroy'"):
        _ = import_module("workstation").histroy
