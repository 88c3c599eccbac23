# How tasks call JavaScript. A part of the module that tasks-values.py describes.
# ruff: noqa: F821
import contextlib
import ctypes
import os
import signal
import socket
import struct
import subprocess
import threading

import msgpack


class JavaScriptError(Exception):
    """What a JavaScript function threw; `details` is the error as its Node process described it."""

    def __init__(self, text, details=b""):
        super().__init__(text, details)

    def __str__(self):
        return str(self.args[0])

    def __repr__(self):
        return f"JavaScriptError({self})"


class JavaScriptProcessLost(RuntimeError):
    """A Node process ended, or could not be started, under a call."""


class Pipe:
    """Messages over a blocking socket. Each call of the system gives other threads the interpreter, and may wait for it
    for long after that: a small message costs one, so reading reads ahead."""

    def __init__(self, sock, on_quiet):
        """Calls `on_quiet` each time that it has waited for a second."""
        second = struct.pack("ll", 1, 0)
        # The system's own timeouts: those of Python would cost a call each time.
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            sock.setsockopt(socket.SOL_SOCKET, option, second)
        self.sock = sock
        self.on_quiet = on_quiet
        self.ahead = sock.makefile("rb", 16384)

    def send(self, header, buffers=()):
        for part in map(memoryview, pack_message(header, buffers)):
            while part.nbytes:
                try:
                    part = part[self.sock.send(part) :]
                except BlockingIOError:
                    self.on_quiet()

    def receive(self):
        mark, length, number = struct.unpack("<III", self.exactly(12))
        if mark != MARK:
            raise JavaScriptProcessLost("Cannot read the pipe of the Node process: something else than a message has come")
        sizes = struct.unpack(f"<{number}Q", self.exactly(8 * number)) if number else ()
        header = msgpack.unpackb(self.exactly(length), raw=False, strict_map_key=False)
        return header, [self.exactly(size) for size in sizes]

    def exactly(self, size):
        data = bytearray(size)
        view = memoryview(data)
        while view.nbytes:
            got = self.ahead.readinto(view)
            if got == 0:
                raise EOFError
            if got is None:
                self.on_quiet()
            else:
                view = view[got:]
        return data

    def close(self):
        self.ahead.close()
        self.sock.close()


def to_python(value, path):
    if not isinstance(value, JavaScriptValue):
        return value
    with node_process(path) as node:
        return node.convert(value)


# Node processes: as many as threads of this process call JavaScript at once, kept for the next call


# At so many looks in a row, one a second, a Node is found stopped before it is killed. Not a time: while we are
# stopped ourselves, as in a job that is suspended, nobody looks.
STOPPED_LOOKS = 20


class NodeProcess:
    ended = False
    # Its call was taken back.
    cancelled = False
    stopped = 0

    def __init__(self, path):
        ours, theirs = socket.socketpair()
        try:
            # The small text reads the program, whose length stands before it, and runs it.
            self.process = subprocess.Popen(
                [path, "-e", LOADER, "dask-hpc-runner", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Where NODE_OPTIONS has it load a program that starts a cluster, the library ends it: see own-process.ts.
                env={**os.environ, "DASK_HPC_RUNNER_OWN_PROCESS": "1"},
                preexec_fn=die_with_parent,
            )
        except OSError as error:
            ours.close()
            raise JavaScriptProcessLost(
                f"Cannot start Node on {socket.gethostname()}: {path!r}: {error.strerror}; "
                "install it there, or name one that is there by the option node of Client.connect"
            ) from None
        finally:
            theirs.close()
        text = PROGRAM.encode()  # noqa: F821 - whoever makes this module sets it
        with contextlib.suppress(OSError):
            ours.sendall(struct.pack("<I", len(text)) + text)
        self.pipe = Pipe(ours, self.look)

    @contextlib.contextmanager
    def killed_after(self, limit):
        if limit is None:
            yield
            return
        late = threading.Event()

        def kill():
            late.set()
            self.process.kill()

        timer = threading.Timer(limit, kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        except JavaScriptProcessLost:
            if late.is_set():
                raise TimeLimitExceeded(limit) from None
            raise
        finally:
            timer.cancel()
            if late.is_set():
                self.end()

    def call(self, spec, payload, dependencies):
        encoder = Encoder()
        data, buffers = unpack_payload(payload)
        encoder.buffers.extend(buffers)
        header = {"call": spec, "arguments": [CLONED, data, 0, len(buffers)]}
        header["dependencies"] = [self.dependency(encoder, i, value) for i, value in enumerate(dependencies)]
        answer, buffers = self.ask(header, encoder.buffers)
        if "thrown" in answer:
            if answer.get("last"):
                self.end()
            text = answer["thrown"]
            raise JavaScriptError(text[:5000], answer["details"])
        return from_header(answer["value"], buffers)

    def dependency(self, encoder, i, value):
        try:
            return encoder.value(value)
        except CannotCross as error:
            raise CannotCross(f"Cannot pass the result of dependency {i} to JavaScript: {error}") from None

    def convert(self, value):
        encoder = Encoder()
        answer, buffers = self.ask({"convert": encoder.value(value)}, encoder.buffers)
        if "thrown" in answer:
            raise CannotCross(f"Cannot pass a JavaScript value to Python: {answer['thrown']}")
        return from_header(answer["value"], buffers)

    def ask(self, header, buffers):
        self.stopped = 0
        try:
            self.pipe.send(header, buffers)
            return receive_answer(self.pipe, self.process.args[0])
        except (OSError, EOFError):
            self.end()
            if self.cancelled:
                raise taken_back() from None
            status = self.process.returncode
            how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"exited with status {status}"
            if self.stopped >= STOPPED_LOOKS:
                how += ", because it stayed stopped,"
            raise JavaScriptProcessLost(
                f"The Node process (pid {self.process.pid} on {socket.gethostname()}) {how} during the call"
            ) from None
        except BaseException:
            # Half a message may be under way.
            self.end()
            raise

    def look(self):
        """Kills it where it stays stopped (SIGSTOP)."""
        self.stopped = self.stopped + 1 if state_of(self.process.pid) == "T" else 0
        if self.stopped >= STOPPED_LOOKS:
            self.process.kill()

    @property
    def alive(self):
        return self.process.poll() is None

    def end(self):
        self.ended = True
        self.pipe.close()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def state_of(pid):
    """The state of a process as Linux has it; elsewhere nothing is known."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            # The command's name stands in parentheses and may contain anything.
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


# In a block, so that no function of the client's finds its names.
LOADER = (
    "{const f=+process.argv[2],n=require('fs'),r=(b)=>{for(let i=0;i<b.length;)try{const k=n.readSync(f,b,i,b.length-i);"
    "if(!k)process.exit();i+=k}catch(e){if(e.code!=='EAGAIN')throw e}return b};"
    "(0,eval)(r(Buffer.alloc(r(Buffer.alloc(4)).readUInt32LE())).toString())}"
)


# Linux has it.
prctl = getattr(ctypes.CDLL(None), "prctl", None)


def die_with_parent():
    if prctl is not None:
        prctl(1, signal.SIGKILL)
