import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The pieces of Python in a page of the documentation, in their order. */
export function pythonBlocks(page: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8')
  return [...text.matchAll(/^```python\n([^]*?)^```$/gm)].map(([, code = '']) => code)
}
