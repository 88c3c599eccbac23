# Which values of options Dask cannot use in this Python: asked before anything of Dask is started, by Dask's own code.
# Executed before bootstrap.py, with which it shares its names, and by `doctor`.
#
# A value is [option, name, value], such as ["protocol", "--protocol", "ftp"]. Nothing of the user's is imported: what a module
# has is read in its source, and only what surely is not there is refused.
import importlib
import os
import re
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
        # It finds out for itself only when it is used.
        if type(registry.get_backend(scheme)).__module__ == "distributed.comm.ucx" and look_up("ucp")[0] is not None:
            return f"there is no module ucp, which Dask needs for it; install ucx-py for {sys.executable}"
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
    missing, source = look_up(module)
    if missing is not None:
        return f"there is no module {missing}; {where_modules_are()}"
    if module.partition(".")[0] in ("dask", "distributed"):
        return import_class(name)
    # The worker imports it, and is surer.
    return lacks(module, attribute) if source is not None and not may_have(attribute, source) else None


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
    return lacks(module, attribute)


def lacks(module, attribute):
    return f"the module {module} has no {attribute}; write the name of a class that it has"


def judge_preload(text):
    if text.startswith(("http://", "https://")):
        return None
    if text.endswith(".py"):
        return None if os.path.isfile(text) else "there is no such file; see where it is, or write its whole path"
    # What has a blank is the text of a script for Dask.
    missing = None if " " in text else look_up(text)[0]
    if missing is None:
        return None
    what = "there is no such module" if missing == text or "/" in text else f"there is no module {missing}"
    return f"{what}; {where_modules_are()}, or name a file that ends in .py"


def judge_jupyter(text):
    missing = look_up("jupyter_server")[0]
    return missing and f"there is no module {missing}, which Dask needs for it; install jupyterlab for {sys.executable}"


# What a module may make names or modules by that do not stand in its source.
BY_OTHER_MEANS = re.compile(r"import +\*|__getattr__|__path__|\b(?:globals|locals|vars|exec|eval|setattr)\b|\bmodules\b|__dict__")


def look_up(name):
    """Looks a module up without executing the packages that it is in.

    Gives the module that no import could find, if there is one, and the source of the module that was found, if that is known.
    """
    try:
        known = sys.modules.get(name)
        if known is not None:
            return None, None
        whole, path, source = "", None, None
        for part in name.split("."):
            inside = whole
            whole = f"{whole}.{part}" if whole else part
            spec = find_spec(whole, path)
            if spec is None:
                # A package may make modules itself, and one that is no package may be replaced by one.
                may_make = inside and (inside in sys.modules or source is None or BY_OTHER_MEANS.search(source))
                return (None if may_make else whole), None
            path = spec.submodule_search_locations
            source = source_of(spec)
            if path is None and whole != name:
                path = []
        return None, source
    except Exception:
        return None, None


def find_spec(name, path):
    if name in sys.modules:
        return sys.modules[name].__spec__
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]
    return next((spec for finder in finders if (spec := finder.find_spec(name, path)) is not None), None)


def source_of(spec):
    """The text of a module; None for one that has none, or whose finder has it in another way."""
    get_source = getattr(spec.loader, "get_source", None)
    if get_source is None:
        # A directory without a text is a package as well.
        return "" if spec.submodule_search_locations is not None and not spec.has_location else None
    return get_source(spec.name)


def may_have(attribute, source):
    return bool(BY_OTHER_MEANS.search(source) or re.search(rf"\b{re.escape(attribute)}\b", source))


def where_modules_are():
    return f"install it for {sys.executable}, or name its directory in PYTHONPATH"


JUDGES = {
    "protocol": judge_protocol,
    "listenAddress": judge_address,
    "contactAddress": judge_address,
    "workerClass": judge_class,
    "preload": judge_preload,
    "preloadNanny": judge_preload,
    "jupyter": judge_jupyter,
}
