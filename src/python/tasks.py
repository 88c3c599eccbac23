# What Dask has for a function of the client's. A part of the module that tasks-values.py describes.
# ruff: noqa: F821
import asyncio
import concurrent.futures
import importlib
import inspect
import os
import textwrap
import threading
import types

import msgpack


class Call:
    """A function of the client's: its msgpack `spec`, its path of Node, and how many seconds a call may take. Two with the
    same of these are the same."""

    def __init__(self, spec, node, limit=None):
        self.spec, self.node, self.limit = spec, node, limit
        self.__name__ = msgpack.unpackb(spec)["name"]

    def __reduce__(self):
        return type(self), (self.spec, self.node, self.limit)

    def within(self, limit):
        # No argument of the call: beside one, workers of older Dask run what looks like a task in the value of a dependency.
        return self if limit is None else type(self)(self.spec, self.node, limit)

    def __hash__(self):
        return hash(self.spec)

    def __eq__(self, other):
        return isinstance(other, Call) and self.__reduce__() == other.__reduce__()


class PythonCall(Call):
    def __call__(self, payload, *dependencies):
        with surviving(), interrupted_after(self.limit):
            result = self.begin(payload, dependencies)
            # On a loop of its own, in its thread: Dask does not know that the function is one of these.
            return passable(asyncio.run(awaited_within(self.limit, result)) if inspect.iscoroutine(result) else result)

    def begin(self, payload, dependencies, **server):
        data, buffers = unpack_payload(payload)
        args, kwargs = decode(data, buffers, [to_python(value, self.node) for value in dependencies])
        function = functions.get(self.spec)
        return function(*args, **kwargs, **{name: value for name, value in server.items() if takes(function, name)})

    async def run_here(self, payload, server):
        with surviving():
            result = self.begin(payload, (), **server)
            return passable(await result if inspect.isawaitable(result) else result)


class surviving:
    """Has a function that fails fail nothing else. Not a generator: contextlib gives an error its long traceback again."""

    def __enter__(self):
        pass

    def __exit__(self, kind, error, trace):
        if isinstance(error, (SystemExit, KeyboardInterrupt)):
            # A worker ends by these, the next one by the same task.
            why = f"the function raised {error!r}, which ends a program, and here only its task"
            raise RuntimeError(why) from error
        if isinstance(error, Exception):
            raise error.with_traceback(shorten(error.__traceback__))


def takes(function, name):
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def shorten(trace):
    """The traceback with its first and last frames. Dask cannot send that of a function which called itself without end,
    and its client then never learns that the task failed."""
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    for one in reversed(frames if len(frames) <= 60 else frames[:30] + frames[-30:]):
        trace = types.TracebackType(trace, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return trace


class JavaScriptCall(Call):
    nested = False

    def __call__(self, payload, *dependencies):
        with calling(self.node, self.nested) as node, node.killed_after(self.limit):
            return node.call(self.spec, payload, dependencies)

    async def run_here(self, payload, server):
        # In a thread of its own: those of asyncio are for the server's own work, and its end waits for them.
        done = concurrent.futures.Future()
        done.set_running_or_notify_cancel()
        threading.Thread(target=self.run_into, args=(done, payload), daemon=True, name="dask-hpc-runner-run").start()
        return await asyncio.wrap_future(done)

    def run_into(self, done, payload):
        try:
            with places:
                result = self(payload)
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(result)


# As many calls outside of tasks run at once, since each has a Node process: as many as asyncio would have threads.
places = threading.BoundedSemaphore(min(32, (os.cpu_count() or 1) + 4))


class NestedCall(JavaScriptCall):
    """A call that another call has submitted."""

    nested = True


async def run_here(call, payload, dask_worker=None, dask_scheduler=None):
    """Calls it outside of tasks, in a worker or the scheduler, which Dask names by these."""
    servers = {"dask_worker": dask_worker, "dask_scheduler": dask_scheduler}
    return await call.run_here(payload, {name: server for name, server in servers.items() if server is not None})


def unpack_payload(payload):
    return (payload.data, payload.buffers) if isinstance(payload, Payload) else (payload, ())


class Functions:
    """What was made of specifications: the last that were called, as long as they are few and small."""

    MOST, BYTES = 256, 8_000_000

    def __init__(self):
        self.made = {}
        self.bytes = 0
        self.lock = threading.Lock()

    def get(self, spec):
        with self.lock:
            if spec in self.made:
                # The last ones are the newest.
                self.made[spec] = self.made.pop(spec)
                return self.made[spec]
        function = make_function(msgpack.unpackb(spec))
        with self.lock:
            # Another thread may have been faster: both have the one that is kept.
            if spec not in self.made and len(spec) <= self.BYTES:
                self.made[spec] = function
                self.bytes += len(spec)
                while len(self.made) > self.MOST or self.bytes > self.BYTES:
                    oldest = next(iter(self.made))
                    del self.made[oldest]
                    self.bytes -= len(oldest)
            return self.made.get(spec, function)


functions = Functions()


def make_function(description):
    if "path" in description:
        return import_function(description["path"])
    return function_of_file(description) if "file" in description else function_of_text(description)


def import_function(path):
    module, colon, rest = path.partition(":")
    parts = path.split(".")
    found, names = None, []
    if colon:
        found, names = importlib.import_module(module), rest.split(".")
    elif len(parts) == 1:
        found, names = importlib.import_module("builtins"), parts
    else:
        for length in range(len(parts) - 1, 0, -1):
            module = ".".join(parts[:length])
            try:
                found, names = importlib.import_module(module), parts[length:]
                break
            except ModuleNotFoundError as error:
                # A module that is there and lacks one of its own imports says so itself.
                if not (module + ".").startswith(str(error.name) + "."):
                    raise
    if found is None:
        raise ModuleNotFoundError(f"Cannot import {path!r} on this worker: there is no module {parts[0]!r}")
    for name in names:
        found = getattr(found, name)
    return found


def function_of_file(description):
    # The helper process of the client, which is where the file is, finds the lines of tracebacks by this name.
    scope = {"__name__": "dask_hpc_runner_py", "__file__": description["file"]}
    exec(compile(description["text"], description["file"], "exec"), scope)
    name = description["function"]
    if not callable(scope.get(name)):
        what = "it defines no such name" if name not in scope else f"it is of type {type(scope[name]).__name__}"
        raise TypeError(f"Cannot call {name!r} of {description['file']!r}: {what}")
    return scope[name]


def function_of_text(description):
    text = textwrap.dedent(description["text"]).strip()
    scope = {"__name__": "dask_hpc_runner_py", **decode(description["values"], description["buffers"])}
    try:
        code = compile(text, "<py>", "eval")
    except SyntaxError:
        before = set(scope)
        exec(compile(text, "<py>", "exec"), scope)
        made = [scope[name] for name in scope if name not in before and callable(scope[name])]
        made = [one for one in made if getattr(one, "__module__", None) == "dask_hpc_runner_py"]
        if not made:
            raise TypeError("Cannot call the Python text: it defines no function") from None
        return made[-1]
    function = eval(code, scope)
    if not callable(function):
        raise TypeError(f"Cannot call the Python expression: it is of type {type(function).__name__}, and no function")
    return function
