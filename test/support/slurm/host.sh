# The first process of a host, in namespaces of its own: gives it its name, its mounts and its loopback,
# says so, and lives until its standard input ends. The kernel then ends whatever runs on the host.
#
# Arguments: the host's name; the cluster's directory; for how many seconds the mount of the shared
# directory caches, 0 for not at all; the folders below /tmp that stay visible.
set -eu
name=$1
base=$2
cache=$3
shift 3

hostname "$name"
if [ -e /etc/hosts ]; then mount --bind "$base/hosts/$name/hosts" /etc/hosts; fi
if [ -e /etc/resolv.conf ]; then mount --bind "$base/etc/resolv.conf" /etc/resolv.conf; fi

tmp=$base/hosts/$name/tmp
mount -t tmpfs -o mode=1777,size=1g tmpfs "$tmp"
for folder in "$@"; do
  mkdir -p "$tmp/${folder#/tmp/}"
  mount --rbind "$folder" "$tmp/${folder#/tmp/}"
done

if [ "$cache" = 0 ]; then
  mount --bind "$base/source" "$base/shared"
else
  bindfs -o "attr_timeout=$cache,entry_timeout=$cache,negative_timeout=$cache" "$base/source" "$base/shared"
fi
mount --rbind "$tmp" /tmp
cd "$base/shared"

ip link set lo up
echo ready
while read -r _; do :; done

# Whoever kept the cluster has died without ending it: nothing may be left all the same.
set +e
# The mount dies with the program behind it, and nothing starts in a directory that is gone.
cd /
kill -KILL -1
# As long as a process is ending in one, it cannot be removed.
for _ in $(seq 100); do
  cgroups=$(ls -d /sys/fs/cgroup/*/slurm_"$name" 2>/dev/null) || break
  find $cgroups -depth -type d -exec rmdir {} \; 2>/dev/null
  sleep 0.05
done
if [ "$name" = login ]; then
  umount --lazy "$base/shared" "$tmp"
  rm -rf "$base"
fi
