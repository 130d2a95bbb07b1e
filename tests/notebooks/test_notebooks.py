"""The notebooks of the checkout: clean in git, and they run top to bottom from anywhere, with other parameters too."""

import ast
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TEMPLATES = sorted((ROOT / "workstation").rglob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
OTHER: Mapping[str, Mapping[str, Any]] = {
    "01_first_look": {"symbol": "ETH/USDT:USDT", "fast": 10, "slow": 30, "start": "2023-11-01"},
    "02_spreads": {"venue_b": "vega", "symbol": "BTC/USDT:USDT", "entry_z": 2.5},
    "03_data_quality": {"gap_minutes": 12.0, "behind_ms": 900.0},
}


def cells_of(path: Path, kind: str = "code") -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


@pytest.mark.parametrize("path", [*NOTEBOOKS, *TEMPLATES], ids=[path.stem for path in [*NOTEBOOKS, *TEMPLATES]])
def test_a_notebook_is_kept_without_what_it_showed(path: Path) -> None:
    """What a run showed is another with each run, megabytes of it; `make notebooks` does not write into it."""
    for cell in cells_of(path):
        assert not cell.outputs and cell.execution_count is None
        assert set(cell.metadata) <= {"tags"}
    assert set(nbformat.read(path, as_version=4).metadata) == {"kernelspec", "language_info"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_begins_with_words_and_its_parameters(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].cell_type == "markdown" and cells[0].source.startswith("# ")
    assert cells[1].metadata.get("tags") == ["parameters"]
    assert [one for one in cells if "parameters" in one.metadata.get("tags", ())] == [cells[1]]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_copies_no_function_of_the_package(path: Path) -> None:
    """It imports, calls, shows and explains; the one class of its own is the reader's first strategy."""
    for cell in cells_of(path):
        functions = [node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)]
        assert not functions, f"{functions[0].name}: move it into the package"


@pytest.mark.slow
@pytest.mark.parametrize("folder", [ROOT, ROOT / "notebooks"], ids=["root", "notebooks"])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_runs_from_anywhere_with_other_parameters(
    path: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    parameters = OTHER[path.stem] if folder is ROOT else {}
    done = papermill.execute_notebook(
        path, None, parameters=dict(parameters), kernel_name="python3", cwd=str(folder), progress_bar=False
    )
    assert all(cell.execution_count for cell in done.cells if cell.cell_type == "code")
    assert not list((tmp_path / "home").rglob("*.ipynb")) and not (tmp_path / "home" / "ledger.db").exists()
