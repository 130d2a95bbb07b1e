"""What all tests share: the reference data, a home of their own, and reproducible random examples."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("WORKSTATION_SHARED") or ROOT.parent / "shared")

# the first example may wait for the compiler, so no deadline; a failure prints the line that reproduces it
settings.register_profile(
    "default",
    deadline=None,
    print_blob=True,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("default")


def pytest_report_header() -> str:
    """Which outside data this run can see."""
    return f"reference data: {'present' if SHARED.is_dir() else 'missing'}"


def require_shared() -> None:
    """Without the reference data: skips, or fails where REQUIRE_SHARED=1 promises that they are there."""
    if SHARED.is_dir():
        return
    message = f"no folder of reference data {SHARED}; WORKSTATION_SHARED names another one"
    if os.environ.get("REQUIRE_SHARED") == "1":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked `shared` runs only with the reference data."""
    if item.get_closest_marker("shared") is not None:
        require_shared()


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of reference data beside the checkout."""
    require_shared()
    return SHARED


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty WORKSTATION_HOME, and no other setting from the environment of whoever runs the tests."""
    for variable in os.environ:
        if variable.startswith("WORKSTATION_") and "__" in variable:
            monkeypatch.delenv(variable)
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path))
    return tmp_path
