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
    """Whether what one of them sends is known not to be understood by the other; code of another Python crashes it."""
    return versions is None or form_of(versions[0]) == form_of(versions[1])


def form_of(versions):
    dask, python = versions
    year, month = (int(number) for number in re.findall(r"\d+", dask)[:2])
    return sum((year, month) >= form for form in FORMS), numbers(python, 2)


def numbers(version, count):
    return ".".join(version.split(".")[:count])
