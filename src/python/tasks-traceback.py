# What a traceback says of the user's code. A part of the module that tasks-values.py describes.
import re
import traceback

# By this name client.py compiles the module.
OWN = "<dask-hpc-runner>"
# By these we call a function, and Dask calls us.
BETWEEN = re.compile(
    r"[/\\](python3[^/\\]*|site-packages|dist-packages)[/\\]"
    r"((asyncio|concurrent|distributed|tornado)[/\\]|(contextlib|selectors|threading)\.py$)"
)
# Of an error without frames.
BARE_HEADING = re.compile(r"^Traceback \(most recent call last\):\n(?! )", re.MULTILINE)


def say_traceback(error, trace=None):
    """As Python writes it, with the frames of the user's code only. Where there are none, it is the error alone."""
    told = traceback.TracebackException(type(error), error, trace or error.__traceback__)
    keep_users_frames(told)
    text = BARE_HEADING.sub("", "".join(told.format()))
    # Our own classes by their names alone.
    return text.replace(f"{__name__}.", "")[-50000:]


def has_users_frames(error, trace=None):
    return any(users_frames(traceback.extract_tb(trace or error.__traceback__)))


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
