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


def configuration():
    """What each of the files sets that Dask would read, by the full names of the keys."""
    try:
        import yaml
    except ImportError:
        return []
    found = [settings_of(path, yaml) for path in configuration_files()]  # noqa: F821 - configuration-files.py
    return [each for each in found if each is not None]


def settings_of(path, yaml):
    if not os.path.isfile(path) and not os.path.isdir(path):
        # Dask opens it all the same, and waits for what comes of a named pipe.
        return {"path": path, "error": "it is no file", "settings": {}}
    try:
        with open(path) as file:
            settings = yaml.safe_load(file)
    except OSError:
        # Dask passes over what it may not read.
        return None
    except Exception as error:
        return {"path": path, "error": " ".join(str(error).split())[:200], "settings": {}}
    if settings is None:
        return None
    if not isinstance(settings, dict):
        return {"path": path, "error": "it is no mapping", "settings": {}}
    return {"path": path, "settings": dict(list(flat(settings))[:100])}


def flat(settings, above=""):
    for key, value in settings.items():
        name = above + str(key).replace("_", "-")
        if isinstance(value, dict):
            yield from flat(value, name + ".")
        else:
            yield name, value if isinstance(value, (bool, int, float, type(None))) else str(value)[:200]


places = {name: place_of(name) for name in NAMES}
print(
    json.dumps(
        {
            "executable": sys.executable,
            "version": platform.python_version(),
            "packages": {name: version_of(name, place) for name, place in places.items() if place is not None},
            "place": places["distributed"],
            "configuration": configuration(),
        }
    )
)
