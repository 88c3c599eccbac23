import type { DaskSettings } from '../../python/describe-python.ts'
import { about, type Finding, found, type Level } from './finding.ts'

const { note, problem } = about('configuration')

/** How many keys of a file are listed. */
const mostKeys = 12

type Value = DaskSettings['settings'][string]

/** What a key of Dask's does to a run, unless it is null, false or empty. `value` is as the file has it. */
const effects: Readonly<Record<string, (value: string) => readonly [Level, string, string]>> = {
  'distributed.scheduler.idle-timeout': (value) => [
    'warning',
    `the scheduler ends when it has had nothing to do for ${value}, and the run with it`,
    'unset it, if the program may pause for longer',
  ],
  'distributed.worker.lifetime.duration': (value) => [
    'warning',
    `each worker ends after ${value}, and the run with the last one`,
    'unset it, or make it longer than the job',
  ],
  'distributed.scheduler.no-workers-timeout': (value) => [
    'note',
    `tasks fail when there has been no worker for them for ${value}`,
    'make it longer than workers take to start',
  ],
  'distributed.scheduler.contact-address': (value) => [
    'warning',
    `workers and clients are sent to ${value}, wherever the scheduler of this run listens`,
    'unset it',
  ],
  ...Object.fromEntries(
    ['scheduler', 'worker', 'nanny', 'client'].map((who) => [
      `distributed.${who}.preload`,
      (value: string) => ['note', `each ${who} imports ${value} as it starts`, 'see that it is there on every node'],
    ]),
  ),
}

const encryption = 'distributed.comm.require-encryption'

/** Judges the files from which Dask reads its configuration. `protocol` is the run's. */
export function checkConfiguration(
  files: readonly DaskSettings[],
  { protocol }: { readonly protocol?: string | undefined },
): Finding[] {
  return files.flatMap(({ path, error, settings }) => {
    if (error !== undefined) return [problem(`Dask cannot be imported: "${path}" is malformed: ${error}`, 'mend it')]
    const keys = Object.keys(settings)
    const more = keys.length > mostKeys ? `, and ${keys.length - mostKeys} more` : ''
    const listed = note(`"${path}" sets ${keys.slice(0, mostKeys).join(', ')}${more}`)
    const judged = keys.flatMap((key): Finding[] => {
      const value = settings[key]
      if (isUnset(value) || (/(timeout|duration)$/.test(key) && isNoTime(value))) return []
      if (key === encryption)
        return protocol === 'tls'
          ? []
          : [
              problem(
                `"${path}" sets ${key}, and Dask then refuses to listen without TLS`,
                'unset it, or give the run --protocol tls and certificates',
              ),
            ]
      const effect = effects[key]?.(String(value))
      if (effect === undefined) return []
      const [level, what, advice] = effect
      return [found(level, 'configuration', `"${path}" sets ${key}: ${what}`, advice)]
    })
    return [listed, ...judged]
  })
}

/** Dask takes no time at all for no limit: `0`, `0s`, `0 hours`. */
function isNoTime(value: Value | undefined): boolean {
  return /^0+(\.0*)?\s*[a-z]*$/i.test(String(value))
}

function isUnset(value: Value | undefined): boolean {
  return value === undefined || value === null || value === false || value === '' || value === '[]'
}
