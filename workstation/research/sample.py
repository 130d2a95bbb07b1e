"""The sample data: in a checkout they lie in `data/sample`; elsewhere they are generated, once, the same."""

import shutil
from collections.abc import Callable
from pathlib import Path

import workstation
from workstation.config.loading import load_configuration
from workstation.errors import OperatorError
from workstation.history.store import HistoryStore
from workstation.simulator.sample import write_sample

CHECKOUT_SAMPLE = Path(workstation.__file__).parent.parent / "data" / "sample"


def has_instruments(folder: Path) -> bool:
    """Whether a history lies there."""
    return (folder / "instruments").is_dir()


def sample_folder(home: Path) -> Path:
    """Where the sample is, or will be once it is generated."""
    return CHECKOUT_SAMPLE if has_instruments(CHECKOUT_SAMPLE) else home / "demo" / "history"


def sample_history(
    folder: Path,
    checkout: Path = CHECKOUT_SAMPLE,
    generate: Callable[[Path], object] = write_sample,
    tell: Callable[[str], object] = print,
) -> HistoryStore:
    """The checkout's sample data; without a checkout the same, generated once into `folder`. `tell` says so before."""
    if has_instruments(checkout):
        return HistoryStore(checkout)
    if not folder.is_dir():
        tell(f"generating the sample data into {folder}, once, in about 15 s")
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        if unfinished.exists():
            shutil.rmtree(unfinished)
        generate(unfinished)
        unfinished.rename(folder)
    return HistoryStore(folder)


def open_sample() -> HistoryStore:
    """A history to try things on, wherever the notebook runs: two symbols of a seeded market, nobody's prices."""
    folder = load_configuration().settings.paths.home / "demo" / "history"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return sample_history(folder)
    except OSError as error:
        raise OperatorError(
            f"folder {folder}: cannot be made: {error.strerror}; WORKSTATION_HOME names another"
        ) from error
