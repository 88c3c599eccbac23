# Which values of options Dask cannot use in this Python: asked before anything of Dask is started, by Dask's own code.
# Executed before bootstrap.py, with which it shares its names, and by `doctor`.
#
# A value is [option, name, value], such as ["protocol", "--protocol", "ftp"]. Nothing of the user's is imported.
import importlib
import importlib.util
import os
import sys


def find_refusal(values):
    """The sentence about the first value that cannot be used; None where all can."""
    for option, name, value in values:
        why = JUDGES[option](value)
        if why is not None:
            return f'Cannot use {name} "{value}": {why}'
    return None


def judge_protocol(scheme):
    import distributed.comm  # noqa: F401 - registers those that Dask has
    from distributed.comm import registry

    try:
        registry.get_backend(scheme)
    except ValueError:
        known = sorted({*registry.backends, *plugins()} - {"inproc"})
        return f"Dask knows no such protocol; write one of {', '.join(known)}"
    except Exception:
        # What is wrong with a plugin, it says itself when it is used.
        pass
    return None


def plugins():
    """The names of protocols that other packages bring."""
    from importlib import metadata

    group = "distributed.comm.backends"
    try:
        found = metadata.entry_points()
        return {each.name for each in (found.select(group=group) if hasattr(found, "select") else found.get(group, ()))}
    except Exception:
        return set()


def judge_address(address):
    scheme, _, rest = address.rpartition("://")
    return judge_protocol(scheme) if scheme else None


def judge_class(name):
    module, _, attribute = name.rpartition(".")
    if is_missing(module):
        return f"there is no module {module.partition('.')[0]}; {where_modules_are()}"
    if module.partition(".")[0] not in ("dask", "distributed"):
        # The worker imports it.
        return None
    return import_class(name)


def import_class(name):
    """Why the class cannot be had, once its module was imported."""
    module, _, attribute = name.rpartition(".")
    try:
        if hasattr(importlib.import_module(module), attribute):
            return None
    except ModuleNotFoundError as error:
        if error.name != module and not module.startswith(f"{error.name}."):
            # A module that the user's imports, about which the traceback says more.
            return None
        return f"there is no module {error.name}; {where_modules_are()}"
    except Exception:
        return None
    return f"the module {module} has no {attribute}; write the name of a class that it has"


def judge_preload(text):
    if text.startswith(("http://", "https://")):
        return None
    if text.endswith(".py"):
        return None if os.path.isfile(text) else "there is no such file; see where it is, or write its whole path"
    # What has a blank is the text of a script for Dask.
    if " " in text or not is_missing(text):
        return None
    return f"there is no such module; {where_modules_are()}, or name a file that ends in .py"


def is_missing(module):
    """Whether no import could find it. Those in a package are not looked for: that would execute the package."""
    top = module.partition(".")[0]
    try:
        return top not in sys.modules and importlib.util.find_spec(top) is None
    except Exception:
        return False


def where_modules_are():
    return f"install it for {sys.executable}, or name its directory in PYTHONPATH"


JUDGES = {
    "protocol": judge_protocol,
    "listenAddress": judge_address,
    "contactAddress": judge_address,
    "workerClass": judge_class,
    "preload": judge_preload,
}
