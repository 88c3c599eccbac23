# How Dask is imported in less time than by `import distributed`. Executed before bootstrap.py, with which it
# shares its names.
import contextlib
import errno
import functools
import gc
import os
import socket
import sys
import time

LONGEST_WAIT_FOR_CPU = 2  # seconds


def load(kind):
    """Import what the component will need, while nobody waits for it yet."""
    # Everybody waits for the scheduler.
    with own_cpu(patience=0 if kind == "scheduler" else LONGEST_WAIT_FOR_CPU), late_certificates(), fast_yaml():
        # Nothing of what is imported is garbage: to look for some takes a tenth of the time.
        gc.disable()
        if kind == "scheduler":
            import distributed.cli.dask_scheduler  # noqa: F401
        else:
            import distributed.cli.dask_worker  # noqa: F401

            load_versions()
        gc.freeze()
        gc.enable()


def load_versions():
    """Import what Dask imports when a worker registers, to compare the versions of pandas and others."""
    try:
        from distributed.versions import get_versions

        get_versions()
    except Exception:
        # Dask will say what there is to say, when it comes to that.
        pass


@contextlib.contextmanager
def own_cpu(patience):
    """Hold one of the CPUs that this process may use, of which another import of this user's holds none.

    Where there are more processes than CPUs, imports that share those end all at once and late, the scheduler's
    among them. After `patience` seconds it goes without: the others may wait for their filesystem.
    """
    if sys.platform != "linux":
        yield
        return
    try:
        mine = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    except OSError:
        yield
        return
    with mine:
        deadline = time.monotonic() + patience
        while are_taken(mine) and time.monotonic() < deadline:
            time.sleep(0.01)
        yield


def are_taken(mine):
    """Whether others hold all CPUs; if not, `mine` holds one from now on, by a name that is gone when this process is."""
    for cpu in os.sched_getaffinity(0):
        try:
            mine.bind(f"\0dask-hpc-runner-{os.getuid()}-cpu-{cpu}")
            return False
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return False
    return True


@contextlib.contextmanager
def late_certificates():
    """Have each TLS context that is made meanwhile load the system's certificates when it is first used.

    Tornado makes one as it is imported, which only its own HTTPS clients use: the certificates of all
    authorities are another tenth of the time.
    """
    try:
        import ssl
    except ImportError:
        yield
        return
    if ssl.SSLContext.__module__ != "ssl":
        # Somebody has put another in its place, which asks elsewhere for certificates.
        yield
        return
    plain, load_now = ssl.SSLContext, ssl.SSLContext.load_default_certs

    class LateContext(plain):
        """Any use of the certificates makes it a plain context that has them."""

    def late(use):
        @functools.wraps(use)
        def load_and_use(self, *args, **kwargs):
            if type(self) is LateContext:
                load_now(self, self.late_purpose)
                self.__class__ = plain
            return use(self, *args, **kwargs)

        return load_and_use

    for name in ("_wrap_socket", "_wrap_bio", "get_ca_certs", "cert_store_stats"):
        setattr(LateContext, name, late(getattr(plain, name)))

    def load_late(self, purpose=ssl.Purpose.SERVER_AUTH):
        if type(self) is not plain:
            return load_now(self, purpose)
        self.late_purpose = purpose
        self.__class__ = LateContext

    plain.load_default_certs = load_late
    try:
        yield
    finally:
        plain.load_default_certs = load_now


@contextlib.contextmanager
def fast_yaml():
    """Read Dask's configuration with the C library for YAML, where the Python has it."""
    try:
        import yaml
        from yaml import CSafeLoader
    except ImportError:
        yield
        return
    safe_load = yaml.safe_load
    yaml.safe_load = lambda stream: yaml.load(stream, CSafeLoader)
    try:
        yield
    finally:
        yaml.safe_load = safe_load
