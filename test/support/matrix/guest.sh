{
  # Runs "$@" in a Linux that is a program of this one (linux.uml): its files are ours, its kernel is its own.
  order=$MATRIX_SCRATCH/init
  cat >"$order" <<'END'
#!/bin/bash
export PATH=/usr/sbin:/usr/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
# What is written here is the guest's alone.
mount -t tmpfs tmpfs /var/lib
mkdir -p /dev/shm /run/modules/lib
mount -t tmpfs tmpfs /dev/shm
ln -s /usr/lib/uml/modules /run/modules/lib/modules
printf '#!/bin/sh\nexec /usr/sbin/modprobe -d /run/modules "$@"\n' >/run/modprobe
chmod +x /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe
for module in veth bridge nfsv3 nfsd; do /run/modprobe $module; done
ip link set lo up
END
  printf 'cd %q\n' "$PWD" >>"$order"
  printf 'export DASK_HPC_RUNNER_TEST_PYTHON=%q\n' "$DASK_HPC_RUNNER_TEST_PYTHON" >>"$order"
  printf '%q ' "$@" >>"$order"
  printf '\nsync\n/usr/bin/python3 -c "import ctypes; ctypes.CDLL(None).reboot(0x4321fedc)"\n' >>"$order"
  chmod +x "$order"
  linux.uml mem=4G uml_dir="$MATRIX_SCRATCH" root=/dev/root rootfstype=hostfs rootflags=/ rw init="$order" con=null con0=null,fd:1 </dev/null
}
