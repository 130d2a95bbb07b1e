"""Two hundred viewers of the dashboard come and go: each takes little, and what it took is given back."""

import asyncio
from pathlib import Path

import psutil
import pytest

from tests.browser.desk import a_desk
from tests.browser.viewers import Crowd
from workstation.dashboard.server import LAST_UNUSED_MS

WAVES, VIEWERS = 4, 50
MOST_MB = 2.0
"""Of one viewer's document, with its Live page: the goal is 1.5 and 1.42 was seen, but allocators differ."""
KEPT = 1 / 3
"""Of what a wave takes, at most, may be missing after the later ones: allocators keep some, a leak keeps all."""
LET_GO_S = 1.5 * LAST_UNUSED_MS / 1000
"""After so long the server has dropped the documents that nobody looks at."""


@pytest.mark.soak
@pytest.mark.slow
def test_two_hundred_viewers_take_little_each_and_leave_nothing_behind(tmp_path: Path) -> None:
    with a_desk(tmp_path) as desk:
        process = psutil.Process(desk.dashboard.process.pid)
        crowd = Crowd(desk.url, desk.dashboard.link)
        full: list[float] = []

        def megabytes() -> float:
            return process.memory_info().rss / 2**20

        async def look() -> None:
            full.append(megabytes())

        async def come_and_go() -> float:
            await crowd.many(2, crowd.page, look)  # what the first page loads belongs to nobody
            empty = megabytes()
            for _ in range(WAVES):
                await crowd.many(VIEWERS, crowd.page, look)
                await asyncio.sleep(LET_GO_S)
            return empty

        empty = asyncio.run(come_and_go())
    each = (full[1] - empty) / VIEWERS
    print(f"{each:.2f} MB for each of {VIEWERS} viewers; MB with each wave: {[round(one) for one in full[1:]]}")
    assert each < MOST_MB
    assert full[-1] - full[1] < KEPT * VIEWERS * MOST_MB
