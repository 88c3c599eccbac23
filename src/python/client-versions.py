# Whether the Dask of the client and that of the cluster understand each other. Executed before client.py, which shares
# its names.
import re
import sys

# From these on a graph has another form on its way.
FORMS = [(2023, 4), (2024, 5), (2025, 4)]


async def versions_of_both(scheduler):
    """The versions of Dask and Python here and in the scheduler, each as a text; None where they cannot be had."""
    from distributed.versions import get_versions

    try:
        theirs = (await scheduler.versions())["packages"]
        ours = get_versions()["packages"]
        return [[str(side["distributed"]), str(side["python"])] for side in (ours, theirs)]
    except Exception:
        return None


def say_mismatch(versions):
    """What to do where they differ; None where they do not."""
    if versions is None or versions[0] == versions[1]:
        return None
    ours, theirs = (f"Dask {dask} and Python {numbers(python, 3)}" for dask, python in versions)
    return (
        f"the cluster has {theirs}, the client's Python {sys.executable} has {ours}; "
        "name the Python of the cluster by the option python"
    )


def understand(versions):
    """Whether each understands what the other sends, as far as is known; code of another Python crashes it."""
    if versions is None:
        return True
    (ours, our_python), (theirs, their_python) = ((form_of(dask), numbers(python, 2)) for dask, python in versions)
    return our_python == their_python and (ours == theirs or None in (ours, theirs))


def form_of(dask):
    """Which form the graphs of this version have; None where it says nothing, such as the `0+unknown` of a source tree."""
    release = tuple(int(number) for number in re.findall(r"\d+", dask)[:2])
    return sum(release >= form for form in FORMS) if len(release) == 2 else None


def numbers(version, count):
    return ".".join(version.split(".")[:count])
