import { type Environment, readVariable } from '../../identity/environment.ts'
import { expandNodeList, mostNames } from '../../identity/node-list.ts'

/** A part of a heterogeneous job, and its nodes. */
export interface Component {
  readonly number: number
  readonly nodes: readonly string[]
}

/** Both words for a component: that of Slurm 20.02 and newer, and the older one, which is set as well. */
const words = ['HET', 'PACK'] as const

/** Whether the job has more than one part. (`srun … : …` without a job of its own leaves no lists of nodes.) */
export function isHeterogeneous(env: Environment): boolean {
  return words.some((word) => readVariable(env, `SLURM_${word}_SIZE`) !== undefined) || numbersSaid(env).length > 0
}

/** The parts of a heterogeneous job, in their order, as far as their nodes are said: there may be gaps between them. */
export function components(env: Environment): readonly Component[] {
  const found: Component[] = []
  let names = 0
  for (const number of numbersSaid(env)) {
    const [name = ''] = componentNames(nodeList, number).filter((each) => readVariable(env, each))
    const nodes = expandNodeList(readVariable(env, name) ?? '')
    names += nodes?.length ?? 0
    if (names > mostNames) return found
    if (nodes !== undefined) found.push({ number, nodes })
  }
  return found
}

const nodeList = 'SLURM_JOB_NODELIST'
const itsNumber = new RegExp(`^${nodeList}_(?:${words.join('|')})_GROUP_([0-9]{1,4})$`)

/** Numbers of the parts whose nodes are said. */
function numbersSaid(env: Environment): readonly number[] {
  const said = Object.keys(env).filter((name) => readVariable(env, name) !== undefined)
  const numbers = said.flatMap((name) => itsNumber.exec(name)?.[1] ?? []).map(Number)
  return [...new Set(numbers)].sort((a, b) => a - b)
}

/**
 * The parts that this task may be of: those that hold its node. More than one only where several of them
 * have nodes in common and the node's number does not tell either.
 */
function ownComponents(env: Environment): readonly Component[] {
  const all = components(env)
  const host = readVariable(env, 'SLURMD_NODENAME')
  const holding = all.filter(({ nodes }) => host !== undefined && nodes.includes(host))
  if (holding.length === 0) return all
  if (holding.length === 1) return holding
  // In a step of all parts, node numbers run through one part after the other.
  const places = all.flatMap((component) => component.nodes.map((node) => ({ component, node })))
  const place = places[Number(readVariable(env, 'SLURM_NODEID') ?? NaN)]
  const nodes = readVariable(env, 'SLURM_STEP_NUM_NODES') ?? readVariable(env, 'SLURM_NNODES')
  return place !== undefined && place.node === host && nodes === String(places.length) ? [place.component] : holding
}

/**
 * The names under which a job's request, such as `SLURM_MEM_PER_CPU`, is that of this task. In a
 * heterogeneous job the plain variable is that of part 0, or of whichever part was asked for last.
 */
export function requestVariables(env: Environment, name: string): readonly string[] {
  if (!isHeterogeneous(env)) return readVariable(env, name) === undefined ? [] : [name]
  const own = ownComponents(env)
  return own.flatMap(({ number }) => {
    const names = componentNames(name, number).filter((each) => readVariable(env, each) !== undefined)
    if (names[0] !== undefined) return [names[0]]
    return number === 0 && readVariable(env, name) !== undefined ? [name] : []
  })
}

function componentNames(name: string, number: number): readonly string[] {
  return words.map((word) => `${name}_${word}_GROUP_${number}`)
}
