# Holds Dask's own client for a program in another language, under the orders of that program.
#
# Orders come and reports go over the socket `pipe`, in the messages that tasks-values.py describes. An order with an
# `id` is answered by {re, ok} or {re, error}, others are not. Reports that nobody asked for:
#   {done: [future...], failed: [failure...], values: [[future, value]...]} | {gone: why}
# Before all of them it says whether this Python has Dask (found.py); where it has none, that is all.
# When the pipe closes, the program is gone, and so is this process.
import asyncio
import contextlib
import os
import struct
import sys
import traceback
import warnings


def main(pipe):
    pipe.set_inheritable(False)
    die_with_parent(os.getppid())  # noqa: F821 - parent.py
    if not tell_of_dask(pipe):  # noqa: F821 - found.py
        return
    # Takes half a second, and is done while the program waits for its cluster.
    import distributed  # noqa: F401

    exec(OWN_MODULES, {})  # noqa: F821 - own-modules.py
    warnings.filterwarnings("ignore", message="Large object of size|Sending large graph|.*register_worker_plugin")
    pipe.setblocking(False)
    asyncio.run(Helper(pipe).serve())


class Refused(Exception):
    """What cannot be done, as a sentence for the user."""


class Helper(Results, Calls):  # noqa: F821 - client-results.py, client-calls.py
    def __init__(self, pipe):
        self.pipe = pipe
        self.client = None
        self.tasks = None
        # Functions by their numbers, while the program has them.
        self.calls, self.calls_javascript = {}, False
        self.futures = {}
        # Those of datasets that were asked for, until the program has given them numbers.
        self.published = {}
        # Why there is no result, of those that Dask has no future of, and that were cancelled.
        self.refused = {}
        # Keys of tasks that are done though nobody keeps them.
        self.forgotten = set()
        # Addresses of workers by name: of those there are, and the last of each that there ever was.
        self.present, self.names = {}, {}
        self.running = {}
        self.done, self.failed, self.telling = [], [], False
        # Asked for: those whose tasks are under way, and those that can be fetched.
        self.awaited = set()
        self.wanted, self.fetching, self.collecting = [], 0, False
        self.background = set()
        self.gone = False

    async def serve(self):
        self.messages = Messages(self.pipe)  # noqa: F821 - client-messages.py
        try:
            while True:
                header, buffers = await self.messages.receive()
                await self.obey(header, buffers)
        except (EOFError, OSError):
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(70)

    async def obey(self, header, buffers):
        order = header["order"]
        if order == "submit":
            await self.submit(header["groups"], buffers)
        elif order == "want":
            self.want(header["futures"])
        elif order == "release":
            for number in header["futures"]:
                self.futures.pop(number, None)
                self.refused.pop(number, None)
                self.awaited.discard(number)
        elif order == "forget function":
            self.calls.pop(header["call"], None)
        elif order == "cancel":
            self.cancel(header["futures"])
        elif order == "adopt":
            for number, future in zip(header["futures"], self.published.pop(header["token"])):
                self.keep(number, future)
        elif order == "fire and forget":
            self.fire_and_forget([self.futures[number] for number in header["futures"] if number in self.futures])
        elif order == "abandon":
            if header["request"] in self.running:
                self.running[header["request"]].cancel()
        else:
            task = self.spawn(self.answer(header["id"], getattr(self, "on_" + order), header, buffers))
            self.running[header["id"]] = task
            if order == "connect":
                # What comes later builds on it.
                await asyncio.wait([task])

    def spawn(self, coroutine):
        task = asyncio.get_running_loop().create_task(coroutine)
        self.background.add(task)
        task.add_done_callback(self.background.discard)
        return task

    async def answer(self, number, action, header, buffers):
        try:
            answer, values = await action(header, buffers), ()
            if isinstance(answer, tuple):
                answer, values = answer
            message = self.pack({"re": number, "ok": answer}, values)
        except asyncio.CancelledError:
            return
        except Exception as error:
            kind = f"{type(error).__module__}.{type(error).__qualname__}"
            message = self.pack({"re": number, "error": {"type": kind, "text": sentence(error)}})
        finally:
            self.running.pop(number, None)
        await self.messages.send(message)
        if header["order"] == "close":
            os._exit(0)

    async def report(self, header, buffers=()):
        await self.messages.send(self.pack(header, buffers))

    def pack(self, header, buffers=()):
        from msgpack import packb

        if self.tasks is not None:
            return self.tasks.pack_message(header, buffers)
        data = packb(header)
        return [struct.pack("<III", MARK, len(data), 0) + data]

    # Orders

    async def on_ready(self, header, _):
        # Dask has been imported.
        return None

    async def on_connect(self, header, _):
        from distributed import Client

        program, tasks, name = header["program"], header["tasks"], header["module"]
        self.tasks = install(name, tasks, program)
        if header["address"].startswith("tls://"):
            keep_errors_apart()
        self.client = await Client(
            header["address"],
            asynchronous=True,
            timeout=header["timeout"] / 1000,
            direct_to_workers=header["direct"],
            set_as_default=False,
            name="dask-hpc-runner",
        )
        versions = await versions_of_both(self.client.scheduler)
        if not understand(versions):
            raise Refused(say_mismatch(versions))
        try:
            await self.prepare_cluster(header)
        except Exception as error:
            mismatch = say_mismatch(versions)
            raise error if mismatch is None else Refused(f"{sentence(error)}; {mismatch}") from error
        self.spawn(self.watch_scheduler())
        self.node = header["node"]
        return {"address": self.client.scheduler.address, "dashboard": await self.find_dashboard()}

    async def find_dashboard(self):
        with contextlib.suppress(Exception):
            # Where it tells.
            if not await self.client.run_on_scheduler(self.tasks.has_dashboard):
                return None
        with contextlib.suppress(Exception):
            return self.client.dashboard_link

    async def prepare_cluster(self, header):
        text = header["module"], header["tasks"], header["program"]
        # Where the scheduler reads tasks itself; older ones do not, and some may be told not to.
        with contextlib.suppress(Exception):
            await self.client.run_on_scheduler(install, *text)
            await self.client.run_on_scheduler(self.tasks.follow_names)
        self.installer = make_installer(self.client.id, *text, header["node"])
        register = getattr(self.client, "register_plugin", None) or self.client.register_worker_plugin
        await register(self.installer)

    async def on_scatter(self, header, buffers):
        value = await self.aside([header], self.tasks.from_header, header["value"], buffers)
        workers = header.get("workers")
        if workers is not None:
            await self.learn_names()
            workers = self.resolve(workers, self.present)
        futures = await self.client.scatter({header["key"]: value}, workers=workers, hash=False)
        if header["broadcast"]:
            # Dask's scatter leaves this to its scheduler, and out where the data goes to the workers directly.
            await self.client.replicate(list(futures.values()), workers=workers)
        self.keep(header["future"], futures[header["key"]])

    async def on_close(self, header, _):
        # From here on a connection that ends is no loss.
        lost, self.gone = self.gone, True
        with contextlib.suppress(Exception):
            self.futures.clear()
            remove = getattr(self.client, "unregister_worker_plugin", None)
            if remove is not None and not lost and not await asyncio.wait_for(self.has_forgotten_tasks(), 2):
                await asyncio.wait_for(remove(self.installer.name), 2)
        with contextlib.suppress(Exception, asyncio.TimeoutError):
            await asyncio.wait_for(self.client.close(), 2)

    def fire_and_forget(self, futures):
        from distributed import fire_and_forget

        fire_and_forget(futures)
        self.forgotten.update(one.key for one in futures)

    async def has_forgotten_tasks(self):
        """Whether a worker that comes later may need what the installer gives to it."""
        if not self.forgotten:
            return False
        try:
            return await self.client.run_on_scheduler(self.tasks.has_unfinished, list(self.forgotten))
        except Exception:
            return True

    async def submit(self, groups, buffers):
        for group in groups:
            items = group["items"]
            try:
                if "spec" in group:
                    self.calls[group["call"]] = self.make_call(group)
                items = self.without_refused(items)
                if not items:
                    continue
                options = await self.options(group["options"])
                call = self.calls[group["call"]].within(options.pop("limit", None))
                futures = self.send(call, items, buffers, options)
            except Exception as error:
                described = {**self.tasks.describe(error), "kind": "submission", "text": sentence(error)}
                if isinstance(error, Refused):
                    described["traceback"] = ""
                for item in items:
                    self.refuse(item[0], described)
                continue
            for item, future in zip(items, futures):
                self.keep(item[0], future)

    def make_call(self, described):
        self.calls_javascript = self.calls_javascript or described["javascript"]
        kind = self.tasks.JavaScriptCall if described["javascript"] else self.tasks.PythonCall
        return kind(described["spec"], self.node)

    def without_refused(self, items):
        """The tasks but for those that need one which will have no result: they fail as that one."""
        left = []
        for item in items:
            why = next(filter(None, map(self.why_refused, item[5])), None)
            if why is None:
                left.append(item)
            else:
                self.refuse(item[0], why)
        return left

    def why_refused(self, number):
        if number not in self.refused and number in self.futures:
            # Cancelled with another future of the same task, or with what it needs.
            state = self.futures[number]._state
            return self.describe_state(state) if state.status == "cancelled" else None
        if number not in self.refused:
            text = "it needs a future that the client's Python process does not know"
            return {"kind": "submission", "type": "LookupError", "text": text, "traceback": ""}
        return self.refused[number]

    def refuse(self, number, described):
        self.refused[number] = described
        self.failed.append([number, described])
        self.tell()

    def send(self, call, items, buffers, options):
        """Gives the tasks [future, key, arguments, first buffer, number of buffers, dependencies] to Dask."""
        keys = [item[1] for item in items]
        payloads = [
            self.tasks.Payload(data, buffers[first : first + number]) if number else data
            for _, _, data, first, number, _ in items
        ]
        columns = [[self.futures[number] for number in column] for column in zip(*(item[5] for item in items))]
        if len(items) == 1:
            return [self.client.submit(call, *payloads, *(column[0] for column in columns), key=keys[0], **options)]
        return self.client.map(call, payloads, *columns, key=keys, **options)

    async def options(self, options):
        given = {"pure": False, **options}
        if "workers" in given:
            await self.learn_names()
            # One that is being started again has only its last address: others may do, or the task waits.
            given["workers"] = self.resolve(given["workers"], self.names, given.get("allow_other_workers", False))
            if not given["workers"]:
                del given["workers"], given["allow_other_workers"]
        return given

    def resolve(self, names, addresses, preferred=False):
        """The addresses of workers by name or address; a process of several workers stands for all of them.

        Not their names: Dask's scheduler fails on a name that is a number and has just gone, and ends our connection.
        """
        matching = {name: self.matching(name, addresses) for name in names}
        missing = [name for name in names if not matching[name]]
        if missing and not preferred:
            there = ", ".join(str(name) for name in self.present) or "none"
            raise Refused(f"there is no worker {missing[0]!r}; the workers are: {there}")
        return [addresses[known] for name in names for known in matching[name]]

    async def learn_names(self):
        """A worker that was started again has another address."""
        info = await self.client.scheduler.identity()
        self.present = {worker["name"]: address for address, worker in info["workers"].items()}
        self.names.update(self.present)

    def matching(self, name, addresses):
        exact = [
            known for known, address in addresses.items() if known == name or address == name or str(known) == str(name)
        ]
        return exact or [known for known in addresses if str(known).rpartition("-")[0] == str(name)]

    def cancel(self, numbers):
        futures = [self.futures[number] for number in numbers if number in self.futures]
        for number in numbers:
            if number in self.futures:
                text = str(self.futures[number].key)
                self.refused[number] = {"kind": "cancelled", "type": "CancelledError", "text": text, "traceback": ""}
                if self.futures[number].done():
                    # Nobody watches it, and Dask waits without end for a result that is taken back.
                    self.failed.append([number, self.refused[number]])
                    self.tell()
        self.spawn(self.cancel_now(futures))

    async def cancel_now(self, futures):
        running = await self.find_running([one.key for one in futures])
        with contextlib.suppress(Exception):
            await self.client.cancel(futures, force=True)
            for address, keys in running.items():
                await self.client.run(self.tasks.end_cancelled, keys, workers=[address], wait=False)

    async def find_running(self, keys):
        """Where JavaScript runs that has to be ended: Dask interrupts no task."""
        if not keys or not self.calls_javascript:
            return {}
        try:
            return await self.client.run_on_scheduler(self.tasks.find_running, keys)
        except Exception:
            # A scheduler that reads no code.
            return {address: keys for address in (await self.client.scheduler.identity())["workers"]}

    # The scheduler

    def lost_scheduler(self):
        return self.client is not None and self.client.status != "running"

    async def watch_scheduler(self):
        while not self.lost_scheduler():
            await asyncio.sleep(0.2)
        await self.say_gone()

    async def say_gone(self):
        if not self.gone:
            self.gone = True
            await self.report({"gone": f"Lost the scheduler at {self.client.scheduler.address}"})


def sentence(error):
    """What an error says, with its type where it may be no sentence: the text of a KeyError is nothing but a key."""
    text = str(error)[:20000]
    kind = type(error).__name__
    if isinstance(error, (Refused, OSError, asyncio.TimeoutError)):
        return text or kind
    return f"the client's Python process raised {kind}{': ' + text if text else ''}"


main(pipe)  # noqa: F821 - whoever executes this text has put the socket there
