# The port of a scheduler, bound before Dask is imported, so that its address is known while the import takes its time.
# Executed before bootstrap.py, with which it shares its names.
import os
import re
import socket
import sys
import threading


class EarlyOrder(threading.Thread):
    """Reads the order to start while Dask is imported, and says where the scheduler will listen, where that can be known.

    It imports nothing: another thread's import holds Python's lock while it looks for a module, which takes long on a slow filesystem.
    """

    def __init__(self, orders, pipe):
        super().__init__(daemon=True)
        self.orders, self.pipe = orders, pipe
        self.order, self.port = None, None
        self.start()

    def run(self):
        self.order = self.orders.next()
        arguments = self.order["arguments"]
        # What Dask has to judge is told before anything else begins.
        if any(value not in ("tcp", "tls") for _, _, value in self.order.get("values", ())):
            return
        settings = dask_settings()
        if settings.keys() & {"contact-address", "default-scheme"}:
            return
        try:
            self.port = Port(arguments)
        except (OSError, ValueError, KeyError):
            # Dask chooses the address, or will say what is wrong with it.
            return
        say(self.pipe, report="bound", address=self.port.address, connect="connect" in settings, link="link" in settings)

    def wait(self):
        self.join()
        return self.order


class Port:
    """A port in which clients already wait for the scheduler, and which nobody else gets.

    The socket listens as soon as its address is told, and Dask takes it over. A client that is refused tries again after
    pauses that grow as long as it has waited already; one that waits in the socket is served when the scheduler is there.
    """

    def __init__(self, arguments):
        given = dict(zip(arguments, arguments[1:]))
        # As bytes: a text would be encoded by a module of Python's that has to be imported first.
        host, port = given["--host"].strip("[]").encode(), int(given["--port"])
        family, _, _, _, place = min(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), key=lambda each: each[0])
        if place[0] in ("0.0.0.0", "::"):
            raise ValueError("Dask chooses which of all addresses it tells")
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        # As Dask would bind it.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.socket.bind(place)
        self.socket.listen(2048)
        address, self.number = self.socket.getsockname()[:2]
        name = f"[{address}]" if family == socket.AF_INET6 else address
        self.address = f"{given.get('--protocol', 'tcp')}://{name}:{self.number}"
        arguments[arguments.index("--port") + 1] = str(self.number)

    def give(self):
        """Have Dask's listener take the socket, where it would bind one to this port."""
        netutil = getattr(sys.modules.get("distributed.comm.tcp"), "netutil", None)
        dask = sys.modules.get("dask")
        if netutil is None or dask.config.get("distributed.comm.tcp.backend", "tornado") != "tornado":
            # Such a Dask binds a socket of its own, and whoever waits in this one connects again.
            self.socket.close()
            return
        bind = netutil.bind_sockets

        def bind_or_take(port, *args, **options):
            if port != self.number:
                return bind(port, *args, **options)
            netutil.bind_sockets = bind
            self.socket.listen(options.get("backlog", 128))
            self.socket.setblocking(False)
            return [self.socket]

        netutil.bind_sockets = bind_or_take


def dask_settings():
    """What the user has set, of what decides on the scheduler's address, on how long a client tries to connect, and on the dashboard's link.

    Dask's configuration is not read as Dask does, which would take an import: its files are looked through for these names.
    """
    names = "(connect|contact[-_]address|default[-_]scheme|link)"
    inner = re.compile(rf"(?<![\w-]){names}[\"']?\s*:[ \t]*[\"']?([^\s\"',}}]*)")
    found = [pair for text in configuration_texts() for pair in inner.findall(re.sub(r"(?m)#.*$", "", text))]
    ours = re.compile(r"DASK_DISTRIBUTED__(?:COMM__TIMEOUTS__|SCHEDULER__|COMM__|DASHBOARD__)" + names + "$", re.IGNORECASE)
    found += [(match[1], value) for match, value in ((ours.match(name), value) for name, value in os.environ.items()) if match]
    # As Dask's own defaults have them.
    as_ever = {"", "null", "~", "None", "tcp"}
    return {name.lower().replace("_", "-"): value for name, value in found if value not in as_ever}


def configuration_texts():
    """The texts of the files that Dask would read its configuration from."""
    for path in configuration_files():  # noqa: F821 - configuration-files.py
        if not os.path.isfile(path):
            continue
        try:
            with open(path, errors="replace") as file:
                yield file.read(1_000_000)
        except OSError:
            pass
