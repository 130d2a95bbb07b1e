"""One live log while it is written: created with all that a reader must know before its first row, then appended to."""

import os
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from workstation import __version__
from workstation.history.durable import make_folder, sync_folder
from workstation.history.live_log import (
    FORMAT_VERSION,
    MAGIC,
    Declared,
    FrameEncoder,
    FrameKind,
    Header,
    Note,
    Pieces,
    log_name,
)
from workstation.history.opportunities import KeptOpportunity
from workstation.model.instrument import Instrument
from workstation.model.market import MARKET_ROW, Rows


class LogFile:
    """A new file in `folder`, named by `number`; on the disk when this returns.

    Every method raises OSError where the disk refuses; the frame that did not fit is then cut off by `abandon`.
    """

    def __init__(self, folder: Path, number: int, instruments: Mapping[int, Instrument], notes: Sequence[Note]) -> None:
        make_folder(folder)
        self.path = folder / log_name(number)
        self.rows = 0
        self.bytes = 0
        """Of whole frames."""
        self.last_sequence: int | None = None
        self._encoder = FrameEncoder()
        header = Header(
            version=FORMAT_VERSION,
            log_id=uuid.uuid4().hex,
            row_bytes=MARKET_ROW.itemsize,
            created_ns=time.time_ns(),
            written_by=f"workstation {__version__}",
        )
        first: Pieces = [MAGIC, *self._encoder.json(FrameKind.HEADER, header)]
        for number, instrument in instruments.items():
            first += self._encoder.json(FrameKind.INSTRUMENT, Declared(number=number, instrument=instrument))
        for note in notes:
            first += self._encoder.json(FrameKind.NOTE, note)
        self._file = self.path.open("xb", buffering=0)
        try:
            self._write(first)
            self.sync()
            sync_folder(folder)
        except OSError:
            self._file.close()
            self.path.unlink(missing_ok=True)
            raise

    def declare(self, declared: Declared) -> None:
        self._write(self._encoder.json(FrameKind.INSTRUMENT, declared))

    def note(self, note: Note) -> None:
        self._write(self._encoder.json(FrameKind.NOTE, note))

    def keep(self, opportunity: KeptOpportunity) -> None:
        self._write(self._encoder.json(FrameKind.OPPORTUNITY, opportunity))

    def append(self, rows: Rows) -> None:
        """One frame of at least one row."""
        self._write(self._encoder.rows(rows))
        self.rows += len(rows)
        self.last_sequence = int(rows["sequence"][-1])

    def sync(self) -> None:
        """Returns when all of it is on the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def abandon(self) -> None:
        """Cuts off what did not fit, and closes."""
        try:
            self._file.truncate(self.bytes)
        finally:
            self._file.close()

    def _write(self, pieces: Pieces) -> None:
        content = memoryview(b"".join(pieces))
        done = 0
        while done < len(content):
            done += self._file.write(content[done:])
        self.bytes += done
