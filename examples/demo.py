"""Estimates pi by throwing darts, on every worker of the cluster at once.

Nothing here knows that a runner started the cluster: a plain Client() finds the scheduler, because
its address is in the environment.
"""

import os
import random
import socket
import time

from distributed import Client, get_worker

CHUNKS = 40
DARTS = 100_000


def throw(seed):
    """Throws DARTS darts at a unit square; which hit the circle, and who threw them."""
    rng = random.Random(seed)
    hits = sum(rng.random() ** 2 + rng.random() ** 2 <= 1 for _ in range(DARTS))
    return hits, (str(get_worker().name), socket.gethostname(), os.getpid())


if __name__ == "__main__":
    with Client() as client:
        client.wait_for_workers(2, timeout=60)
        started = time.perf_counter()
        results = client.gather(client.map(throw, range(CHUNKS)))
        seconds = time.perf_counter() - started

    pi = 4 * sum(hits for hits, _ in results) / (CHUNKS * DARTS)
    workers = sorted({who for _, who in results})
    print(f"pi is about {pi:.4f}: {CHUNKS * DARTS:,} darts in {seconds:.1f} s on {len(workers)} workers")
    for name, host, pid in workers:
        chunks = sum(who == (name, host, pid) for _, who in results)
        print(f"  worker {name} on {host}, pid {pid}: {chunks} of {CHUNKS} chunks")
    if len(workers) < 2:
        raise SystemExit("Only one worker took part")
