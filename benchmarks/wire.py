"""Sends prepared requests over plain sockets from several processes, cheap enough not to be what
is measured; open loop (fixed times, latency from when a request was due) or as fast as it goes."""

import itertools
import multiprocessing
import random
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.synchronize import Barrier

_together: Barrier
Make = Callable[[random.Random], bytes]


@dataclass
class Run:
    """What came of it: latencies in seconds, sorted, and how many of each status."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        return self.statuses[200] / self.seconds

    def under(self, share: float) -> float:
        """Milliseconds that this share of the requests stayed under."""
        if not self.latencies:
            return float("nan")
        return self.latencies[min(int(share * len(self.latencies)), len(self.latencies) - 1)] * 1e3


def send(
    port: int,
    path: str,
    key: str,
    make: Make,
    *,
    rate: float = 0,
    seconds: float = 10,
    processes: int = 2,
    connections: int = 4,
) -> Run:
    """`rate` is for all processes together; 0 sends the next when the last was answered.

    The time begins when all have come up: counted from the call, what was due meanwhile on a busy
    machine looked like seconds of latency of a server that had not been asked.
    """
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(processes)
    with context.Pool(processes, initializer=_know, initargs=(together,)) as pool:
        asked = (port, path, key, make, rate / processes, seconds, connections)
        parts = pool.starmap(_work, [(*asked, number) for number in range(processes)])
    whole = Run(seconds)
    for latencies, statuses in parts:
        whole.latencies += latencies
        whole.statuses += Counter(statuses)
    whole.latencies.sort()
    return whole


def _know(together: Barrier) -> None:
    global _together
    _together = together


def _work(port, path, key, make, rate, seconds, connections, seed):
    """One process: threads that share the times at which requests are due."""
    _together.wait(timeout=60)
    start = time.time() + 0.2
    latencies, statuses, numbers = [], Counter(), itertools.count()
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nX-Api-Key: {key}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: "
    total = int(rate * seconds)

    def one(thread: int) -> None:
        chance = random.Random(f"{seed} {thread} {uuid.uuid4()}")
        line = socket.create_connection(("127.0.0.1", port), timeout=15)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        time.sleep(max(0.0, start - time.time()))
        while True:
            number = next(numbers)
            due = start + number / rate if rate else time.time()
            if (rate and number >= total) or due >= start + seconds:
                return
            body = make(chance)
            request = f"{head}{len(body)}\r\n\r\n".encode() + body
            time.sleep(max(0.0, due - time.time()))
            statuses[_ask(line, request)] += 1
            latencies.append(time.time() - due)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies, dict(statuses)


def _ask(line: socket.socket, request: bytes) -> int:
    line.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = line.recv(65536)
        if not part:
            raise ConnectionError("the server hung up")
        answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    length = next(
        int(one.split(b":")[1])
        for one in head.split(b"\r\n")
        if one.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += line.recv(65536)
    return int(head.split(b" ", 2)[1])
