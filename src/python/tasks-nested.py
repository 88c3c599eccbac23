# How a JavaScript function that is called with a client submits tasks. A part of the module that tasks-values.py describes;
# src/client/javascript/nested.ts has the messages.
# ruff: noqa: F821
import contextlib
import threading


def receive_answer(pipe, node):
    """The answer of a Node process to a call; until then it may submit tasks."""
    nested = None
    try:
        while True:
            message, buffers = pipe.receive()
            if "nested" not in message:
                return message, buffers
            nested = nested or Nested(pipe, node)
            nested.obey(message, buffers)
    finally:
        if nested is not None:
            nested.end()


class Nested:
    """The tasks of one call."""

    def __init__(self, pipe, node):
        self.pipe, self.node = pipe, node
        self.futures = {}
        self.refused = {}
        self.lock = threading.Lock()
        self.over = self.seceded = False

    def obey(self, message, buffers):
        number = message["number"]
        try:
            if message["nested"] == "submit":
                self.submit(message, buffers)
            elif number in self.futures:
                self.secede()
                self.futures[number].add_done_callback(lambda future: self.tell(number, future))
            else:
                self.fail(number, self.refused[number])
        except Exception as error:
            self.refused[number] = error
            if message["nested"] != "submit":
                self.fail(number, error)

    def submit(self, message, buffers):
        from distributed import get_client

        for dependency in message["dependencies"]:
            if dependency in self.refused:
                raise self.refused[dependency]
        _, data, first, number = message["arguments"]
        self.futures[message["number"]] = get_client().submit(
            NestedCall(message["spec"], self.node),
            Payload(data, buffers[first : first + number]),
            *(self.futures[dependency] for dependency in message["dependencies"]),
            key=message["key"],
            pure=False,
            **message["options"],
        )

    def secede(self):
        """Others may run in our place from the first wait on."""
        if not self.seceded:
            from distributed import secede

            self.seceded = True
            secede()

    def tell(self, number, future):
        if self.over:
            return
        try:
            encoder = Encoder()
            self.send({"nested": number, "value": encoder.value(future.result())}, encoder.buffers)
        except BaseException as error:
            self.fail(number, error)

    def fail(self, number, error):
        self.send({"nested": number, "failed": describe(error)})

    def send(self, header, buffers=()):
        with self.lock, contextlib.suppress(OSError):
            if not self.over:
                self.pipe.send(header, buffers)

    def end(self):
        """Tasks that nobody else has a future of end with their call."""
        with self.lock:
            self.over = True
        for future in self.futures.values():
            # Dask's client keeps a future that has a callback until its task is done.
            future.release()
        self.futures.clear()
