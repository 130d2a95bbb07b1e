"""The event stream: 200 clients in processes of their own, 20 messages a second each; CPU of the server's process."""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

import psutil
from websockets.asyncio.client import connect

from tests.server.desk import AUTHORIZED, TOKEN, Desk
from workstation.client.messages import Topic
from workstation.server.app import create_app
from workstation.server.serve import serve

CLIENTS, EACH_SECOND, SECONDS, PROCESSES = 200, 20, 10, 2
QUOTE = {"venue": "nova", "bid": 64_000.12, "ask": 64_000.13, "bid_quantity": 1.5, "ask_quantity": 0.75, "age_ms": 1.2}


def main() -> None:
    """Goal: under 15 % of a core, with no message lost."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=run_server, args=(theirs,))
    server.start()
    port = ours.recv()
    pipes: list[Connection] = []
    listening = []
    for _ in range(PROCESSES):
        mine, its = context.Pipe()
        listening.append(context.Process(target=run_clients, args=(its, port, CLIENTS // PROCESSES)))
        listening[-1].start()
        pipes.append(mine)
    for pipe in pipes:
        pipe.recv()
    process = psutil.Process(server.pid)
    idle = cpu_percent_over(process, 3.0)
    ours.send("go")
    busy = cpu_percent_over(process, SECONDS - 1.0)
    told = [pipe.recv() for pipe in pipes]
    latencies_ms = sorted(ms for _, sampled in told for ms in sampled)
    ours.send("stop")
    for one in (*listening, server):
        one.join(10)
    expected = CLIENTS * EACH_SECOND * SECONDS
    print(f"{CLIENTS} clients x {EACH_SECOND} messages/s: {busy:.1f} % of a core (idle {idle:.1f} %)")
    print(f"{sum(count for count, _ in told)} of {expected} messages came; publish to client, ms: "
          f"p50 {at(latencies_ms, 0.5):.1f}, p99 {at(latencies_ms, 0.99):.1f}, max {latencies_ms[-1]:.1f}")  # fmt: skip


def at(ordered: Sequence[float], share: float) -> float:
    return ordered[int(share * (len(ordered) - 1))]


def cpu_percent_over(process: psutil.Process, seconds: float) -> float:
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after, took = process.cpu_times(), time.monotonic() - began
    return 100.0 * (after.user - before.user + after.system - before.system) / took


def run_server(pipe: Connection) -> None:
    asyncio.run(publish(pipe))


async def publish(pipe: Connection) -> None:
    desk = Desk()
    app = create_app(desk, desk.bus, TOKEN)
    serving = asyncio.create_task(serve(app, "127.0.0.1", 0, on_ready=pipe.send))
    await asyncio.to_thread(pipe.recv)
    due = time.monotonic()
    for number in range(EACH_SECOND * SECONDS):
        desk.bus.publish(Topic.MARKET_DATA, QUOTE, time_ns=time.time_ns(), symbol=f"S{number % 10}/USDT")
        due += 1 / EACH_SECOND
        await asyncio.sleep(max(due - time.monotonic(), 0.0))
    await asyncio.to_thread(pipe.recv)
    serving.cancel()


def run_clients(pipe: Connection, port: int, number: int) -> None:
    asyncio.run(listen(pipe, port, number))


async def listen(pipe: Connection, port: int, number: int) -> None:
    ready = asyncio.Semaphore(0)
    samples: list[list[float]] = [[] for _ in range(number)]
    tasks = [asyncio.create_task(one(port, ready, sample)) for sample in samples]
    for _ in tasks:
        await ready.acquire()
    pipe.send("ready")
    await asyncio.gather(*tasks)
    pipe.send((sum(map(len, samples)), samples[0] + samples[-1]))


async def one(port: int, ready: asyncio.Semaphore, latencies_ms: list[float]) -> None:
    address = f"ws://127.0.0.1:{port}/stream"
    async with connect(address, additional_headers=AUTHORIZED, compression=None, open_timeout=60) as socket:
        await socket.send(json.dumps({"subscribe": {"topics": ["market_data"]}}))
        await socket.recv()
        ready.release()
        for _ in range(EACH_SECOND * SECONDS):
            text = await socket.recv()
            seen_ns = time.time_ns()
            sent_ns = int(text[text.index("time_ns") + 9 : text.index("time_ns") + 28])
            latencies_ms.append((seen_ns - sent_ns) / 1e6)


if __name__ == "__main__":
    main()
