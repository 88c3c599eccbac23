# Has imports find the user's own modules in the working directory: last of all places, and only modules that
# belong to this user (or root), and that nobody else may write. Executed once Dask is imported: before, no import looks into that directory, in which
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
        target = os.stat(path)
        return {os.lstat(path).st_uid, target.st_uid} <= {0, os.geteuid()} and not others_may_write(target)
    except OSError:
        return False


def others_may_write(found):
    if found.st_mode & stat.S_IWOTH:
        return True
    is_of_root = found.st_uid == 0 and found.st_gid == 0
    return bool(found.st_mode & stat.S_IWGRP) and not is_of_root and not is_own_group(found.st_gid)


def is_own_group(gid):
    # Of the user's name, and with no other member, as many systems have it by default.
    import grp
    import pwd

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    return user.pw_gid == gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}


def install():
    try:
        sys.meta_path.append(OwnModules(os.getcwd()))
    except FileNotFoundError:
        pass


# With -P or PYTHONSAFEPATH the user has said that modules are not to come from there. (Python 3.11)
if not getattr(sys.flags, "safe_path", False):
    install()
