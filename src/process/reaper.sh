# Outlives its supervisor only to end what the supervisor has started: when the pipe on standard
# input closes, every registered process group is killed, then every process that carries the run's
# mark in its environment, and the private files and directories are removed, where their filesystem
# answers.
# Standard input, a line each:
#   + PGID        a process group has begun
#   ~ PGID        a process group has begun that ends by itself when we are gone; it is given time
#   - PGID        it has ended
#   d DIRECTORY   to remove at the end
#   n FILE        to make at the end, empty; no FILE takes that back
#   l DIRECTORY   to remove at the end if it is empty; no DIRECTORY takes that back
#   f WORD FILE   to remove at the end, if WORD still stands in it
# Standard output: a line for each signal that came here, which tells the supervisor that the whole
# process tree was signalled and not the supervisor alone.
# $1: the mark, a NAME=VALUE of the children's environment.
# $2: seconds between two looks at the supervisor: one that is found stopped at 22 looks in a row is
#     killed. What stops everything, as the suspension of a whole job, stops the looks too.
mark=$1
supervisor=$PPID
groups=' '
gentle=' '
directories=''
files=''
note=''
lock=''
interrupted=''
newline='
'
for name in HUP INT TERM USR1 USR2; do
  trap "interrupted=yes; echo $name" "$name"
done
trap '' PIPE TSTP TTIN TTOU

(
  trap '' HUP INT TERM USR1 USR2
  trap 'kill -KILL "$nap" 2>/dev/null; exit 0' ALRM
  nap=''
  looks=0
  while kill -0 "$$" 2>/dev/null; do
    sleep "$2" &
    nap=$!
    wait "$nap"
    read -r stat <"/proc/$supervisor/stat" || break
    case ${stat##*) } in T*) looks=$((looks + 1)) ;; *) looks=0 ;; esac
    if [ "$looks" -ge 22 ]; then
      trap '' ALRM
      kill -KILL "$supervisor"
      exit 3
    fi
  done
) </dev/null >/dev/null 2>&1 &
watcher=$!

# A trapped signal may make read fail, with the part of the line that was read so far. (Some shells
# lose that part: the mark in the environment then still finds what the group would have.)
part=''
while :; do
  interrupted=''
  line=''
  if IFS= read -r line; then
    line=$part$line
    part=''
  elif [ -n "$interrupted" ]; then
    part=$part$line
    continue
  else
    break
  fi
  case $line in
    '+ '*) groups="$groups${line#+ } " ;;
    '~ '*) gentle="$gentle${line#~ } " ;;
    '- '*)
      ended=${line#- }
      case $groups in *" $ended "*) groups="${groups%%" $ended "*} ${groups#*" $ended "}" ;; esac
      case $gentle in *" $ended "*) gentle="${gentle%%" $ended "*} ${gentle#*" $ended "}" ;; esac
      ;;
    'd '*) directories="$directories${line#d }$newline" ;;
    'n '*) note=${line#n } ;;
    'l '*) lock=${line#l } ;;
    'f '*) files="$files${line#f }$newline" ;;
  esac
done

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

kill -ALRM "$watcher" 2>/dev/null
kill -CONT "$watcher" 2>/dev/null
wait "$watcher"
# The lock of one that was stopped for so long may be another's by now: locks grow stale by themselves.
[ "$?" = 3 ] && lock=''

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

# Removes what is to be removed: $1 directories, $2 files after their words, $4 an empty directory, and
# makes the note $3. One of them may be on a filesystem that hangs: so beside one another, in processes
# that carry the mark.
tidy='
printf %s "$1" | {
  while IFS= read -r directory; do
    { rm -rf -- "$directory" 2>/dev/null || { sleep 0.1; rm -rf -- "$directory"; }; } &
  done
  wait
} &
[ -n "$3" ] && [ -d "${3%/*}" ] && : 2>/dev/null >"$3"
printf %s "$2" | while IFS= read -r entry; do
  file=${entry#* }
  grep -qsF -e "${entry%% *}" "$file" && rm -f -- "$file"
done
[ -n "$4" ] && rmdir -- "$4" 2>/dev/null
wait'
if [ -n "$directories$files$note$lock" ]; then
  env "$mark" /bin/sh -c "$tidy" dask-run-tidy "$directories" "$files" "$note" "$lock" </dev/null &
  tidier=$!
  tenths=30
  sleep 0.02
  while kill -0 "$tidier" 2>/dev/null && [ "$tenths" -gt 0 ]; do
    sleep 0.1
    tenths=$((tenths - 1))
  done
  if [ "$tenths" = 0 ]; then
    kill_marked
    kill_marked
  fi
fi
exit 0
