"""The event stream: 200 clients at 20 messages a second, then 1,000 at 2, in processes of their own; what they cost."""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import NamedTuple

import psutil
from websockets.asyncio.client import connect

from tests.server.desk import AUTHORIZED, TOKEN, Desk
from workstation.client.messages import Topic
from workstation.server.app import create_app
from workstation.server.serve import serve

SECONDS, PROCESSES = 10, 2
COME_EACH_SECOND = 80
"""Of one process: more than 200 requests a second are refused."""
QUOTE = {"venue": "nova", "bid": 64_000.12, "ask": 64_000.13, "bid_quantity": 1.5, "ask_quantity": 0.75, "age_ms": 1.2}


class Load(NamedTuple):
    clients: int
    each_second: int


LOADS = (Load(200, 20), Load(1_000, 2))


def main() -> None:
    """Goals: under 15 % of a core for the first, all of a thousand served within 1 s, under 1 MB each; none lost."""
    for load in LOADS:
        measure(load)


def measure(load: Load) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=run_server, args=(theirs, load))
    server.start()
    port = ours.recv()
    process = psutil.Process(server.pid)
    alone_mb = process.memory_info().rss / 2**20
    pipes: list[Connection] = []
    listening = []
    for _ in range(PROCESSES):
        mine, its = context.Pipe()
        listening.append(context.Process(target=run_clients, args=(its, port, load)))
        listening[-1].start()
        pipes.append(mine)
    for pipe in pipes:
        pipe.recv()
    idle = cpu_percent_over(process, 3.0)
    ours.send("go")
    busy = cpu_percent_over(process, SECONDS - 1.0)
    each_mb = (process.memory_info().rss / 2**20 - alone_mb) / load.clients
    told = [pipe.recv() for pipe in pipes]
    latencies_ms = sorted(ms for _, sampled in told for ms in sampled)
    ours.send("stop")
    for one in (*listening, server):
        one.join(10)
    expected = load.clients * load.each_second * SECONDS
    print(f"{load.clients:,} clients x {load.each_second} messages/s: {busy:.1f} % of a core (idle {idle:.1f} %), "
          f"{each_mb:.2f} MB each")  # fmt: skip
    print(f"{sum(count for count, _ in told):,} of {expected:,} messages came; publish to client, ms: "
          f"p50 {at(latencies_ms, 0.5):.1f}, p99 {at(latencies_ms, 0.99):.1f}, max {latencies_ms[-1]:.1f}")  # fmt: skip


def at(ordered: Sequence[float], share: float) -> float:
    return ordered[int(share * (len(ordered) - 1))]


def cpu_percent_over(process: psutil.Process, seconds: float) -> float:
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after, took = process.cpu_times(), time.monotonic() - began
    return 100.0 * (after.user - before.user + after.system - before.system) / took


def run_server(pipe: Connection, load: Load) -> None:
    asyncio.run(publish(pipe, load.each_second))


async def publish(pipe: Connection, each_second: int) -> None:
    desk = Desk()
    app = create_app(desk, desk.bus, TOKEN)
    serving = asyncio.create_task(serve(app, "127.0.0.1", 0, on_ready=pipe.send))
    await asyncio.to_thread(pipe.recv)
    due = time.monotonic()
    for number in range(each_second * SECONDS):
        desk.bus.publish(Topic.MARKET_DATA, QUOTE, time_ns=time.time_ns(), symbol=f"S{number % 10}/USDT")
        due += 1 / each_second
        await asyncio.sleep(max(due - time.monotonic(), 0.0))
    await asyncio.to_thread(pipe.recv)
    serving.cancel()


def run_clients(pipe: Connection, port: int, load: Load) -> None:
    asyncio.run(listen(pipe, port, load.clients // PROCESSES, load.each_second * SECONDS))


async def listen(pipe: Connection, port: int, number: int, messages: int) -> None:
    ready = asyncio.Semaphore(0)
    samples: list[list[float]] = [[] for _ in range(number)]
    tasks = []
    for sample in samples:
        tasks.append(asyncio.create_task(one(port, ready, sample, messages)))
        await asyncio.sleep(1 / COME_EACH_SECOND)
    for _ in tasks:
        await ready.acquire()
    pipe.send("ready")
    await asyncio.gather(*tasks)
    pipe.send((sum(map(len, samples)), [ms for sample in samples for ms in sample]))


async def one(port: int, ready: asyncio.Semaphore, latencies_ms: list[float], messages: int) -> None:
    address = f"ws://127.0.0.1:{port}/stream"
    async with connect(address, additional_headers=AUTHORIZED, compression=None, open_timeout=60) as socket:
        await socket.send(json.dumps({"subscribe": {"topics": ["market_data"]}}))
        await socket.recv()
        ready.release()
        while len(latencies_ms) < messages:
            text = await socket.recv()
            seen_ns = time.time_ns()
            if (place := text.find("time_ns")) > 0:  # else it is a heartbeat
                latencies_ms.append((seen_ns - int(text[place + 9 : place + 28])) / 1e6)


if __name__ == "__main__":
    main()
