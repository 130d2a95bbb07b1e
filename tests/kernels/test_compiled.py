import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from workstation.kernels import compiled, rolling, trend, volatility

REPORT_FOLDER = "from workstation.kernels import compiled; import numba; print(numba.config.CACHE_DIR)"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of three sources that count, and one that does not."""
    for name in ("kernels/trend.py", "windows/deep/tables.py", "model/units.py", "model/order.py"):
        source = tmp_path / name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(f"name = {name!r}\n")
    return tmp_path


def run_python(code: str, **environment: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    inherited |= {"PYTHONPATH": str(compiled.PACKAGE.parent), **environment}
    place = inherited["PYTHONPATH"]  # python -c looks for packages in its working folder first
    finished = subprocess.run([sys.executable, "-c", code], env=inherited, cwd=place, stdout=subprocess.PIPE, text=True)
    assert finished.returncode == 0
    return finished.stdout.strip()


@pytest.mark.parametrize("name", ["kernels/trend.py", "windows/deep/tables.py", "model/units.py"])
def test_an_edited_source_moves_the_cache(package: Path, name: str) -> None:
    before = compiled.cache_folder(package)
    (package / name).write_text("name = 'edited'\n")
    assert compiled.cache_folder(package) != before


def test_a_renamed_source_moves_the_cache(package: Path) -> None:
    before = compiled.kernel_hash(package)
    (package / "kernels/trend.py").rename(package / "kernels/averages.py")
    assert compiled.kernel_hash(package) != before


def test_other_sources_leave_the_cache_where_it_is(package: Path) -> None:
    before = compiled.kernel_hash(package)
    (package / "model/order.py").write_text("name = 'edited'\n")
    assert compiled.kernel_hash(package) == before


def test_a_package_without_units_has_a_hash(package: Path) -> None:
    before = compiled.kernel_hash(package)
    (package / "model/units.py").unlink()
    assert compiled.kernel_hash(package) != before


def test_numbas_version_and_the_processor_move_the_cache(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = {compiled.kernel_hash(package)}
    monkeypatch.setattr(numba, "__version__", "0.0.1")
    hashes.add(compiled.kernel_hash(package))
    monkeypatch.setattr(compiled, "processor_name", lambda: "another")
    hashes.add(compiled.kernel_hash(package))
    assert len(hashes) == 3


def test_the_hash_is_a_sha256_of_this_package() -> None:
    assert len(compiled.kernel_hash()) == 2 * hashlib.sha256().digest_size
    assert compiled.kernel_hash() == compiled.kernel_hash(compiled.PACKAGE)


def test_numba_keeps_machine_code_in_the_folder_of_the_hash() -> None:
    assert run_python(REPORT_FOLDER) == str(compiled.cache_folder())


def test_the_environment_overrides_the_folder(tmp_path: Path) -> None:
    assert run_python(REPORT_FOLDER, NUMBA_CACHE_DIR=str(tmp_path)) == str(tmp_path)


def test_the_folder_is_chosen_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled.numba_config, "CACHE_DIR", "unset")
    monkeypatch.setenv("NUMBA_CACHE_DIR", "chosen by the operator")
    compiled.use_own_cache_folder()
    assert compiled.numba_config.CACHE_DIR == "unset"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    compiled.use_own_cache_folder()
    assert str(compiled.cache_folder()) == compiled.numba_config.CACHE_DIR


@pytest.mark.slow
def test_an_edited_callee_reaches_its_cached_callers(tmp_path: Path) -> None:
    copy = tmp_path / "workstation"
    for name in ("__init__.py", "errors.py", "kernels/__init__.py", "kernels/compiled.py"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        if (compiled.PACKAGE / name).is_file():
            shutil.copy(compiled.PACKAGE / name, copy / name)
    head = "from workstation.kernels.compiled import compiled\n"
    callee, caller = copy / "kernels/callee.py", copy / "kernels/caller.py"
    callee.write_text(head + "@compiled\ndef one() -> int:\n    return 1\n")
    caller.write_text(head + "from workstation.kernels.callee import one\n@compiled\ndef two():\n    return one()\n")
    code = "from workstation.kernels.caller import two; print(two())"
    places = {"PYTHONPATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    assert run_python(code, **places) == "1"
    callee.write_text(callee.read_text().replace("return 1", "return 7"))
    assert run_python(code, **places) == "7"


def outputs_hash() -> str:
    """A fingerprint of what the kernels give for a fixed random walk with a gap."""
    close = 100.0 + np.cumsum(np.random.default_rng(11).normal(size=300))
    close[150] = np.nan
    high, low = close + 1.0, close - 0.5
    outputs = [trend.sma(close, 9), trend.ema(close, 9), trend.wma(close, 9), volatility.atr(high, low, close, 9)]
    outputs += [rolling.rolling_std(close, 9), rolling.zscore(close, 9)]
    return hashlib.sha256(np.nan_to_num(np.concatenate(outputs), nan=-1.0).tobytes()).hexdigest()


@pytest.mark.slow
def test_kernels_give_the_same_bits_with_the_compiler_off() -> None:
    code = "from tests.kernels.test_compiled import outputs_hash; print(outputs_hash())"
    off = run_python(code, NUMBA_DISABLE_JIT="1")
    on = run_python(code)
    assert on == off


@pytest.mark.compiled_only
def test_a_kernel_that_makes_an_array_is_refused() -> None:
    """Hot loops would count references to what they are given, at each call."""

    @compiled.compiled
    def doubled(values: np.ndarray) -> float:
        return float(np.empty(values.size).size + values.size)

    with pytest.raises(numba.core.errors.NumbaError, match="passed into the function as argument"):
        doubled(np.zeros(3))
