"""Squares numbers on the workers. A plain Client() finds the cluster: its address is in the environment."""

from dask.distributed import Client


def square(x):
    return x * x


if __name__ == "__main__":
    with Client() as client:
        squares = client.gather(client.map(square, range(10)))
        print("sum of squares:", sum(squares))
