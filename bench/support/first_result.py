# The client program of the launch benchmarks: says at what time it had its first result and when it ended.
# first_result.py [--scheduler-file FILE] [--workers N]: with N, all of them have registered before.
import argparse
import time

from distributed import Client


def now(word):
    print(word, time.time(), flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("--scheduler-file")
parser.add_argument("--workers", type=int, default=0)
parser.add_argument("--hold", help="wait for this file before the end")
arguments = parser.parse_args()

with Client(scheduler_file=arguments.scheduler_file) if arguments.scheduler_file else Client() as client:
    if arguments.workers:
        client.wait_for_workers(arguments.workers)
    assert client.submit(sum, [1, 2]).result() == 3
    now("first")
    if arguments.hold:
        import os

        print("holds", flush=True)
        while not os.path.exists(arguments.hold):
            time.sleep(0.02)
now("end")
