"""A process that downloads, for a test that kills it in the middle: every page comes to the disk by itself."""

import sys
import time
from pathlib import Path

from workstation.cli.data_download import Wanted, download
from workstation.config.loading import load_configuration
from workstation.history.backfill import FlushLimits
from workstation.history.download_kind import DownloadKind
from workstation.history.store import HistoryStore
from workstation.model.durations import MINUTE_NS

if __name__ == "__main__":
    root, start_ns, end_ns = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    wanted = Wanted(
        venue="nova",
        symbols=("BTC/USDT",),
        kind=DownloadKind.BARS,
        interval_ns=MINUTE_NS,
        start_ns=start_ns,
        end_ns=min(end_ns, time.time_ns()),
    )
    download(load_configuration(None).settings, HistoryStore(root), wanted, FlushLimits(rows=1))
