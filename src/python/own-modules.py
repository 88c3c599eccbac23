# Has imports find the user's own modules in the working directory: last of all places, and only modules that
# belong to this user (or root). Executed once Dask is imported: before, no import looks into that directory, in which
# a file of anybody, such as a socket.py, would be taken for a part of Python or of Dask.
import os
import stat
import sys
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader


class UncachedSource(SourceFileLoader):
    """What lies in __pycache__ may be somebody else's."""

    def path_stats(self, path):
        raise OSError


class OwnModules:
    def __init__(self, directory):
        kinds = (ExtensionFileLoader, EXTENSION_SUFFIXES), (UncachedSource, SOURCE_SUFFIXES)
        self.finder = FileFinder(directory, *kinds)
        self.told = set()

    def find_spec(self, name, path=None, target=None):
        spec = None if path is not None else self.finder.find_spec(name)
        if spec is None:
            return None
        places = list(spec.submodule_search_locations or [])
        if spec.has_location:
            places.append(spec.origin)
        foreign = next((place for place in places if not is_own(place)), None)
        if foreign is None:
            return spec
        if name not in self.told:
            self.told.add(name)
            text = f"dask-hpc-runner: {foreign!r} is not imported, because somebody else owns it or may write it"
            print(f"{text}; name its directory in PYTHONPATH if you trust it", file=sys.stderr, flush=True)
        return None

    def invalidate_caches(self):
        self.finder.invalidate_caches()


def is_own(path):
    try:
        return os.lstat(path).st_uid in (0, os.geteuid()) and not os.stat(path).st_mode & stat.S_IWOTH
    except OSError:
        return False


def install():
    try:
        sys.meta_path.append(OwnModules(os.getcwd()))
    except FileNotFoundError:
        pass


# With -P or PYTHONSAFEPATH the user has said that modules are not to come from there. (Python 3.11)
if not getattr(sys.flags, "safe_path", False):
    install()
