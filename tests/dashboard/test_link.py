"""The dashboard's link to the engine: what is known while somebody watches, and forgotten when nobody does."""

import asyncio
import itertools
from dataclasses import replace
from pathlib import Path

from workstation.dashboard.link import EngineLink
from workstation.dashboard.state import EngineState

NOBODY = "http://127.0.0.1:9"


def test_what_the_last_viewer_saw_is_not_told_to_the_next_one(tmp_path: Path) -> None:
    """Between them nobody looked: sessions may have come and gone, and then the engine."""
    clock = itertools.count(0, 2)

    async def watched() -> tuple[EngineState, EngineState]:
        link = EngineLink(NOBODY, tmp_path, now_s=lambda: float(next(clock)))
        seen = asyncio.get_running_loop().create_future()
        leave = link.follow(lambda state: seen.done() or seen.set_result(state))
        first = await seen
        link.state = replace(link.state, heard_s=1.0)
        leave()
        assert link._looking is not None
        await link._looking
        return first, link.state

    first, last = asyncio.run(watched())
    assert first.loss and first.heard_s is None
    assert last == EngineState()
