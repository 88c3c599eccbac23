#!/bin/bash
#OAR -n dask
#OAR -l nodes=3,walltime=0:30:00

# What your cluster and your program need to find node and python, for example:
# module load nodejs python
# source "$HOME/venv/bin/activate"

# OAR starts one process, and spread a rank on each host: the first gets the scheduler, the second runs client.py, the others are
# workers.
exec dask-hpc-runner spread -- run --wait-workers all -- python client.py
