# Brings the module of tasks to the workers. Executed before client.py, with which it shares its names.


def install(name, text, program):
    """Makes the module that all processes share, where it is not there yet."""
    import sys
    import types

    if name not in sys.modules:
        module = types.ModuleType(name)
        module.PROGRAM = program
        exec(compile(text, "<dask-hpc-runner>", "exec"), module.__dict__)
        sys.modules[name] = module
    return sys.modules[name]


def make_installer(user, name, text, program, node):
    """A plugin that makes it on every worker, before that takes tasks."""
    from distributed import WorkerPlugin

    class Installer(WorkerPlugin):
        def __init__(self):
            self.name = "dask-hpc-runner-" + user

        def setup(self, worker):
            self.tasks = install(name, text, program)
            self.tasks.pool_of(node).users.add(user)

        def transition(self, key, start, finish, **kwargs):
            self.tasks.follow_task(key, start, finish)

        def teardown(self, worker):
            install(name, text, program).pool_of(node).leave(user)

    return Installer()
