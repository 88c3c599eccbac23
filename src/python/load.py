# How Dask is imported. Executed before bootstrap.py, with which it shares its names.
import gc
import os
import site
import stat
import sys


def load(kind):
    """Import what the component will need, while nobody waits for it yet."""
    # Nothing of what is imported is garbage: to look for some takes a tenth of the time.
    gc.disable()
    refuse_pipes()
    try:
        if kind == "scheduler":
            import distributed.cli.dask_scheduler  # noqa: F401
        else:
            import distributed.cli.dask_worker  # noqa: F401

            load_versions()
    except ValueError as error:
        text, malformed, _ = str(error).partition(" is malformed")
        if malformed:
            # One line, which is then given as the reason.
            sys.exit(f"Cannot import Dask: {text} is malformed; mend it, or name another directory in DASK_CONFIG")
        raise
    gc.freeze()
    gc.enable()


def refuse_pipes():
    """Exit with a sentence if there is a named pipe among the files of Dask's configuration: the import would wait for a writer."""
    places = [os.getenv("DASK_ROOT_CONFIG", "/etc/dask"), "~/.config/dask", os.getenv("DASK_CONFIG", "")]
    places += [os.path.join(prefix, "etc", "dask") for prefix in [sys.prefix, *getattr(site, "PREFIXES", [])]]
    for place in [os.path.expanduser(place) for place in places if place]:
        try:
            names = os.listdir(place) if os.path.isdir(place) else [""]
            files = [name for name in names if not name or name.lower().endswith((".yaml", ".yml", ".json"))]
            paths = [os.path.join(place, name) if name else place for name in files]
            pipe = next((path for path in paths if stat.S_ISFIFO(os.stat(path).st_mode)), None)
        except OSError:
            # Dask passes over what it may not read.
            continue
        if pipe is not None:
            sys.exit(f'Cannot import Dask: "{pipe}" is a named pipe; remove it, or name another directory in DASK_CONFIG')


def load_versions():
    """Import what Dask imports when a worker registers, to compare the versions of pandas and others."""
    try:
        from distributed.versions import get_versions

        get_versions()
    except Exception:
        # Dask will say what there is to say, when it comes to that.
        pass
