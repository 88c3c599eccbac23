// One cell of npm run matrix, in namespaces of its own: matrix-cell.mjs ORDER, which is JSON. matrix.mjs starts it.
import { loadTypeScript } from './load-typescript.mjs'

const { main } = await loadTypeScript('test/support/matrix/cell-command.ts')
process.exitCode = await main(process.argv[2])
