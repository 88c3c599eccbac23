import type { starterNames } from '../options/names.ts'
import { shellWord } from '../util/shell-word.ts'
import type { Host } from '../runners/node-file.ts'

/** What `--with` names. */
export type StarterName = (typeof starterNames)[number]

/** How a system starts a process on another host of the job: a row of the table. */
export interface Starter {
  readonly name: StarterName
  /** The variables that name its node file. The row is that of a job where one is there. */
  readonly nodeFiles: readonly string[]
  /** The command that starts `program` with its arguments on `host`. */
  readonly command: (host: Host, program: readonly string[]) => [string, ...string[]]
  /** What to try by hand where it does not start anything. */
  readonly trial: (host: Host) => string
  /** Whether the command names a host by its line in the node file of the job. @default false */
  readonly countsLines?: boolean
  /** Whether the standard input of the command is that of the program. */
  readonly handsOnInput: boolean
  /** Whether a slot of its node file is a CPU of the job. */
  readonly slotsAreCpus: boolean
}

/** The words of a command as the one text that a user's shell on the other host is given. */
const asText = (program: readonly string[]): string => program.map(shellWord).join(' ')

/** Nothing is asked, a host that does not answer is told of, and so is one that falls silent later. */
const sshOptions = ['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=20', '-o', 'ServerAliveInterval=15'] as const

/** Which system's job this is comes from the first row whose node file is named. */
export const starters: readonly Starter[] = [
  {
    name: 'oarsh',
    nodeFiles: ['OAR_NODE_FILE', 'OAR_NODEFILE'],
    command: ({ name }, program) => ['oarsh', ...sshOptions, name, asText(program)],
    trial: ({ name }) => `oarsh ${name} true`,
    handsOnInput: true,
    // A line of the file is a resource: a core, a thread or a whole host. The CPUs are those of the job's control group.
    slotsAreCpus: false,
  },
  {
    name: 'qrsh',
    nodeFiles: ['PE_HOSTFILE'],
    command: ({ name }, program) => ['qrsh', '-inherit', '-noshell', name, ...program],
    trial: ({ name }) => `qrsh -inherit ${name} true`,
    handsOnInput: true,
    slotsAreCpus: true,
  },
  {
    name: 'pbsdsh',
    nodeFiles: ['PBS_NODEFILE'],
    command: ({ line }, program) => ['pbsdsh', '-n', String(line), '--', ...program],
    trial: ({ line }) => `pbsdsh -n ${line} -- /bin/true`,
    countsLines: true,
    handsOnInput: false,
    // PBS Professional has a line for each chunk, whatever CPUs that has.
    slotsAreCpus: false,
  },
  {
    name: 'ssh',
    nodeFiles: [],
    command: ({ name }, program) => ['ssh', ...sshOptions, name, asText(program)],
    trial: ({ name }) => `ssh -o BatchMode=yes ${name} true`,
    handsOnInput: true,
    slotsAreCpus: false,
  },
]

/** The row of that name. */
export function starterOf(name: StarterName): Starter {
  const found = starters.find((row) => row.name === name)
  if (found === undefined) throw new RangeError(`Cannot spread with "${name}": there is no such program here`)
  return found
}
