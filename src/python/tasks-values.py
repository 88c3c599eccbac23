# What workers, the scheduler and the client's helper process share: it is sent to them as text and becomes a
# module there, whose name carries a digest of this text. Whoever makes the module sets PROGRAM, the text of
# the program that Node processes run.
#
# A message, over every pipe of the client (little-endian):
#   u32 length of the header | u32 number of buffers | u64 length of each buffer | header | buffers
# The header is msgpack. A value in it is [kind, bytes, number of its first buffer, number of its buffers].
#
# It is the texts of tasks-values.py, tasks-circles.py, tasks-limit.py, tasks-nested.py, tasks-node.py, tasks-pool.py,
# tasks-scheduler.py, tasks-failures.py and tasks.py one after the other, which share their names.
import array
import datetime
import itertools
import pickle
import struct
import sys

import msgpack

# Kinds of values: msgpack with the extensions below, and Node's structured clone.
PLAIN, CLONED = 0, 1
# The extensions; src/client/values/plain.ts has them too.
FUTURE, BIGINT, DATE, SET, MAP, ARRAY, BYTES = 1, 2, 3, 4, 5, 6, 7
# Integers beyond are no numbers in JavaScript but BigInts.
SAFE = 2**53 - 1
# Bytes and arrays from this length on travel beside the header, uncopied.
LARGE = 4096
# Those of which msgpack writes many as they are, but for integers that are too large.
SIMPLE = {str, int, float, bool, type(None)}
# Stands for the index of what is in a set, which has none.
ELEMENT = object()
# Letters of struct and array, by the names of JavaScript's typed arrays; NumPy's are the same with sizes.
NUMPY = {"b": "i1", "B": "u1", "h": "<i2", "H": "<u2", "i": "<i4", "I": "<u4", "q": "<i8", "Q": "<u8", "f": "<f4", "d": "<f8"}
LETTERS = {name.lstrip("<"): letter for letter, name in NUMPY.items()}


# What NumPy has for a time that is none.
NO_TIME = -(2**63)
# What to do about arrays of types that JavaScript has not, by the letters of NumPy.
OTHER_TYPE = "turn it into another type with astype"
ADVICE = {
    "c": "make pairs of numbers of it with x.view(x.real.dtype)",
    "m": 'make numbers of it with x / numpy.timedelta64(1, "ms")',
    "O": "make a list of it with x.tolist()",
    "U": "make a list of it with x.tolist()",
}


class CannotCross(TypeError):
    """A Python value that has no form in JavaScript."""


class Opaque:
    """Bytes with buffers beside them, which pickle without a copy where the protocol allows it."""

    def __init__(self, data, buffers=()):
        self.data = bytes(data)
        self.buffers = tuple(buffers)

    def __reduce_ex__(self, protocol):
        if protocol >= 5:
            return type(self), (self.data, tuple(pickle.PickleBuffer(buffer) for buffer in self.buffers))
        return type(self), (self.data, tuple(bytes(buffer) for buffer in self.buffers))

    def __sizeof__(self):
        return 64 + len(self.data) + sum(memoryview(buffer).nbytes for buffer in self.buffers)


class Payload(Opaque):
    """The arguments of a call, with large ones in buffers; without any, plain bytes stand for it."""


class JavaScriptValue(Opaque):
    """A value as Node's structured clone wrote it."""

    def __repr__(self):
        return f"<JavaScript value of {sys.getsizeof(self)} bytes>"


# Values


def decode(data, buffers=(), dependencies=()):
    """The Python value of a plain one."""

    def extension(code, raw):
        if code == FUTURE:
            return dependencies[int.from_bytes(raw, "little")]
        if code == BIGINT:
            return int.from_bytes(raw, "little", signed=True)
        if code == DATE:
            return datetime.datetime.fromtimestamp(0, datetime.timezone.utc) + datetime.timedelta(
                milliseconds=struct.unpack("<d", raw)[0]
            )
        if code == SET:
            return set(unpack(raw))
        if code == MAP:
            items = unpack(raw)
            return dict(zip(items[::2], items[1::2]))
        if code == ARRAY:
            letter, shape, place = unpack(raw)
            return to_array(letter, shape, buffers[place] if isinstance(place, int) else place)
        if code == BYTES:
            place = unpack(raw)
            return bytes(buffers[place]) if isinstance(place, int) else place
        raise ValueError(f"Cannot read extension {code}")

    def unpack(raw):
        return msgpack.unpackb(raw, raw=False, strict_map_key=False, ext_hook=extension)

    return unpack(data)


def to_array(letter, shape, data):
    """A NumPy array, or where there is no NumPy one of the standard library."""
    try:
        import numpy
    except ImportError:
        if shape is not None and len(shape) != 1:
            raise ImportError("Cannot make an array of several dimensions: this Python has no NumPy") from None
        values = array.array(letter)
        values.frombytes(data)
        return values
    # A copy that may be written, and that is aligned: tasks expect both.
    values = numpy.frombuffer(bytearray(data), dtype=NUMPY[letter])
    return values if shape is None else values.reshape(shape)


class Encoder:
    """Makes plain values. One for each message: it collects the message's buffers."""

    def __init__(self):
        self.buffers = []

    def value(self, value):
        """A value of a header."""
        first = len(self.buffers)
        if isinstance(value, JavaScriptValue):
            self.buffers.extend(value.buffers)
            return [CLONED, value.data, first, len(value.buffers)]
        try:
            self.first, self.above = first, []
            data = msgpack.packb(self.plain(value, []))
        except BaseException:
            del self.buffers[first:]
            raise
        return [PLAIN, data, first, len(self.buffers) - first]

    def plain(self, value, place):
        kind = type(value)
        if value is None or kind is bool or kind is str or kind is float:
            return value
        if kind is int:
            return value if -SAFE <= value <= SAFE else self.bigint(value)
        if kind is list or kind is tuple:
            return self.sequence(value, place)
        if kind is dict:
            return self.dict(value, place)
        if kind in (bytes, bytearray, memoryview):
            return self.bytes(value)
        if kind in (set, frozenset):
            return self.extension(SET, self.all(itertools.repeat(ELEMENT), value, place))
        if kind is datetime.datetime:
            aware = value if value.tzinfo is not None else value.astimezone()
            return msgpack.ExtType(DATE, struct.pack("<d", aware.timestamp() * 1000))
        if kind is array.array:
            if value.typecode not in NUMPY and value.typecode not in "lL":
                raise cannot_cross(place, f"an array of {value.typecode!r}", "make a str of it with tounicode")
            return self.array(value.typecode, None, memoryview(value))
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(value, numpy.generic):
            return self.scalar(value, place)
        if numpy is not None and isinstance(value, numpy.ndarray):
            return self.ndarray(numpy, value, place)
        for base in (bool, str, int, float, list, tuple, dict, bytes, set):
            if isinstance(value, base):
                return self.plain(base(value), place)
        raise cannot_cross(place, f"a {kind.__module__}.{kind.__qualname__}")

    def all(self, steps, values, place):
        """The forms of what is within another; `place` is changed on the way, and the same again after it."""
        forms = []
        place.append(None)
        for place[-1], value in zip(steps, values):
            forms.append(self.plain(value, place))
        place.pop()
        return forms

    def sequence(self, value, place):
        kinds = set(map(type, value))
        if kinds <= SIMPLE:
            integers = [item for item in value if type(item) is int] if int in kinds else [0]
            if -SAFE <= min(integers) and max(integers) <= SAFE:
                return list(value)
        self.enter(value, place)
        items = self.all(itertools.count(), value, place)
        self.above.pop()
        return items

    def dict(self, value, place):
        self.enter(value, place)
        form = self.items(value, place)
        self.above.pop()
        return form

    def items(self, value, place):
        if "__proto__" in value:
            # It stands for something else there, and is refused.
            raise cannot_cross(place, "a dict with the key '__proto__'")
        if all(type(key) is str for key in value):
            return dict(zip(value, self.all(value, value.values(), place)))
        keys, items = self.all(value, value, place), self.all(value, value.values(), place)
        return self.extension(MAP, [one for pair in zip(keys, items) for one in pair])

    def enter(self, value, place):
        """Knows in what a container is; those that are above it are as many as its place has steps."""
        if len(place) > 200:
            first = next((i for i, one in enumerate(self.above) if self.above.count(one) > 1), None)
            if first is None:
                raise cannot_cross(place[:5], "a value nested more than 200 levels deep")
            again = self.above.index(self.above[first], first + 1)
            raise cannot_cross(place[:again], f"a {type(value).__name__} that is within itself")
        self.above.append(id(value))

    def bytes(self, value):
        view = memoryview(value).cast("B")
        return self.extension(BYTES, self.beside(view) if view.nbytes >= LARGE else bytes(view))

    def bigint(self, value):
        return msgpack.ExtType(BIGINT, value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))

    def scalar(self, value, place):
        if value.dtype.kind in "mM":
            return self.dates(value, place)
        item = value.item()
        if type(item) is type(value):
            raise cannot_cross(place, f"a numpy.{value.dtype.name}")
        return self.plain(item, place)

    def ndarray(self, numpy, value, place):
        if isinstance(value, numpy.ma.MaskedArray):
            raise cannot_cross(place, "a masked NumPy array", "fill it with filled")
        kind = value.dtype.kind
        if kind == "M":
            return self.dates(value, place)
        if kind == "b":
            value = value.view("u1")
        elif value.dtype == numpy.float16:
            value = value.astype("f4")
        letter = LETTERS.get(value.dtype.str[1:]) if value.dtype.kind in "iuf" else None
        if letter is None:
            raise cannot_cross(place, f"a NumPy array of {value.dtype}", ADVICE.get(kind, OTHER_TYPE))
        flat = numpy.ascontiguousarray(value, dtype=NUMPY[letter])
        return self.array(letter, None if value.ndim == 1 else list(value.shape), memoryview(flat.reshape(-1)))

    def dates(self, value, place):
        """Points of time as JavaScript has them, in lists; the one that is none is None."""
        if value.dtype.kind == "m":
            raise cannot_cross(place, f"a NumPy value of {value.dtype}", ADVICE["m"])

        def form(one):
            if isinstance(one, list):
                return [form(item) for item in one]
            return None if one == NO_TIME else msgpack.ExtType(DATE, struct.pack("<d", one))

        return form(value.astype("datetime64[ms]").astype("i8").tolist())

    def array(self, letter, shape, view):
        if letter in "lL":
            letter = {4: "iI", 8: "qQ"}[view.itemsize]["lL".index(letter)]
        raw = view.cast("B") if view.nbytes else b""
        return self.extension(ARRAY, [letter, shape, self.beside(raw) if view.nbytes >= LARGE else bytes(raw)])

    def beside(self, buffer):
        self.buffers.append(buffer)
        return len(self.buffers) - 1 - self.first

    def extension(self, code, content):
        return msgpack.ExtType(code, msgpack.packb(content))


def cannot_cross(place, what, advice="return a form of it that TypeScript has, or leave it on the workers"):
    where = "value" + "".join("{}" if step is ELEMENT else f"[{step!r}]" for step in place)
    return CannotCross(f"{where} is {what}, which has no form in TypeScript; {advice}")


def from_header(value, buffers, dependencies=()):
    """The Python object of a value of a message."""
    kind, data, first, number = value
    own = buffers[first : first + number]
    return JavaScriptValue(data, own) if kind == CLONED else decode(data, own, dependencies)


# Messages

# Begins each one: see frames.ts.
MARK = 0xDA5CF00D


def pack_message(header, buffers=()):
    # Texts of errors and logs may have what UTF-8 has not, as the names of files do; values are packed already.
    data = msgpack.packb(header, unicode_errors="backslashreplace")
    views = [memoryview(buffer).cast("B") for buffer in buffers]
    sizes = [view.nbytes for view in views]
    start = struct.pack(f"<III{len(views)}Q", MARK, len(data), len(views), *sizes) + data
    return [start, *views]
