# Prints, as one line of JSON, which Python this is and which versions Dask would find in it. What is
# installed as a package is read without importing it; what only lies on the path is imported.
import importlib
import importlib.util
import json
import os
import platform
import sys

try:
    from importlib import metadata
except ImportError:  # before Python 3.8
    metadata = None

# What Dask itself compares between client, scheduler and workers, and bokeh, which its dashboard needs.
NAMES = "distributed dask msgpack cloudpickle tornado toolz numpy pandas lz4 bokeh".split()


def place_of(name):
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    return spec.origin or next(iter(spec.submodule_search_locations or []), "")


def installed_version(name, place):
    """The version of the package `name`, if it is the one that an import would find."""
    try:
        package = metadata.distribution(name)
        root = os.path.realpath(str(package.locate_file("")))
        return package.version if os.path.realpath(place).startswith(root + os.sep) else None
    except Exception:
        return None


def version_of(name, place):
    version = installed_version(name, place) if metadata else None
    if version:
        return version
    try:
        return str(getattr(importlib.import_module(name), "__version__", "unknown"))
    except Exception as error:
        return "unknown (%s: %s)" % (type(error).__name__, error)


places = {name: place_of(name) for name in NAMES}
print(
    json.dumps(
        {
            "executable": sys.executable,
            "version": platform.python_version(),
            "packages": {name: version_of(name, place) for name, place in places.items() if place is not None},
            "place": places["distributed"],
        }
    )
)
