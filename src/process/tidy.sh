# Removes what a supervisor leaves, as far as it is ours. A process of its own, started by reaper.sh:
# where a filesystem hangs this process hangs, and can be killed.
# Standard input: the orders d, e, n, l and f of reaper.sh. An order that is not well formed is ignored.
# A path is absolute, and encoded: bytes other than A-Z a-z 0-9 . _ / - are \0 and three octal digits.
#
# Somebody else may be able to rename what stands in the directory above. So a directory is entered
# first, and examined from the inside: whatever its name then stands for, what is removed is what was
# examined. Links are not followed, and other filesystems are not entered.
set -f

# Sets `path`, `parent` and `name` to what the encoded $1 stands for. Fails where it is not well formed.
decode() {
  case $1 in
    *[!A-Za-z0-9._/\\-]*) return 1 ;;
  esac
  rest=$1
  while
    case $rest in *\\*) ;; *) false ;; esac
  do
    rest=${rest#*\\}
    case $rest in
      # Control characters.
      00[0-3]* | 0177*) return 1 ;;
      0[0-3][0-7][0-7]*) ;;
      *) return 1 ;;
    esac
  done
  case $1 in *\\*) path=$(printf %b "$1") ;; *) path=$1 ;; esac
  case $path/ in
    *//* | */./* | */../*) return 1 ;;
    /?*) ;;
    *) return 1 ;;
  esac
  parent=${path%/*}/
  name=${path##*/}
}

# Whether the working directory has the inode $1, is this user's, and nobody else may enter it.
is_private() {
  [ -O . ] || return 1
  # inode mode ...
  set -- "$1" $(ls -dni .)
  [ "$1" = "$2" ] || return 1
  case $3 in d???--[!xs]--[!xt]*) ;; *) return 1 ;; esac
}

# Removes the directory $2 with all that is in it, if it is still the one with the inode $1.
remove_directory() {
  decode "$2" || return
  case $name in
    # A run's own directory on the shared filesystem has files only.
    .?*.run-?* | .?*.doctor-?*) what='-maxdepth 1 ! -type d' ;;
    dask-hpc-runner-?*) what='! -name .' ;;
    *) return ;;
  esac
  cd -P -- "$path" && is_private "$1" || return
  # Twice: what is being killed may still write.
  for attempt in 1 2; do
    find . -xdev $what -delete
    (cd -P .. && rmdir -- "./$name") && return
    sleep 0.1
  done
}

# Removes the empty directory $1, if it is this user's: the supervisor ended when it had just made it.
remove_empty() {
  decode "$1" || return
  case $name in
    .?*.run-?* | .?*.doctor-?* | dask-hpc-runner-?*) ;;
    *) return ;;
  esac
  cd -P -- "$path" && [ -O . ] && cd -P .. && rmdir -- "./$name"
}

# Makes the empty file $2 in a run's own directory, which has the inode $1, unless something is there already.
leave_note() {
  decode "$2" || return
  [ "$name" = exited-0.json ] || return
  case ${parent%/} in */.?*.run-?*) ;; *) return ;; esac
  cd -P -- "$parent" && is_private "$1" || return
  set -C
  : >"./$name"
}

# Removes the file $2, if it is a regular file of this user's in which the word $1 stands, which no other has.
remove_file() {
  decode "$2" || return
  case $1 in *[!A-Za-z0-9-]*) return ;; ????????????????*) ;; *) return ;; esac
  cd -P -- "$parent" && [ -f "./$name" ] && [ ! -h "./$name" ] && [ -O "./$name" ] || return
  grep -qsF -e "$1" -- "./$name" && rm -f -- "./$name"
}

# Removes the directory $1, which is a lock, if it is empty.
remove_lock() {
  decode "$1" || return
  case $name in .?*.lock) rmdir -- "$path" ;; esac
}

# Beside one another: one of them may hang.
while IFS= read -r line; do
  set -- $line
  case "$1 $#" in
    'd 3') remove_directory "$2" "$3" & ;;
    'e 2') remove_empty "$2" & ;;
    'n 3') leave_note "$2" "$3" & ;;
    'f 3') remove_file "$2" "$3" & ;;
    'l 2') remove_lock "$2" & ;;
  esac
done
wait
