# How failures are told. Executed before client.py, which shares its names.
import asyncio
import traceback
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
            described["text"] = f"{described['type']}: {described['text']}"
        elif described["kind"] != "value":
            return described
        return {**described, "kind": "value", "passing": True}

    def describe(self, error, trace=None):
        kind = type(error)
        module = "" if kind.__module__ == "builtins" else kind.__module__ + "."
        described = {"kind": "python", "type": module + kind.__qualname__, "text": str(error)[:20000]}
        described["traceback"] = self.say_traceback(error, trace)
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
        return described

    def say_traceback(self, error, trace):
        trace = trace or error.__traceback__
        # Our own part of the way tells nothing.
        while trace is not None and trace.tb_next is not None and "dask-hpc-runner" in trace.tb_frame.f_code.co_filename:
            trace = trace.tb_next
        if not isinstance(trace, (types.TracebackType, type(None))):
            trace = None
        return "".join(traceback.format_exception(type(error), error, trace))[-50000:]
