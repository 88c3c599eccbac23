const alarm = /.*(Traceback|Error|error:|WARNING|CRITICAL|warn:|never retrieved|was destroyed).*/

/**
 * A client of Dask 2022.12 says this of itself when it closes on a busy machine, in one of some hundred runs, with a plain Dask too:
 * nobody waits any more for the next time at which distributed/batched.py would have sent something.
 */
const daskOnClosing =
  /^(?:\d+: )?Future exception was never retrieved\n(?:\d+: )?future: <Future finished exception=TimeoutError\('Timeout'\)>\n(?:\d+: )?(?:tornado\.util\.)?TimeoutError: Timeout$/gm

/** The first line of an output that a clean run does not print. */
export function alarmIn(output: string): string | undefined {
  return alarm.exec(output.replaceAll(daskOnClosing, ''))?.[0]
}
