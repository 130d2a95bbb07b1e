"""The dashboard's link to the engine: what is known while somebody watches, and forgotten when nobody does."""

import asyncio
import itertools
import threading
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


def test_charts_that_wait_for_their_bars_stand_in_nobody_s_way(tmp_path: Path) -> None:
    """Neither in a command's nor in that of what is read beside the loop, as a form's files are."""
    (tmp_path / "api_token").write_text("s" * 43)
    may_answer = threading.Event()

    async def asked() -> list[object]:
        link = EngineLink(NOBODY, tmp_path)
        asking = [asyncio.create_task(link.ask(lambda client: may_answer.wait(60))) for _ in range(50)]
        try:
            async with asyncio.timeout(30):
                return [await link.command(lambda client: "done"), await asyncio.to_thread(lambda: "read")]
        finally:
            may_answer.set()
            assert all(await asyncio.gather(*asking))

    assert asyncio.run(asked()) == ["done", "read"]
