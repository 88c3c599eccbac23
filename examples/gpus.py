"""Says which GPU each worker sees first, and runs one task at a time on each."""

import os

from dask.distributed import Client


def first_gpu():
    return os.environ.get("CUDA_VISIBLE_DEVICES", "none").split(",")[0]


def train(n):
    return n * n


if __name__ == "__main__":
    with Client() as client:
        print("first GPUs:", *sorted(client.run(first_gpu).values()))
        results = client.map(train, range(16), resources={"GPU": 1})
        print("sum of squares:", sum(client.gather(results)))
