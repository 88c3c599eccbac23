# The messages between the client's helper process and its program. Executed before client.py, which shares its names.
import asyncio
import contextlib
import struct
import sys

# Begins each message: see frames.ts.
MARK = 0xDA5CF00D


class Messages:
    """The pipe to the program. Reads ahead, so that a small message costs one call."""

    def __init__(self, pipe):
        self.pipe = pipe
        self.loop = asyncio.get_running_loop()
        self.ahead = bytearray(262144)
        self.start = self.end = 0
        self.writing = asyncio.Lock()

    async def receive(self):
        import msgpack

        mark, length, number = struct.unpack("<III", await self.exactly(12))
        if mark != MARK:
            sys.exit("Cannot read the pipe of the client: something else than a message has come")
        sizes = struct.unpack(f"<{number}Q", await self.exactly(8 * number)) if number else ()
        header = msgpack.unpackb(await self.exactly(length), raw=False, strict_map_key=False)
        return header, [await self.exactly(size) for size in sizes]

    async def exactly(self, size):
        there = self.end - self.start
        if size <= there:
            self.start += size
            return bytes(memoryview(self.ahead)[self.start - size : self.start])
        data = bytearray(size)
        view = memoryview(data)
        view[:there] = memoryview(self.ahead)[self.start : self.end]
        view = view[there:]
        self.start = self.end = 0
        while view.nbytes >= len(self.ahead):
            view = view[await self.read_into(view) :]
        while view.nbytes:
            self.end = await self.read_into(self.ahead)
            taken = min(view.nbytes, self.end)
            view[:taken] = memoryview(self.ahead)[:taken]
            view, self.start = view[taken:], taken
        return data

    async def read_into(self, view):
        got = await self.loop.sock_recv_into(self.pipe, view)
        if got == 0:
            raise EOFError
        return got

    async def send(self, parts):
        # Where the program is gone, receive() says so.
        async with self.writing:
            with contextlib.suppress(OSError):
                for part in parts:
                    await self.loop.sock_sendall(self.pipe, part)
