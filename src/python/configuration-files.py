# From which files Dask reads its configuration. Executed before describe.py, load.py and port.py, which share its names.
import os
import site
import sys


def configuration_files():
    """Their paths, in the order in which Dask reads them. (dask/config.py)"""
    folders = [os.getenv("DASK_ROOT_CONFIG", "/etc/dask"), os.path.join(sys.prefix, "etc", "dask")]
    folders += [os.path.join(prefix, "etc", "dask") for prefix in getattr(site, "PREFIXES", [])]
    folders += ["~/.config/dask", *filter(None, [os.getenv("DASK_CONFIG")])]
    for place in dict.fromkeys(os.path.expanduser(folder) for folder in folders):
        try:
            # What is named itself is read whatever its name.
            names = sorted(os.listdir(place)) if os.path.isdir(place) else [""]
        except OSError:
            # Dask passes over what it may not read.
            continue
        for name in names:
            path = os.path.join(place, name) if name else place
            if (not name or name.lower().endswith((".yaml", ".yml", ".json"))) and os.path.exists(path):
                yield path
