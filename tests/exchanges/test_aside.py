"""Work in a thread with a loop of its own: nobody here waits for it, and it ends with who asked for it."""

import asyncio
import threading

import pytest

from workstation.exchanges.aside import run_aside


def test_the_callers_loop_goes_on_while_the_work_stands_still() -> None:
    may_end = threading.Event()

    async def work() -> bool:
        return may_end.wait(20)

    async def caller() -> bool:
        asyncio.get_running_loop().call_later(0.01, may_end.set)
        return await run_aside(work)

    assert asyncio.run(caller())


def test_what_the_work_raises_is_raised() -> None:
    async def work() -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        asyncio.run(run_aside(work))


def test_who_is_cancelled_cancels_the_work_and_waits_for_its_end() -> None:
    ended: list[str] = []

    async def scenario() -> None:
        began = asyncio.Event()
        loop = asyncio.get_running_loop()

        async def work() -> None:
            loop.call_soon_threadsafe(began.set)
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("work")

        caller = asyncio.create_task(run_aside(work))
        await began.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        ended.append("caller")

    asyncio.run(scenario())
    assert ended == ["work", "caller"]
