/** A node of a syntax tree, of the form that all parsers of JavaScript give. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

/** The nodes that match, in the order of the text, without what is within a node at which `stop` says so. */
export function findNodes(
  root: Node,
  matches: (node: Node) => boolean,
  stop: (node: Node, parent: Node | undefined) => boolean = () => false,
): Node[] {
  const found: Node[] = []
  const visit = (node: Node, parent: Node | undefined): void => {
    if (stop(node, parent)) return
    if (matches(node)) found.push(node)
    for (const child of Object.values(node).flat()) if (isNode(child)) visit(child, node)
  }
  visit(root, undefined)
  return found
}

export function isFunction({ type }: Node): boolean {
  return type === 'ArrowFunctionExpression' || type === 'FunctionExpression' || type === 'FunctionDeclaration'
}

export function argument(call: Node, place: number): Node | undefined {
  return (call.arguments as readonly Node[])[place]
}

/** `name(() => 1, "one")` with nothing more. */
export function keepsName(call: Node): boolean {
  const [target, name, more] = [argument(call, 0), argument(call, 1), argument(call, 2)]
  return (
    (call.callee as Node).type === 'Identifier' &&
    target !== undefined &&
    (isFunction(target) || target.type === 'ClassExpression' || target.type === 'Identifier') &&
    typeof name?.value === 'string' &&
    more === undefined
  )
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
