#!/bin/bash
#OAR -n dask
#OAR -l nodes=3,walltime=0:30:00

# What your cluster and your program need to find node and python, for example:
# module load nodejs python
# source "$HOME/venv/bin/activate"

# One process on each host: the first gets the scheduler, the second runs client.py, the others are workers. oarsh hands on
# neither the directory nor PATH.
for host in $(uniq "$OAR_NODEFILE"); do
  oarsh "$host" "cd '$PWD' && export PATH='$PATH' && exec dask-hpc-runner run --wait-workers all -- python client.py" &
done

# All of them end with the program's status. The first that fails ends the job: that of a host that is lost would never end.
for host in $(uniq "$OAR_NODEFILE"); do
  wait -n || exit
done
