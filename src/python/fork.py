# How one process that has imported Dask becomes several workers: it forks them while it has one thread.
# Executed before bootstrap.py, with which it shares its names.
#
# More orders and reports of such a process, which has the open pipes `channels` for its workers:
#   {"order": "load", "component": "workers", "channels": [descriptor, ...]}
#   {"report": "loaded", "pid": ..., "threads": n}                 forking is safe with one thread only
#   {"order": "fork", "name": ..., "channels": [orders, stdout, stderr]}
#   {"report": "forked", "name": ..., "pid": ...}
#   {"report": "exited", "name": ..., "status": ... | null, "signal": ... | null}
# A worker talks over its own channel from then on, like one that was started alone, and dies with this process.
import ctypes
import os
import select
import signal
import socket
import sys


def threads():
    """How many threads this process has; None where that cannot be known."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return None


def fork_workers(pipe, orders, channels):
    """Fork as ordered. Returns in the workers only: their own channel."""
    names = {}
    wake, waker = socket.socketpair()
    for end in (wake, waker):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, nothing)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    poll.register(wake, select.POLLIN)
    while True:
        ready = [] if orders.waiting() else [descriptor for descriptor, _ in poll.poll()]
        if wake.fileno() in ready:
            drain(wake)
            report_exits(pipe, names)
        if not orders.waiting() and pipe.fileno() not in ready:
            continue
        order = orders.next()
        name, own = order["name"], order["channels"]
        parent = os.getpid()
        pid = fork(own)
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for end in (wake, waker, pipe):
                end.close()
            for channel in channels - set(own):
                os.close(channel)
            return become_worker(parent, name, *own)
        channels -= set(own)
        for channel in own:
            os.close(channel)
        if pid is None:
            say(pipe, report="exited", name=name, status=1, signal=None)
        else:
            names[pid] = name
            say(pipe, report="forked", name=name, pid=pid)


def fork(channels):
    """Like os.fork, but when it returns the child leads a session of its own. None where no process can be had."""
    leads, tells = os.pipe()
    try:
        pid = os.fork()
    except OSError as error:
        os.write(channels[2], f"Cannot fork: {error}\n".encode())
        pid = None
    if pid == 0:
        os.setsid()
    os.close(tells)
    if pid:
        os.read(leads, 1)
    os.close(leads)
    return pid


def become_worker(parent, name, orders, stdout, stderr):
    die_with_parent(parent)
    for descriptor, standard in ((stdout, 1), (stderr, 2)):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    be_listed_as(name)
    # Python's own random numbers begin anew after a fork; NumPy's would be the same in every worker.
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()
    channel = socket.socket(fileno=orders)
    channel.set_inheritable(False)
    return channel


def report_exits(pipe, names):
    while names:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        killed = os.WIFSIGNALED(status)
        say(
            pipe,
            report="exited",
            name=names.pop(pid),
            status=None if killed else os.WEXITSTATUS(status),
            signal=signal.Signals(os.WTERMSIG(status)).name if killed else None,
        )


def drain(wake):
    try:
        while wake.recv(4096):
            pass
    except BlockingIOError:
        pass


def be_listed_as(name):
    """In a process listing, be `worker NAME` and not what this process was forked from."""
    try:
        with open("/proc/self/cmdline", "rb") as file:
            words = file.read()
        with open("/proc/self/stat", "rb") as file:
            start = int(file.read().rpartition(b")")[2].split()[45])
        place = words.index(b"\0workers\0")
        length = len(words) - place
        title = b"\0worker\0" + name.encode()
        if start > 0 and len(title) < length:
            ctypes.memmove(start + place, title.ljust(length, b"\0"), length)
    except (OSError, ValueError, IndexError):
        pass


