# Makes a host one of OAR: gives it the accounts of the cluster, its own directory of the user oar, and its own control groups.
#
# Arguments: the host's name; the cluster's directory.
set -eu
name=$1
base=$2
oar=$base/oar

# All of /etc: whoever adds an account to the machine meanwhile puts a new file in the place of its passwd, and a mount there is gone.
mount --bind "$oar/etc" /etc
home=$base/hosts/$name/oar
cp -a "$oar/home" "$home"
mount --bind "$home" /var/lib/oar
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/sshd

# OAR makes links in /dev.
dev=$base/hosts/$name/dev
mkdir "$dev"
mount -t tmpfs -o mode=755 tmpfs "$dev"
for node in null zero full random urandom tty ptmx; do
  touch "$dev/$node"
  mount --bind "/dev/$node" "$dev/$node"
done
for folder in pts shm; do
  mkdir "$dev/$folder"
  mount --rbind "/dev/$folder" "$dev/$folder"
done
for link in fd stdin stdout stderr; do cp -a "/dev/$link" "$dev/$link"; done
mount --rbind "$dev" /dev

# No job runs there, and each cluster has one of that name.
if [ "$name" = login ]; then exit 0; fi
for controller in cpuset cpu cpuacct devices freezer; do
  root=/sys/fs/cgroup/$controller
  mkdir "$root/oar_$name"
  if [ "$controller" = cpuset ]; then
    for what in cpus mems; do cat "$root/cpuset.$what" >"$root/oar_$name/cpuset.$what"; done
  fi
  mount --bind "$root/oar_$name" "$root"
done
