#!/bin/bash
#$ -N dask
#$ -pe dask 4
#$ -cwd
#$ -V
#$ -j y
#$ -l h_rt=00:30:00

# What your cluster and your program need to find node and python, for example:
# module load nodejs python
# source "$HOME/venv/bin/activate"

# "dask" stands for a parallel environment of your site that has control_slaves TRUE: it lets spread start a rank on every
# host of the job by qrsh -inherit. By exec there is no shell in between that a signal would end first.
exec dask-hpc-runner spread -- run --wait-workers all -- python client.py
