# The running scheduler, worker or nanny: what the supervisor hears of it, and how it is closed. Executed before bootstrap.py,
# with which it shares its names.
import asyncio
import functools
import json
import os
import signal
import sys


class Component:
    """The running scheduler, worker or nanny, once Dask's command line has made it."""

    def __init__(self, kind, pipe):
        self.kind = kind
        self.pipe = pipe
        self.server = None
        self.loop = None
        self.gpus = None

    def watch(self, cls):
        """Learn of the instance that Dask's command line makes of `cls`."""
        make = cls.__init__

        @functools.wraps(make)
        def make_and_tell(server, *args, **kwargs):
            make(server, *args, **{**kwargs, **self.information(kwargs), **self.preload(kwargs)})
            self.loop = asyncio.get_running_loop()
            self.server = server
            if self.kind == "scheduler":
                server.handlers["dask_hpc_runner_tasks"] = lambda: count_tasks(server)
            self.loop.create_task(self.report_start())

        cls.__init__ = make_and_tell
        if hasattr(cls, "add_client"):
            self.tell_of_client(cls)
            self.tell_of_close(cls)
        if hasattr(cls, "_on_worker_exit"):
            self.tell_of_killed(cls)

    def information(self, arguments):
        """What a worker tells the scheduler of its GPUs when it registers. A class of the user's may take no such argument."""
        from distributed import Worker

        if self.gpus is None or arguments.get("worker_class", Worker) not in (None, Worker):
            return {}
        # What a nanny starts gets it as a pickle, and has no function of ours: this one gives the text itself.
        text = json.dumps(self.gpus).replace("{", "{{").replace("}", "}}")
        return {"startup_information": {**(arguments.get("startup_information") or {}), "dask_hpc_runner_gpus": text.format}}

    def preload(self, arguments):
        """Have a worker load heartbeats.py last, behind what the user preloads."""
        if self.kind != "worker":
            return {}
        import dask.config

        names = arguments.get("preload") or dask.config.get("distributed.worker.preload", None) or []
        words = arguments.get("preload_argv") or dask.config.get("distributed.worker.preload-argv", None) or []
        # Words of their own for each, or the same for all.
        own = [] if not words or isinstance(words[0], str) else [[]]
        names = [names] if isinstance(names, str) else [*names]
        return {"preload": [*names, "dask_hpc_runner_heartbeats"], "preload_argv": [*words, *own]}

    def tell_of_client(self, cls):
        """Report the first client that comes to a scheduler."""
        add = cls.add_client
        told = False

        @functools.wraps(add)
        async def add_and_tell(*args, **kwargs):
            nonlocal told
            if not told:
                told = True
                say(self.pipe, report="client")
            return await add(*args, **kwargs)

        cls.add_client = add_and_tell

    def tell_of_close(self, cls):
        """Report how many clients are connected to a scheduler when it is closed."""
        close = cls.close
        told = False

        @functools.wraps(close)
        async def tell_and_close(server, *args, **kwargs):
            nonlocal told
            if not told:
                told = True
                say(self.pipe, report="closing", clients=len(set(server.clients) - {"fire-and-forget"}))
            return await close(server, *args, **kwargs)

        cls.close = tell_and_close

    def tell_of_killed(self, cls):
        """Report that the worker of a nanny was killed: by the nanny, because of its memory, or by somebody else."""
        go_on = cls._on_worker_exit
        known = -1

        @functools.wraps(go_on)
        async def tell_and_go_on(nanny, exitcode, *args, **kwargs):
            nonlocal known
            memory = getattr(nanny, "memory_manager", None)
            last = getattr(memory, "_last_terminated_pid", -1)
            by_nanny, known = last != known, last
            if nanny.status.name == "running" and (by_nanny or exitcode == -signal.SIGKILL):
                part = getattr(memory, "memory_terminate_fraction", None) if by_nanny else None
                say(self.pipe, report="killed", limit=getattr(memory, "memory_limit", None), part=part)
            return await go_on(nanny, exitcode, *args, **kwargs)

        cls._on_worker_exit = tell_and_go_on

    async def report_start(self):
        while self.server.status.name != "running":
            if self.server.status.name in ("closed", "closing", "failed"):
                return
            await asyncio.sleep(0.005)
        identity = self.server.identity() if self.kind == "scheduler" else {"address": address_of(self.server)}
        link = {"link": has_own_link()} if self.kind == "scheduler" else {}
        say(self.pipe, report="started", component=self.kind, identity=identity, versions=versions(), **link)
        if self.kind == "scheduler":
            # Before the first client comes, which is being started now.
            self.loop.call_later(0, load_versions)

    def stop(self):
        if self.server is None:
            os._exit(0)
        self.loop.call_soon_threadsafe(lambda: self.loop.create_task(self.close()))

    async def close(self):
        # Dask does not bear to be closed in the middle of its start.
        for _ in range(200):
            if self.server.status is not None and self.server.status.name not in ("undefined", "init", "starting"):
                break
            await asyncio.sleep(0.005)
        # Tasks that still run are not waited for.
        arguments = {"timeout": 2, "executor_wait": False} if self.kind == "worker" else {}
        try:
            await self.server.close(**arguments)
        except TypeError:
            await self.server.close()


def count_tasks(scheduler):
    """How many tasks are in each state, and how often one has come to be in memory, or erred: rank 0 asks for its report."""
    now, ever = {}, {}
    for group in scheduler.task_groups.values():
        for state, count in group.states.items():
            now[state] = now.get(state, 0) + count
    for prefix in scheduler.task_prefixes.values():
        for state in ("memory", "erred"):
            ever[state] = ever.get(state, 0) + prefix.state_counts[state]
    return {"now": now, "ever": ever}


def address_of(server):
    """Where a worker listens: its own address, not that of its nanny."""
    return getattr(server, "worker_address", None) or getattr(server, "address", None)


def has_own_link():
    """Whether the user's configuration has a link to the dashboard that is not Dask's own."""
    import dask.config

    own = "{scheme}://{host}:{port}/status"
    return dask.config.get("distributed.dashboard.link", own) != own


def versions():
    import dask
    import distributed

    return {
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "dask": getattr(dask, "__version__", "unknown"),
        "distributed": getattr(distributed, "__version__", "unknown"),
    }
