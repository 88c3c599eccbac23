"""Squares numbers on the workers. A plain Client() finds the cluster: its address is in the environment."""

import os

from dask.distributed import Client


def square(x):
    return x * x


if __name__ == "__main__":
    with Client() as client:
        client.wait_for_workers(int(os.environ["DASK_HPC_RUNNER_N_WORKERS"]))
        squares = client.gather(client.map(square, range(10)))
        print("sum of squares:", sum(squares))
