# How results of tasks are watched, fetched and told. Executed before client.py, which shares its names.
import asyncio


class Results:
    """The part of the helper that has to do with futures."""

    # More than so many fetches under way wait for each other, unless they take longer than a moment.
    FETCHES = 4
    MOMENT = 2
    # Results that finish within so many seconds for each one that is still under way are fetched together: less
    # than it takes a cluster to compute those. And the most that this may come to.
    TOGETHER, LONGEST = 0.0001, 0.1
    # Results of one message, in number and bytes, more or less.
    BATCH = 2000
    BYTES = 4_000_000

    def keep(self, number, future):
        self.futures[number] = future
        self.spawn(self.watch(number, future._state))

    async def watch(self, number, state):
        # A result may be lost before we come to look.
        while not state.done():
            await state.wait()
        if number not in self.futures:
            return
        awaited = number in self.awaited
        self.awaited.discard(number)
        if state.status == "finished":
            self.done.append(number)
            if awaited:
                self.wanted.append(number)
                self.fetch_soon()
        elif state.status == "cancelled" and self.lost_scheduler():
            return await self.say_gone()
        else:
            self.failed.append([number, self.describe_state(state)])
        self.tell()

    def tell(self):
        """Soon, so that what happens at one time is one message."""
        if not self.telling:
            self.telling = True
            asyncio.get_running_loop().call_soon(lambda: self.spawn(self.tell_now()))

    async def tell_now(self):
        self.telling = False
        done, failed, self.done, self.failed = self.done, self.failed, [], []
        await self.report({"done": done, "failed": failed, "values": []})

    def want(self, numbers):
        """Fetches results, each when it is there: one that is under way keeps no other waiting."""
        for number in numbers:
            if number not in self.futures:
                continue
            state = self.futures[number]._state
            if state.status == "cancelled":
                # With what it needs: Dask would wait without end.
                self.failed.append([number, self.describe_state(state)])
                self.tell()
            elif state.done():
                self.wanted.append(number)
            else:
                self.awaited.add(number)
                if state.status == "lost":
                    # Its first watch is over.
                    self.spawn(self.watch(number, state))
        self.fetch_next()

    def fetch_soon(self):
        if not self.awaited:
            self.fetch_next()
        elif not self.collecting:
            self.collecting = True
            delay = min(self.LONGEST, self.TOGETHER * len(self.awaited))
            asyncio.get_running_loop().call_later(delay, self.fetch_collected)

    def fetch_collected(self):
        self.collecting = False
        self.fetch_next()

    def fetch_next(self):
        while self.wanted and self.fetching < self.FETCHES:
            batch, self.wanted = self.wanted[: self.BATCH], self.wanted[self.BATCH :]
            self.fetching += 1
            self.spawn(self.fetch_in_turn(batch))

    async def fetch_in_turn(self, batch):
        fetch = self.spawn(self.fetch(batch))
        await asyncio.wait([fetch], timeout=self.MOMENT)
        # A result that was lost may take long to be computed again: others need not wait for it.
        self.fetching -= 1
        if not self.collecting:
            self.fetch_next()

    async def fetch(self, numbers):
        numbers = [number for number in numbers if number in self.futures]
        if not numbers:
            return
        try:
            values = await self.gather([self.futures[number] for number in numbers])
        except BaseException as error:
            if self.lost_scheduler():
                return await self.say_gone()
            if len(numbers) > 1:
                return await asyncio.gather(*(self.fetch([number]) for number in numbers))
            future = self.futures.get(numbers[0])
            if future is not None:
                failed = future._state.status in ("error", "cancelled")
                described = self.describe_state(future._state) if failed else self.describe_value(error)
                self.failed.append([numbers[0], described])
                self.tell()
            return
        await self.send_values(numbers, values)

    async def gather(self, futures):
        # A result that no pickle takes leaves Dask's connection in the middle of an exchange: the worker then
        # takes the next request for the end of that one, fails it so, and is ready again.
        for _ in range(2 * self.FETCHES):
            try:
                return await self.client.gather(futures, asynchronous=True)
            except AssertionError as error:
                if "get_data" not in str(error):
                    raise
        return await self.client.gather(futures, asynchronous=True)

    async def send_values(self, numbers, values):
        messages = self.messages_of(numbers, values)
        while True:
            message = await self.aside(values, next, messages, None)
            if message is None:
                return
            await self.report(*message)

    def messages_of(self, numbers, values):
        """The results encoded, in messages of BYTES, more or less."""
        encoder, ready, failed, size = self.tasks.Encoder(), [], [], 0
        for i, (number, value) in enumerate(zip(numbers, values)):
            try:
                before = len(encoder.buffers)
                encoded = encoder.value(value)
                size += len(encoded[1]) + sum(memoryview(buffer).nbytes for buffer in encoder.buffers[before:])
                ready.append([number, encoded])
            except Exception as error:
                failed.append([number, self.describe_value(error)])
            if size > self.BYTES or i == len(numbers) - 1:
                yield {"done": [], "failed": failed, "values": ready}, encoder.buffers
                encoder, ready, failed, size = self.tasks.Encoder(), [], [], 0

    async def aside(self, values, function, *arguments):
        """Calls a function on values: in a thread, unless they are so simple that it takes no time. No order waits for it."""
        quick = (type(None), bool, int, float, str, self.tasks.JavaScriptValue)
        if all(type(value) in quick for value in values):
            return function(*arguments)
        return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)

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
