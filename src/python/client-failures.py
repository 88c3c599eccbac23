# Why there is no result. Executed before client.py, which shares its names.


class Failures:
    """The part of the helper that describes errors."""

    def describe_state(self, state):
        if state.status == "cancelled":
            error = getattr(state, "exception", None)
            return {"kind": "cancelled", "type": "CancelledError", "text": str(error or ""), "traceback": ""}
        return self.tasks.describe(state.exception, state.traceback)

    def describe_value(self, error):
        """Why a result that is there cannot be had here; other tasks may still use it."""
        described = self.tasks.describe(error)
        if described["kind"] == "python":
            described["text"] = f"{described['type']}: {without_traceback(described['text'])}"
        elif described["kind"] != "value":
            return described
        # It failed between Dask and us.
        return {**described, "kind": "value", "passing": True, "traceback": ""}


def without_traceback(text):
    """Dask puts the traceback of a pickle that failed into the text of its own error: the last line says why."""
    before, traceback, after = text.partition("\nTraceback (most recent call last):\n")
    return f"{before}: {after.rstrip().splitlines()[-1]}" if traceback and after.strip() else text
