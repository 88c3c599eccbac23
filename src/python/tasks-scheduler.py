# What the scheduler is told and asked. A part of the module that tasks-values.py describes.
import sys


def has_dashboard():
    """Whether the scheduler has one: Dask names a link also where it was started without, or where its Python lacks bokeh."""
    return "distributed.dashboard.scheduler" in sys.modules


def has_unfinished(keys, dask_scheduler):
    tasks = (dask_scheduler.tasks.get(key) for key in keys)
    return any(task is not None and task.state not in ("memory", "erred") for task in tasks)


def follow_names(dask_scheduler):
    """Has tasks that may run on one worker only run on the one of the same name, where it was started again."""
    from distributed import SchedulerPlugin

    class Names(SchedulerPlugin):
        def __init__(self, workers):
            self.names = {address: worker.name for address, worker in workers.items()}

        def add_worker(self, scheduler, worker):
            name = scheduler.workers[worker].name
            gone = {address for address, known in self.names.items() if known == name and address not in scheduler.workers}
            self.names = {address: known for address, known in self.names.items() if address not in gone}
            self.names[worker] = name
            if not gone:
                return
            for task in scheduler.tasks.values():
                if task.worker_restrictions and not gone.isdisjoint(task.worker_restrictions):
                    task.worker_restrictions = (set(task.worker_restrictions) - gone) | {worker}

    name = "dask-hpc-runner-names"
    if name not in dask_scheduler.plugins:
        dask_scheduler.add_plugin(Names(dask_scheduler.workers), name=name)
