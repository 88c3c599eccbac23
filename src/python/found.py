# Says whether this Python has Dask. Executed before bootstrap.py and client.py, which share its names.
import importlib.machinery
import importlib.util
import json
import sys


def tell_of_dask(pipe):
    """Report {"report": "python", "executable": ..., "dask": true | false} as a line, and give whether Dask can be imported."""
    # It is looked for in the usual places first: what is told of it is waited for.
    there = importlib.machinery.PathFinder.find_spec("distributed") or importlib.util.find_spec("distributed")
    report = {"report": "python", "executable": sys.executable, "dask": there is not None}
    pipe.sendall(f"\n{json.dumps(report)}\n".encode())
    return report["dask"]
