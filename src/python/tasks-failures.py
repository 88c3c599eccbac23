# How a failure is told. A part of the module that tasks-values.py describes.
# ruff: noqa: F821
import re
import traceback
import types

# Those that are no failures of the user's Python; task-error.ts has them all.
KINDS = {"javascript": JavaScriptError, "node": JavaScriptProcessLost, "timeout": TimeLimitExceeded, "value": CannotCross}

# By this name client.py compiles the module.
OWN = "<dask-hpc-runner>"
# By these we call a function, and Dask calls us.
BETWEEN = re.compile(
    r"[/\\](python3[^/\\]*|site-packages|dist-packages)[/\\]"
    r"((asyncio|concurrent|distributed|tornado)[/\\]|(contextlib|selectors|threading)\.py$)"
)
# Of an error without frames.
BARE_HEADING = re.compile(r"^Traceback \(most recent call last\):\n(?! )", re.MULTILINE)


def describe(error, trace=None):
    """What its program is told of it: DescribedFailure in task-error.ts. `trace` is its traceback, where Dask could send it."""
    kind = type(error)
    module = "" if kind.__module__ in ("builtins", __name__) else kind.__module__ + "."
    described = {"kind": "python", "type": module + kind.__qualname__, "text": text_of(error)}
    own = next((name for name, type_ in KINDS.items() if isinstance(error, type_)), None)
    if own is not None:
        described["kind"] = own
        if own == "javascript":
            described["details"] = error.args[1]
    elif kind.__name__ == "KilledWorker":
        worker = getattr(error, "last_worker", None)
        described.update(kind="worker", worker=str(getattr(worker, "address", worker)))
    elif "CancelledError" in kind.__name__:
        described["kind"] = "cancelled"
    trace = trace if isinstance(trace, types.TracebackType) else None
    # Without frames of the user's that of another kind says nothing.
    said = described["kind"] == "python" or any(users_frames(traceback.extract_tb(trace or error.__traceback__)))
    return {**described, "traceback": say_traceback(error, trace) if said else ""}


def text_of(error):
    try:
        return str(error)[:20000]
    except Exception as why:
        return f"its text cannot be had here: {type(why).__name__}"


def say_traceback(error, trace=None):
    """As Python writes it, with the frames of the user's code only. Where there are none, it is the error alone."""
    told = traceback.TracebackException(type(error), error, trace or error.__traceback__)
    keep_users_frames(told)
    text = BARE_HEADING.sub("", "".join(told.format()))
    # Our own classes by their names alone.
    return text.replace(f"{__name__}.", "")[-50000:]


def keep_users_frames(told):
    left = [told]
    while left:
        one = left.pop()
        if one is not None:
            one.stack[:] = users_frames(one.stack)
            left += [one.__cause__, one.__context__, *(getattr(one, "exceptions", None) or ())]


def users_frames(frames):
    """Those that are neither ours nor stand between Dask, us and the user."""
    ours, left = True, []
    for frame in frames:
        ours = frame.filename == OWN or (ours and BETWEEN.search(frame.filename) is not None)
        if not ours:
            left.append(frame)
    return left
