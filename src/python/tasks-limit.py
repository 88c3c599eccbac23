# What ends calls at their time limits. A part of the module that tasks-values.py describes.
import asyncio
import contextlib
import ctypes
import threading


class TimeLimitExceeded(TimeoutError):
    """A call took longer than it may. In seconds."""

    def __init__(self, limit):
        super().__init__(limit)

    def __str__(self):
        return f"its call was ended at its time limit of {self.args[0]:g} s"


class Interrupt(BaseException):
    """Raised within a function that takes too long; not an Exception, which functions catch."""


@contextlib.contextmanager
def interrupted_after(limit):
    """Interrupts what this thread does within the block, between two instructions of Python."""
    if limit is None:
        yield
        return
    thread, lock, done, late = threading.get_ident(), threading.Lock(), threading.Event(), threading.Event()

    def interrupt():
        with lock:
            if not done.is_set():
                late.set()
                raise_in(thread, Interrupt)

    timer = threading.Timer(limit, interrupt)
    timer.daemon = True
    timer.start()
    try:
        try:
            yield
        finally:
            timer.cancel()
            with lock:
                done.set()
                if late.is_set():
                    # It may not have come yet.
                    raise_in(thread, None)
    except BaseException as error:
        if isinstance(error, Interrupt) or late.is_set():
            # Where the function was.
            raise TimeLimitExceeded(limit).with_traceback(error.__traceback__) from None
        raise
    if late.is_set():
        raise TimeLimitExceeded(limit)


def raise_in(thread, error):
    reference = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), reference)


async def awaited_within(limit, coroutine):
    task = asyncio.ensure_future(coroutine)
    done, _ = await asyncio.wait([task], timeout=limit)
    if not done:
        task.cancel()
        raise TimeLimitExceeded(limit)
    return task.result()
