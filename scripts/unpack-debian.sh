# Unpacks /usr and /etc of another Debian: unpack-debian.sh DIRECTORY SUITE MIRROR PACKAGES. It is started by
# unpack-debian.mjs, under a lock that lives as long as anything here, in namespaces that leave neither
# mount nor process. DIRECTORY comes into being complete; its file `complete` names the packages.
set -eu
directory=$1 suite=$2 mirror=$3 packages=$4
[ "$(cat "$directory/complete" 2>/dev/null)" = "$packages" ] && exit 0
exec >"$directory.log" 2>&1

remove() { rm -rf --one-file-system -- "$@"; }
remove "$directory".new.*
new=$(mktemp -d "$directory.new.XXXXXX")
trap 'remove "$new"' EXIT
trap 'exit 1' HUP INT TERM

debootstrap --variant=minbase --include="$packages" "$suite" "$new/system" "$mirror"
# Debian has compiled Python's files when it installed them.
mount --bind /proc "$new/system/proc"
chroot "$new/system" python3 -c 'import distributed; print("Dask", distributed.__version__)'
umount "$new/system/proc"

mkdir "$new/wanted"
cp "$new/system/etc/ld.so.cache" "$new/wanted"
mv "$new/system/usr" "$new/system/etc" "$new/wanted"
printf %s "$packages" >"$new/wanted/complete"
[ ! -e "$directory" ] || mv "$directory" "$new/old"
mv "$new/wanted" "$directory"
