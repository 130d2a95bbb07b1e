"""A cancellation is never lost, however close it comes to a row: else the engine would not end."""

import asyncio

import pytest

from workstation.engine.channel import Channel
from workstation.model.ids import InstrumentIndex


@pytest.mark.parametrize("steps", range(6))
def test_a_wait_that_is_cancelled_beside_a_row_ends_cancelled(steps: int) -> None:
    async def cancelled() -> bool:
        channel = Channel(lambda: 1, lambda status: None)
        waiting = asyncio.create_task(channel.wait(60.0))
        await asyncio.sleep(0)
        channel.quote(InstrumentIndex(0), 0, 1.0, 2.0, 1.0, 1.0)
        for _ in range(steps):
            await asyncio.sleep(0)
        was_waiting = waiting.cancel()
        await asyncio.wait([waiting])
        return waiting.cancelled() is was_waiting

    assert asyncio.run(cancelled())
