# One of n processes in the way of the Python runner that this project follows, written anew after its
# documented behaviour: rank 0 is the scheduler and writes the scheduler file, rank 1 runs the
# client program, each other process is a worker; who waits asks for the file by its name each 0.2 s.
# reference_way.py RANK SCHEDULER_FILE CLIENT_PROGRAM [ARGUMENT...]
import asyncio
import os
import runpy
import sys
import time

from distributed import Client, Scheduler, Worker

rank, file, program = int(sys.argv[1]), sys.argv[2], sys.argv[3]


async def scheduler():
    async with Scheduler(host="127.0.0.1", port=0, scheduler_file=file, dashboard_address=":0") as server:
        await server.finished()


async def worker():
    async with Worker(scheduler_file=file, nthreads=1, name=rank, dashboard_address=":0") as server:
        await server.finished()


def wait_for_file():
    while not os.path.exists(file):
        time.sleep(0.2)


if rank == 0:
    asyncio.run(scheduler())
elif rank == 1:
    wait_for_file()
    sys.argv = [program, "--scheduler-file", file, *sys.argv[4:]]
    runpy.run_path(program, run_name="__main__")
    with Client(scheduler_file=file) as client:
        client.shutdown()
else:
    wait_for_file()
    asyncio.run(worker())
