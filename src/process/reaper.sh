# Outlives its supervisor only to end what the supervisor has started: when the pipe on standard
# input closes, every registered process group is killed, then every process that carries the run's
# mark in its environment, and tidy.sh removes what is to be removed, where its filesystem answers.
# Standard input, an order a line. An order that is not well formed is ignored.
#   + PGID              a process group has begun
#   ~ PGID              a process group has begun that ends by itself when we are gone; it is given time
#   - PGID              it has ended
#   d INODE DIRECTORY   to remove at the end, if the directory of that name is still the one of that number
#   e DIRECTORY         to remove at the end if it is empty: it is about to be made
#   n INODE FILE        to make at the end, empty, in the directory of that number; `n` alone takes that back
#   l DIRECTORY         to remove at the end if it is empty; `l` alone takes that back
#   f WORD FILE         to remove at the end, if WORD still stands in it
# Words have one space between them. Paths are encoded: see tidy.sh.
# Standard output: a line for each signal that came here, which tells the supervisor that the whole
# process tree was signalled and not the supervisor alone.
# $1: the mark, a NAME=VALUE of the children's environment.
# $2: seconds between two looks at the supervisor: one that is found stopped at 22 looks in a row is
#     killed. What stops everything, as the suspension of a whole job, stops the looks too. Empty: it may stay stopped.
# $3: the text of tidy.sh
mark=$1
supervisor=$PPID
tidy=$3
groups=' '
gentle=' '
removals=''
marker=''
lock=''
interrupted=''
newline='
'
for name in HUP INT TERM USR1 USR2; do
  trap "interrupted=yes; echo $name" "$name"
done
trap '' PIPE TSTP TTIN TTOU

watch() {
  trap '' HUP INT TERM USR1 USR2
  trap '[ -z "$nap" ] || kill -KILL "$nap" 2>/dev/null; exit 0' ALRM
  nap=''
  looks=0
  while kill -0 "$$" 2>/dev/null; do
    sleep "$1" &
    nap=$!
    # Without a time between them the looks would say nothing.
    wait "$nap" || break
    read -r stat <"/proc/$supervisor/stat" || break
    case ${stat##*') '} in T*) looks=$((looks + 1)) ;; *) looks=0 ;; esac
    if [ "$looks" -ge 22 ]; then
      trap '' ALRM
      kill -KILL "$supervisor"
      exit 3
    fi
  done
}

watcher=''
if [ -n "$2" ]; then
  watch "$2" </dev/null >/dev/null 2>&1 &
  watcher=$!
fi

# 0 and 1 would stand for whole other sets of processes.
is_group() {
  case $1 in '' | *[!0-9]* | 0* | 1 | ???????????*) return 1 ;; esac
}

# The words of an order.
obey() {
  case "$1 $#" in
    '+ 2') is_group "$2" && groups="$groups$2 " ;;
    '~ 2') is_group "$2" && gentle="$gentle$2 " ;;
    '- 2')
      case $groups in *" $2 "*) groups="${groups%%" $2 "*} ${groups#*" $2 "}" ;; esac
      case $gentle in *" $2 "*) gentle="${gentle%%" $2 "*} ${gentle#*" $2 "}" ;; esac
      ;;
    'd 3')
      # It was expected; now it is known.
      case $removals in *"e $3$newline"*) removals="${removals%%"e $3$newline"*}${removals#*"e $3$newline"}" ;; esac
      removals="$removals$*$newline"
      ;;
    'e 2' | 'f 3') removals="$removals$*$newline" ;;
    'n 1' | 'n 3') marker=${2:+"$*$newline"} ;;
    'l 1' | 'l 2') lock=${2:+"$*$newline"} ;;
  esac
}

# A trapped signal may make read fail, with the part of the line that was read so far. (Some shells
# lose that part: the mark in the environment then still finds what the group would have.)
part=''
set -f
while :; do
  interrupted=''
  line=''
  if IFS= read -r line; then
    obey $part$line
    part=''
  elif [ -n "$interrupted" ]; then
    part=$part$line
  else
    break
  fi
done
set +f

# From here on every command that is run below ignores the signals too.
trap '' HUP INT TERM USR1 USR2
# Waits until the process groups have ended, for $1 tenths of a second at most.
await() {
  tenths=$1
  shift
  for group; do
    while kill -0 "-$group" 2>/dev/null && [ "$tenths" -gt 0 ]; do
      sleep 0.1
      tenths=$((tenths - 1))
    done
  done
}

if [ -n "$watcher" ]; then
  kill -ALRM "$watcher" 2>/dev/null
  kill -CONT "$watcher" 2>/dev/null
  wait "$watcher"
  # The lock of one that was stopped for so long may be another's by now: locks grow stale by themselves.
  [ "$?" = 3 ] && lock=''
fi

for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
await 10 $gentle
for group in $gentle; do kill -KILL "-$group" 2>/dev/null; done
kill_marked() {
  for file in $(grep -lzxF -e "$mark" /proc/[0-9]*/environ 2>/dev/null); do
    pid=${file#/proc/}
    kill -KILL "${pid%/environ}" 2>/dev/null
  done
}
# Twice, for what was being forked while the first pass went by.
kill_marked
kill_marked
# What is being killed may still write.
await 10 $groups $gentle

orders=$removals$marker$lock
if [ -n "$orders" ]; then
  # It carries the mark, so that it is found where it hangs.
  printf %s "$orders" | env "$mark" /bin/sh -c "$tidy" dask-run-tidy >/dev/null 2>&1 &
  tidier=$!
  # For 3 s at most; it takes some hundredths of one.
  looks=40
  while kill -0 "$tidier" 2>/dev/null && [ "$looks" -gt 0 ]; do
    if [ "$looks" -gt 28 ]; then sleep 0.02; else sleep 0.1; fi
    looks=$((looks - 1))
  done
  if [ "$looks" = 0 ]; then
    kill_marked
    kill_marked
  fi
fi
exit 0
