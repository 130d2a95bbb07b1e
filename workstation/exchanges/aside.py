"""Work with a venue in a thread with a loop of its own: what takes long to read there holds up nobody here."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

Answer = TypeVar("Answer")


async def run_aside(work: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
    """What `work` returns or raises. Who is cancelled meanwhile cancels it, and waits for its end."""
    begun: Future[Callable[[], None]] = Future()

    async def cancellable() -> Answer:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        begun.set_result(lambda: _cancel(loop, task))
        return await work()

    thread = ThreadPoolExecutor(1, thread_name_prefix="aside")
    answer = asyncio.wrap_future(thread.submit(lambda: asyncio.run(cancellable())))
    thread.shutdown(wait=False)
    try:
        return await asyncio.shield(answer)
    except asyncio.CancelledError:
        begun.add_done_callback(lambda cancel: cancel.result()())
        await asyncio.wait([answer])
        raise


def _cancel(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[Any]") -> None:
    with suppress(RuntimeError):  # it ended in this moment, and its loop is closed
        loop.call_soon_threadsafe(task.cancel)
