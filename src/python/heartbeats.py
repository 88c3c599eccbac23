# Has a worker finish its heartbeats before it closes: one that is under way would find its connection closed, and worker and
# scheduler would say so, with a traceback.
#
# A preload of Dask's, found by its name because it is in sys.modules. Executed in each worker, and in what a nanny starts.
import asyncio
import functools
import sys
import types

# How long the last heartbeat may take. In seconds.
PATIENCE = 1


def dask_setup(worker):
    callback = worker.periodic_callbacks["heartbeat"]
    send = callback.callback
    worker.dask_hpc_runner_heartbeats = under_way = set()

    @functools.wraps(send)
    async def send_and_note():
        task = asyncio.current_task()
        under_way.add(task)
        try:
            await send()
        finally:
            under_way.discard(task)

    callback.callback = send_and_note


async def dask_teardown(worker):
    worker.periodic_callbacks["heartbeat"].stop()
    # None are noted where it has failed before its setup. And a heartbeat may be what closes the worker.
    others = getattr(worker, "dask_hpc_runner_heartbeats", set()) - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=PATIENCE)


preload = types.ModuleType("dask_hpc_runner_heartbeats")
preload.dask_setup, preload.dask_teardown = dask_setup, dask_teardown
sys.modules[preload.__name__] = preload
