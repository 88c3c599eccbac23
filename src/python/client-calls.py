# What the program asks of the scheduler and of the workers. Executed before client.py, which shares its names.


class Calls:
    """The part of the helper that passes calls on to Dask's client."""

    async def on_call(self, header, _):
        """{method: that of Dask's client, arguments} -> what it gives."""
        arguments = header["arguments"]
        if "workers" in arguments:
            arguments["workers"] = await self.present_workers(arguments["workers"])
        if "futures" in arguments:
            if header["method"] == "publish_dataset" and any(map(self.why_refused, arguments["futures"])):
                raise Refused("one of its futures could not be submitted, or was cancelled")  # noqa: F821 - client.py
            arguments["futures"] = [self.futures[number] for number in arguments["futures"] if number in self.futures]
        method = getattr(self, "own_" + header["method"], None) or getattr(self.client, header["method"])
        answer = await method(**arguments)
        # The client itself is the answer of some.
        return None if answer is self.client else tellable(answer)

    async def on_info(self, header, _):
        return tellable(await self.client.scheduler.identity())

    async def on_run(self, header, buffers):
        """{spec, javascript, arguments, workers | scheduler} -> {values: {address: value}, failed: {address: failure}}"""
        _, data, first, number = header["arguments"]
        arguments = [self.make_call(header), self.tasks.Payload(data, buffers[first : first + number])]
        if header["scheduler"]:
            address = self.client.scheduler.address
            try:
                results = {address: await self.client.run_on_scheduler(self.tasks.run_here, *arguments)}
            except Exception as error:
                results = {address: error}
        else:
            workers = header.get("workers")
            workers = None if workers is None else await self.present_workers(workers)
            results = await self.client.run(self.tasks.run_here, *arguments, workers=workers, on_error="return")
        return await self.aside(results.values(), self.answer_of_run, results)

    def answer_of_run(self, results):
        encoder, values, failed = self.tasks.Encoder(), {}, {}
        for address, result in results.items():
            try:
                if isinstance(result, Exception):
                    failed[address] = self.tasks.describe(result)
                else:
                    values[address] = encoder.value(result)
            except Exception as error:
                failed[address] = self.tasks.describe(error)
        return {"values": values, "failed": failed}, encoder.buffers

    async def own_restart(self, **arguments):
        info = await self.client.scheduler.identity()
        bare = [str(worker["name"]) for worker in info["workers"].values() if not worker.get("nanny")]
        if bare:
            raise Refused(  # noqa: F821 - client.py
                f"nothing starts the workers {', '.join(bare)} again, which have no nanny; start the cluster with --nanny"
            )
        await self.client.restart(**arguments)
        # Nobody watches those that were finished.
        self.failed += [[number, self.describe_state(one._state)] for number, one in self.futures.items() if one.cancelled()]
        self.tell()

    async def own_publish_dataset(self, name, futures, single, override=False):
        if not override and name in await self.client.list_datasets():
            raise Refused("there is a dataset of that name; unpublish it, or set override")  # noqa: F821
        await self.client.publish_dataset(futures[0] if single else futures, name=name, override=override)

    async def own_unpublish_dataset(self, name):
        if name not in await self.client.list_datasets():
            raise Refused("there is no dataset of that name")  # noqa: F821
        await self.client.unpublish_dataset(name)

    async def on_dataset(self, header, _):
        """{name, token} -> {single, keys}: its futures are kept under the token until an order `adopt` numbers them."""
        from distributed import Future

        name = header["name"]
        if name not in await self.client.list_datasets():
            raise Refused("there is no dataset of that name")  # noqa: F821
        data = await self.client.get_dataset(name)
        single = isinstance(data, Future)
        futures = [data] if single else data
        if not isinstance(futures, (list, tuple)) or not all(isinstance(one, Future) for one in futures):
            raise Refused(f"it is a {type(data).__name__}, and no future or list of futures")  # noqa: F821
        self.published[header["token"]] = futures
        return {"single": single, "keys": [str(one.key) for one in futures]}

    # Dask's own give the newest line first or last, and the first lines or the last, as the version has it.

    async def own_get_scheduler_logs(self, n=0):
        return last_lines(await self.client.scheduler.get_logs(timestamps=True), n)

    async def own_get_worker_logs(self, n=0, workers=None, nanny=False):
        order = {"op": "get_logs", "timestamps": True}
        logs = await self.client.scheduler.broadcast(msg=order, workers=workers, nanny=nanny)
        return {address: last_lines(lines, n) for address, lines in logs.items()}

    async def present_workers(self, names):
        await self.learn_names()
        return self.resolve(names, self.present)


def last_lines(lines, n):
    """[time, level, text]... -> [level, text]..., the newest last."""
    newest = lines and lines[0][0] > lines[-1][0]
    return [line[1:] for line in (reversed(lines) if newest else lines)][-n:]


def tellable(value):
    """What Dask answers, in forms that msgpack has: anything else is said as text."""
    if isinstance(value, dict):
        return {key if isinstance(key, (str, int, float)) else str(key): tellable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [tellable(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str, bytes)) else str(value)
