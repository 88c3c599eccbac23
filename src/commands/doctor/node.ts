import { about, type Finding } from './finding.ts'

const { ok, problem } = about('node')

/** The oldest Node that we support. */
const [oldestMajor, oldestMinor] = [20, 19]

/** Judges the Node of this `version`, such as `20.19.0`, in which `program` runs, which is our own version. */
export function checkNode(program: string, version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOld = major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
  const finding = `${version}, dask-hpc-runner ${program}`
  if (!isOld) return ok(finding)
  const wanted = `${finding}; it takes ${oldestMajor}.${oldestMinor} or newer`
  return problem(wanted, 'load a newer Node in the job script')
}
