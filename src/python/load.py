# How Dask is imported. Executed before bootstrap.py, with which it shares its names.
import gc
import os
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
    pipe = next((path for path in configuration_files() if stat.S_ISFIFO(os.stat(path).st_mode)), None)  # noqa: F821
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
