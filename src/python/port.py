# The port of a scheduler, bound before Dask is imported, so that its address is known while the import takes its time.
# Executed before bootstrap.py, with which it shares its names.
import os
import re
import site
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
        say(self.pipe, report="bound", address=self.port.address, connect="connect" in settings)

    def wait(self):
        self.join()
        return self.order


class Port:
    """A port that is bound and not listened on: nobody else gets it, with SO_REUSEADDR or without."""

    def __init__(self, arguments):
        given = dict(zip(arguments, arguments[1:]))
        # As bytes: a text would be encoded by a module of Python's that has to be imported first.
        host, port = given["--host"].strip("[]").encode(), int(given["--port"])
        family, _, _, _, place = min(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), key=lambda each: each[0])
        if place[0] in ("0.0.0.0", "::"):
            raise ValueError("Dask chooses which of all addresses it tells")
        self.family, self.place = family, place
        try:
            self.socket = self.bind(reuse=False)
        except OSError:
            # Connections of an earlier run may still be closing there.
            self.socket = self.bind(reuse=True)
        self.place = self.socket.getsockname()
        name = f"[{self.place[0]}]" if family == socket.AF_INET6 else self.place[0]
        self.address = f"{given.get('--protocol', 'tcp')}://{name}:{self.place[1]}"
        arguments[arguments.index("--port") + 1] = str(self.place[1])

    def bind(self, reuse):
        bound = socket.socket(self.family, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(reuse))
            if self.family == socket.AF_INET6:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bound.bind(self.place)
        except OSError:
            bound.close()
            raise
        return bound

    def give(self):
        """Let Dask bind it too, as it does with SO_REUSEADDR: Linux bears that while nobody listens there, and both want it."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.bind(reuse=True).close()
        except OSError:
            self.socket.close()


def dask_settings():
    """What the user has set, of what decides on the scheduler's address and on how long a client tries to connect.

    Dask's configuration is not read as Dask does, which would take an import: its files are looked through for these names.
    """
    names = "(connect|contact[-_]address|default[-_]scheme)"
    inner = re.compile(rf"(?<![\w-]){names}[\"']?\s*:[ \t]*[\"']?([^\s\"',}}]*)")
    found = [pair for text in configuration_texts() for pair in inner.findall(re.sub(r"(?m)#.*$", "", text))]
    ours = re.compile(r"DASK_DISTRIBUTED__(?:COMM__TIMEOUTS__|SCHEDULER__|COMM__)" + names + "$", re.IGNORECASE)
    found += [(match[1], value) for match, value in ((ours.match(name), value) for name, value in os.environ.items()) if match]
    # As Dask's own defaults have them.
    as_ever = {"", "null", "~", "None", "tcp"}
    return {name.lower().replace("_", "-"): value for name, value in found if value not in as_ever}


def configuration_texts():
    """The texts of the files that Dask would read its configuration from. (dask/config.py)"""
    folders = [os.getenv("DASK_ROOT_CONFIG", "/etc/dask"), os.path.join(sys.prefix, "etc", "dask")]
    folders += [os.path.join(prefix, "etc", "dask") for prefix in getattr(site, "PREFIXES", [])]
    folders += [os.path.expanduser("~/.config/dask"), *filter(None, [os.getenv("DASK_CONFIG")])]
    for place in dict.fromkeys(os.path.expanduser(folder) for folder in folders):
        try:
            names = os.listdir(place) if os.path.isdir(place) else [""]
        except OSError:
            continue
        for path in [os.path.join(place, name) if name else place for name in names]:
            if not path.lower().endswith((".yaml", ".yml", ".json")):
                continue
            try:
                with open(path, errors="replace") as file:
                    yield file.read(1_000_000)
            except OSError:
                pass
