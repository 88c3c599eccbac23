import * as z from 'zod/mini'
import { variablePrefix } from '../options/names.ts'
import { endingSignals, userSignals } from '../util/early-signals.ts'

/** What a rank is told by its launcher, as a line of JSON; the line stays open for the signals that follow. */
export const spreadOrdersSchema = z.object({
  /** What the rank says when it is ready. */
  word: z.string(),
  /** The working directory. */
  directory: z.string(),
  env: z.record(z.string(), z.string()),
  /** The command of dask-hpc-runner, with its arguments. */
  args: z.readonly(z.array(z.string())),
  /** For how long the rank waits for the others to be ready. In milliseconds. */
  beginTimeout: z.number(),
  /** The least time between two looks for the launcher's words, where these are files. In milliseconds. */
  lookInterval: z.number(),
})
export type SpreadOrders = z.infer<typeof spreadOrdersSchema>

/** What a rank is told on the line when all of them are ready. */
export const beginWord = 'begin'

/** The signals that are passed on to each rank, a word each. */
export type PassedOn = (typeof endingSignals | typeof userSignals)[number]

/** Whether a word is one of them. */
export function isPassedOn(word: string): word is PassedOn {
  return [...endingSignals, ...userSignals].some((signal) => signal === word)
}

/** Variables that belong to a host or to a login: those of the launcher's mean nothing elsewhere. */
const ofHost = /^(HOSTNAME|HOST|PWD|OLDPWD|SHLVL|_|XDG_RUNTIME_DIR|XDG_SESSION_\w+|DBUS_SESSION_BUS_ADDRESS|SSH_\w+)$/

/** Those of which a host may have its own. */
const ownFirst: ReadonlySet<string> = new Set(['TMPDIR', 'TMP', 'TEMP', 'QUEUE', 'SGE_JOB_SPOOL_DIR'])

/** Who a rank is says `spread` alone, whatever a site has in variables for other launchers. */
const ofPlace = ['RANK', 'RANK_FROM', 'SIZE', 'SIZE_FROM', 'RUN_ID_FROM'].map((name) => `${variablePrefix}${name}`)

/** The variables of this process that are handed on. */
export function environmentToSend(env: Readonly<NodeJS.ProcessEnv>): Readonly<Record<string, string>> {
  const handedOn = Object.entries(env).filter(([name, value]) => value !== undefined && !ofHost.test(name))
  return Object.fromEntries(handedOn) as Record<string, string>
}

/** Puts the launcher's variables into `env`, that of this process: what a host has of its own stays. */
export function takeEnvironment(sent: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(sent))
    if (!ofHost.test(name) && !(ownFirst.has(name) && (env[name] ?? '') !== '')) env[name] = value
  for (const name of ofPlace) Reflect.deleteProperty(env, name)
}
