# Which Node processes there are, and what they work at. A part of the module that tasks-values.py describes.
# ruff: noqa: F821
import asyncio
import concurrent.futures
import contextlib
import queue
import threading
import time


class Starter:
    """Starts processes, by one thread that stays: a child that is to die with us dies with the thread that started it. Python
    does not wait for the thread at its exit: a start may hang."""

    def __init__(self):
        self.orders = queue.SimpleQueue()
        self.thread = None
        self.lock = threading.Lock()

    def start(self, path):
        with self.lock:
            if self.thread is None:
                self.thread = threading.Thread(target=self.obey, daemon=True, name="dask-hpc-runner-node")
                self.thread.start()
        started = concurrent.futures.Future()
        self.orders.put((path, started))
        return started.result()

    def obey(self):
        while True:
            path, started = self.orders.get()
            try:
                started.set_result(NodeProcess(path))
            except BaseException as error:
                started.set_exception(error)


starter = Starter()


class Pool:
    """The processes of one Node; its users are clients."""

    def __init__(self, path):
        self.path = path
        self.idle = []
        self.lock = threading.Lock()
        self.users = set()

    def take(self):
        while True:
            with self.lock:
                node = self.idle.pop() if self.idle else None
            if node is None:
                return starter.start(self.path)
            if node.alive:
                return node
            node.end()

    def give_back(self, node):
        if node.cancelled:
            # It may have been killed only now.
            node.end()
        if not node.ended:
            with self.lock:
                self.idle.append(node)

    def leave(self, user):
        self.users.discard(user)
        if not self.users:
            with self.lock:
                idle, self.idle = self.idle, []
            for node in idle:
                node.end()


# By the path of Node: each client may name its own.
pools = {}


def pool_of(path):
    return pools.setdefault(path, Pool(path))


@contextlib.contextmanager
def node_process(path):
    pool = pool_of(path)
    node = pool.take()
    try:
        yield node
    finally:
        pool.give_back(node)


# Calls that are under way, by the keys of their tasks


running = {}
running_lock = threading.Lock()
# Those of them that other calls have submitted.
nested_keys = set()


@contextlib.contextmanager
def calling(path, nested):
    """A process for the call of the task of this thread. Where the task is taken back, the process ends."""
    from distributed.worker import thread_state

    key = getattr(thread_state, "key", None)
    with node_process(path) as node:
        running[key] = node
        if nested:
            nested_keys.add(key)
        try:
            if nested and is_taken_back(key):
                raise taken_back()
            yield node
        finally:
            nested_keys.discard(key)
            with running_lock:
                running.pop(key, None)


def is_taken_back(key):
    from distributed import get_worker

    task = get_worker().state.tasks.get(key)
    return task is None or task.state == "cancelled"


def taken_back():
    from distributed import Reschedule

    # Of a task that is cancelled nobody hears of this; one that somebody has asked for again meanwhile is begun anew.
    return Reschedule()


def find_running(keys, dask_scheduler):
    """Where tasks run that go when these are cancelled: {address of a worker: [key...]}"""
    found, seen, left = {}, set(), list(keys)
    while left:
        task = dask_scheduler.tasks.get(left.pop())
        if task is None or task.key in seen:
            continue
        seen.add(task.key)
        left += [dependent.key for dependent in task.dependents]
        if task.processing_on is not None:
            found.setdefault(task.processing_on.address, []).append(task.key)
    return found


def end_call(key):
    with running_lock:
        node = running.get(key)
        if node is not None:
            node.cancelled = True
            node.process.kill()


def follow_task(key, start, finish):
    """Ends a call that another call has submitted, once nobody has a future of it any more: nothing else ends it. What the
    program itself has submitted goes on until it is cancelled."""
    if finish == "released" and start in ("executing", "long-running") and key in nested_keys:
        end_call(key)


async def end_cancelled(keys, dask_worker):
    """Ends the processes of the calls of these tasks, once the worker knows that they are cancelled."""
    deadline = time.monotonic() + 5
    left = set(keys)
    while left and time.monotonic() < deadline:
        for key in list(left):
            task = dask_worker.state.tasks.get(key)
            if task is not None and task.state not in ("cancelled", "resumed"):
                continue
            left.discard(key)
            end_call(key)
        await asyncio.sleep(0.02)
