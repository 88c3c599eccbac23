# Runs one Dask scheduler or worker by Dask's own command line, under the orders of a supervisor.
#
# Orders come and reports go over the socket `pipe`, one JSON object a line:
#   {"report": "python", "executable": ..., "dask": true | false}    at once; where there is no Dask, that is all
#   {"order": "load", "component": "scheduler" | "worker" | "workers", "log": [level, is_given]}   import what it will need; records of
#       Dask's log below the level are marked: see records.py
#   {"report": "loaded", "pid": ..., "threads": n}                   (what follows for `workers`: see fork.py)
#   {"report": "bound", "address": ..., "connect": true | false, "link": true | false}     a scheduler's port is bound, often
#       while it imports Dask: see port.py; whether the user has said how long Dask may take to connect, and what links to the dashboard
#   {"order": "start", "arguments": [...], "environment": {...}, "resources": {...}, "directory": ..., "gpus": ...}
#       set the variables; have the resources, where nothing else says how many there are; keep files in the directory,
#       unless the configuration names another; tell the scheduler of the GPUs; `values` are those that values.py judges first, `names` how
#       messages call flags of Dask
#   {"report": "refused", "message": ...}                            one of them cannot be used: this process ends with 64
#   {"report": "started", "component": ..., "identity": {...}, "versions": {...}}   a worker's identity is its address, a scheduler says `link` again
#   {"report": "client"}                                             a scheduler's first client has come
#   {"report": "closing", "clients": n}                              somebody closes a scheduler, to which so many clients are connected
#   {"report": "killed", "limit": ... | null, "part": ... | null}    a nanny's worker was killed, and the nanny starts it again: Dask allows it
#       `limit` bytes; `part`: it had more than this part of them, and the nanny has killed it
#   {"order": "stop"}                                                close as Dask closes, then exit
# When the pipe closes, the supervisor is gone, and so is this process with its whole group.
import functools
import itertools
import json
import logging
import os
import signal
import sys
import threading
import warnings


def main(pipe):
    pipe.set_inheritable(False)
    die_with_parent(os.getppid())  # noqa: F821 - parent.py
    leave_signals_to_supervisor()
    if not tell_of_dask(pipe):  # noqa: F821 - found.py
        return
    orders = Orders(pipe)
    order = orders.next()
    kind = order["component"]
    # What a nanny starts needs it, too.
    own = "{}\nmark_below(*{!r})\n{}".format(RECORDS, order["log"], HEARTBEATS)  # noqa: F821 - records.py, heartbeats.py
    exec(own, {})
    early = EarlyOrder(orders, pipe) if kind == "scheduler" else None  # noqa: F821 - port.py
    load(kind)
    say_loaded(pipe)
    if kind == "workers":
        kind, pipe = "worker", fork_workers(pipe, orders, set(order["channels"]))
        orders = Orders(pipe)
        say_loaded(pipe)
    order = orders.next() if early is None else early.wait()
    component = Component(kind, pipe)  # noqa: F821 - component.py
    threading.Thread(target=obey, args=(orders, component), daemon=True).start()
    os.environ.update(order["environment"])
    offer(order["resources"])
    keep_files_in(order.get("directory"))
    look_for_directory(flags_of(order["arguments"]))
    component.gpus = order.get("gpus")
    if early is not None and early.port is not None:
        early.port.give()
    run(kind, order, component, own)


def say(pipe, **report):
    # A task may have written there too, and not ended its line.
    pipe.sendall(("\n" + json.dumps(report, default=str) + "\n").encode())


def say_loaded(pipe):
    say(pipe, report="loaded", pid=os.getpid(), threads=threads())


def leave_signals_to_supervisor():
    """Ignore the signals of the workload manager: what they mean comes as an order.

    A handler that does nothing is used, and neither SIG_IGN nor a mask, because subprocesses of a
    task would inherit those. Dask must not replace it.
    """
    kept = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2}
    set_handler = signal.signal
    for number in kept:
        set_handler(number, nothing)

    @functools.wraps(set_handler)
    def keep_handler(number, handler):
        return signal.getsignal(number) if number in kept else set_handler(number, handler)

    signal.signal = keep_handler


def nothing(number, frame):
    pass


class Orders:
    """The orders that come over a pipe, one by one."""

    def __init__(self, pipe):
        self.pipe = pipe
        self.rest = b""

    def waiting(self):
        """Whether one has come already."""
        return b"\n" in self.rest

    def next(self):
        while not self.waiting():
            part = self.pipe.recv(65536)
            if not part:
                os.killpg(0, signal.SIGKILL)
            self.rest += part
        line, _, self.rest = self.rest.partition(b"\n")
        return json.loads(line)


def obey(orders, component):
    while True:
        if orders.next()["order"] == "stop":
            component.stop()


def keep_files_in(directory):
    if directory is None:
        return
    import dask.config

    if not dask.config.get("temporary-directory", None):
        dask.config.set({"temporary-directory": directory})


def flags_of(arguments):
    """Those that Dask reads: what is behind "--" is for what it preloads."""
    return list(itertools.takewhile(lambda word: word != "--", arguments))


def look_for_directory(arguments):
    """A container may not show the directory that the supervisor has made for this worker on the host."""
    directory = dict(zip(arguments, arguments[1:])).get("--local-directory")
    if directory is not None and not os.path.isdir(directory):
        advice = "bind the directory above it into the container, or name one that it shows by --local-directory"
        print(f'This Python does not see "{directory}", which is made for its files: {advice}', file=sys.stderr, flush=True)


def prepare_children(own):
    """Have what multiprocessing starts by `python -c` begin as we do: without the working directory, then with own-modules.py and `own`."""
    from multiprocessing import util

    os.environ["DASK_HPC_RUNNER_OWN_MODULES"] = f"{OWN_MODULES}\n{own}"  # noqa: F821
    first = WITHOUT_DIRECTORY  # noqa: F821
    first += "exec(__import__('os').environ.pop('DASK_HPC_RUNNER_OWN_MODULES',''),{});"
    spawn = util.spawnv_passfds

    @functools.wraps(spawn)
    def spawn_so(path, args, passfds):
        args = [first + arg if before == "-c" else arg for before, arg in zip(["", *args], args)]
        return spawn(path, args, passfds)

    util.spawnv_passfds = spawn_so


def offer(resources):
    """Name resources in Dask's configuration, in which the user's own stay as they are. --resources replaces all."""
    if not resources:
        return
    import dask.config

    configured = dask.config.get("distributed.worker.resources", None) or {}
    dask.config.set({"distributed.worker.resources": {**resources, **configured}})


def without_traceback(record):
    """What Dask says as mere information needs no traceback, such as that the other end has closed first."""
    if record.levelno <= logging.INFO:
        record.exc_info = None
    return True


class EndReason(logging.Filter):
    """Notes which key of Dask's configuration a server says it ends by; what is printed last is given as the reason."""

    KEYS = {
        "Scheduler closing after being idle": "distributed.scheduler.idle-timeout",
        "worker-lifetime-reached": "distributed.worker.lifetime.duration",
    }
    key = None

    def filter(self, record):
        text = record.getMessage()
        self.key = next((key for sign, key in self.KEYS.items() if sign in text), self.key)
        return True

    def tell(self, arguments):
        if self.key is None:
            return
        flags = [flag for flag in ("--lifetime", "--idle-timeout") if flag[2:] in self.key and flag in arguments]
        where = flags[0] if flags else f"{self.key} in Dask's configuration"
        print(f"It has ended by itself, because of {where}", file=sys.stderr, flush=True)


def refuse_unencrypted(arguments):
    """Say which key it is that Dask would fail by, where it demands encryption and is to do without."""
    import dask.config

    key = "distributed.comm.require-encryption"
    schemes = [dask.config.get("distributed.comm.default-scheme", None), *arguments]
    if dask.config.get(key, None) and not any(str(scheme).startswith("tls") for scheme in schemes):
        sys.exit(f"Dask's configuration demands encryption ({key}), and the cluster has none: give --protocol tls")


def refuse_values(kind, values, pipe):
    """End where a value cannot be used, before Dask would start with it and fail."""
    refusal = find_refusal(values)
    if refusal is None and kind == "worker":
        for option, name, value in values:
            # A worker imports it in any case.
            why = import_class(value) if option == "workerClass" else None
            refusal = refusal or (why and f'Cannot use {name} "{value}": {why}')
    if refusal is not None:
        refuse(pipe, refusal)


def refuse(pipe, message):
    say(pipe, report="refused", message=message)
    sys.stdout.flush()
    os._exit(64)


def refuse_unknown_flags(kind, command, order, pipe):
    """End where this Dask has no such flag: it would say how it is used, and not what to do."""
    parameters = getattr(command, "params", None)
    if parameters is None:
        # It is no command of click, as every Dask so far has it.
        return
    known = {flag for parameter in parameters for flag in (*parameter.opts, *parameter.secondary_opts)}
    unknown = next((flag for flag in flags_of(order["arguments"]) if flag.startswith("--") and flag not in known), None)
    if unknown is None:
        return
    name = order.get("names", {}).get(unknown, unknown)
    whose = f"the {kind} of Dask {versions()['distributed'].partition('+')[0]} in {sys.executable}"
    refuse(pipe, f"Cannot use {name}: {whose} has no option {unknown}; leave it out, or install another Dask")


def run(kind, order, component, own):
    arguments, all_arguments = flags_of(order["arguments"]), order["arguments"]
    prepare_tls(kind, arguments)
    reason = EndReason()
    for name in ("distributed.scheduler", "distributed.worker"):
        logging.getLogger(name).addFilter(reason)
    logging.getLogger("distributed.batched").addFilter(without_traceback)
    if kind == "scheduler":
        from distributed import Scheduler
        from distributed.cli.dask_scheduler import main as command

        component.watch(Scheduler)
    else:
        from distributed import Nanny, Worker
        from distributed.cli.dask_worker import main as command

        component.watch(Nanny if "--nanny" in arguments else Worker)
        if "--nanny" in arguments:
            prepare_children(own)
    if "--host" in arguments:
        # Dask looks for an address of version 4 all the same, and warns where there is none.
        warnings.filterwarnings("ignore", "Couldn't detect a suitable IP address|Unable to use address")
    if "--jupyter" in arguments:
        # Jupyter in an older Dask takes them for its own.
        del sys.argv[1:]
    exec(OWN_MODULES, {})  # noqa: F821 - own-modules.py
    refuse_unknown_flags(kind, command, order, component.pipe)
    refuse_values(kind, order.get("values", ()), component.pipe)
    refuse_unencrypted(arguments)
    try:
        command(args=all_arguments, prog_name="dask " + kind)
    finally:
        reason.tell(arguments)


main(pipe)  # noqa: F821 - whoever executes this text has put the socket there
