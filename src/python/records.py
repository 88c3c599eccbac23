# Marks the records of Dask's log that are not for the console. The supervisor has them in its log file only.
#
# A record is marked by the character \x1e before each of its lines. Executed before Dask is imported, in a scheduler, a worker, and
# in what a nanny starts.
import logging
import sys

MARK = "\x1e"
LOGGERS = ("distributed", "dask", "bokeh", "tornado")


def mark_below(level, is_given):
    """Mark records of Dask below `level`. Unless that `is_given`, what the user's Dask configuration says of logging counts instead."""
    lowest = logging.getLevelName(level.upper())
    plain = logging.StreamHandler.format

    def format_and_mark(handler, record):
        text = plain(handler, record)
        if record.levelno >= lowest or record.name.partition(".")[0] not in LOGGERS:
            return text
        # What goes to a file of the user's is the user's.
        if handler.stream not in (sys.stderr, sys.__stderr__) or (not is_given and is_configured(record.name)):
            return text
        return MARK + text.replace("\n", "\n" + MARK)

    logging.StreamHandler.format = format_and_mark


def is_configured(name):
    """Whether the user's Dask configuration says what this logger is to print: in any of the forms that Dask has for it."""
    config = sys.modules["dask.config"].config if "dask.config" in sys.modules else {}
    place = config.get("distributed") or {}
    if "logging" not in place and "logging-file-config" not in place:
        place = config
    levels = place.get("logging") or {}
    if "logging-file-config" in place or "version" in levels:
        return True
    parts = name.split(".")
    return any(".".join(parts[:count]) in levels for count in range(1, len(parts) + 1))
