import type { ScopeManager, Variable } from 'eslint-scope'
import { argument, findNodes, isFunction, keepsName, type Node } from './syntax-tree.ts'

/** A function that a function submits by the client which it is called with. */
export interface NestedFunction {
  readonly name: string
  /** Variables of the function around it that it uses. */
  readonly captured: readonly string[]
  /** Names that it takes from outside of that one. */
  readonly outside: readonly string[]
}

/** Those that can be seen in the text of a function whose first parameter is a client: written in the call, or declared in it. */
export function nestedFunctions(program: Node, scopes: ScopeManager): NestedFunction[] {
  const [outermost] = findNodes(program, isFunction)
  const [client] = (outermost?.params ?? []) as readonly Node[]
  if (outermost === undefined || client?.type !== 'Identifier') return []
  const variables = new Map<unknown, Variable | null>(
    scopes.scopes.flatMap(({ references }) =>
      references.map(({ identifier, resolved }): [unknown, Variable | null] => [identifier, resolved]),
    ),
  )
  const isParameter = (name: unknown): boolean =>
    variables.get(name)?.defs.some((one) => (one.name as unknown) === client) === true
  const submitted = findNodes(program, (node) => isSubmit(node, isParameter)).flatMap(
    (call): [Node, Variable | undefined][] => {
      const given = argument(call, 0)
      const variable = variables.get(given) ?? undefined
      const written = functionIn(variable === undefined ? given : definition(variable))
      return written === undefined || written === outermost ? [] : [[written, variable]]
    },
  )
  return submitted.map(([written, variable]) => {
    const taken = scopes.acquire(written as never)?.through ?? []
    const name = variable?.name ?? ((written.id as Node | null)?.name as string | undefined) ?? ''
    // It may call itself.
    const others = taken.filter(({ identifier }) => identifier.name !== name)
    const names = (isCaptured: boolean): string[] => [
      ...new Set(
        others.filter(({ resolved }) => (resolved !== null) === isCaptured).map(({ identifier }) => identifier.name),
      ),
    ]
    return { name, captured: names(true), outside: names(false) }
  })
}

/** `client.submit(…)` or `client.map(…)`. */
function isSubmit(node: Node, isClient: (name: unknown) => boolean): boolean {
  if (node.type !== 'CallExpression') return false
  const { type, object, property, computed } = node.callee as Node
  return (
    type === 'MemberExpression' &&
    computed === false &&
    ['submit', 'map'].includes(String((property as Node).name)) &&
    isClient(object)
  )
}

/** What a variable that is never another one was declared to be. */
function definition({ defs }: Variable): Node | undefined {
  const [one] = defs as unknown as readonly { type: string; node: Node; parent?: Node }[]
  if (one?.type === 'FunctionName') return one.node
  return one?.type === 'Variable' && one.parent?.kind === 'const' ? (one.node.init as Node | undefined) : undefined
}

function functionIn(node: Node | undefined): Node | undefined {
  if (node === undefined || isFunction(node)) return node
  const named = node.type === 'CallExpression' && keepsName(node) ? argument(node, 0) : undefined
  return named !== undefined && isFunction(named) ? named : undefined
}
