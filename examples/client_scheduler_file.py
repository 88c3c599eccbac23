"""Squares numbers on the workers. Finds the cluster by its scheduler file, as a Client on any other host could."""

import os

from dask.distributed import Client


def square(x):
    return x * x


if __name__ == "__main__":
    with Client(scheduler_file=os.environ["DASK_HPC_RUNNER_SCHEDULER_FILE"]) as client:
        squares = client.gather(client.map(square, range(10)))
        print("sum of squares:", sum(squares))
