# How failures are told. Executed before client.py, which shares its names.
import asyncio
import types


class Failures:
    """The part of the helper that describes errors."""

    def describe_state(self, state):
        if state.status == "cancelled":
            error = getattr(state, "exception", None)
            return {"kind": "cancelled", "type": "CancelledError", "text": str(error or ""), "traceback": ""}
        return self.describe(state.exception, state.traceback)

    def describe_value(self, error):
        """Why a result that is there cannot be had here; other tasks may still use it."""
        described = self.describe(error)
        if described["kind"] == "python":
            described["text"] = f"{described['type']}: {without_traceback(described['text'])}"
        elif described["kind"] != "value":
            return described
        # It failed between Dask and us.
        return {**described, "kind": "value", "passing": True, "traceback": ""}

    def describe(self, error, trace=None):
        kind = type(error)
        module = "" if kind.__module__ == "builtins" else kind.__module__ + "."
        described = {"kind": "python", "type": module + kind.__qualname__, "text": str(error)[:20000]}
        tasks = self.tasks
        if tasks is not None and isinstance(error, tasks.JavaScriptError):
            described.update(kind="javascript", type="JavaScriptError")
            if len(error.args) > 1 and isinstance(error.args[1], bytes):
                described["details"] = error.args[1]
        elif tasks is not None and isinstance(error, tasks.JavaScriptProcessLost):
            described.update(kind="node", type="JavaScriptProcessLost")
        elif tasks is not None and isinstance(error, tasks.TimeLimitExceeded):
            described.update(kind="timeout", type="TimeLimitExceeded")
        elif tasks is not None and isinstance(error, tasks.CannotCross):
            described.update(kind="value", type="TypeError")
        elif kind.__name__ == "KilledWorker":
            worker = getattr(error, "last_worker", None)
            described.update(kind="worker", worker=str(getattr(worker, "address", worker)))
        elif isinstance(error, asyncio.CancelledError) or "CancelledError" in kind.__name__:
            described.update(kind="cancelled")
        return {**described, "traceback": self.say_traceback(error, trace, described["kind"])}

    def say_traceback(self, error, trace, kind):
        """Of the user's code; that of other kinds of failures says nothing where there is none of that."""
        if self.tasks is None:
            return ""
        # Dask gives a text where it could not send it.
        trace = trace if isinstance(trace, types.TracebackType) else None
        if kind != "python" and not self.tasks.has_users_frames(error, trace):
            return ""
        return self.tasks.say_traceback(error, trace)


def without_traceback(text):
    """Dask puts the traceback of a pickle that failed into the text of its own error: the last line says why."""
    before, traceback, after = text.partition("\nTraceback (most recent call last):\n")
    return f"{before}: {after.rstrip().splitlines()[-1]}" if traceback and after.strip() else text
