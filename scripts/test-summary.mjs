// Prints the numbers of a vitest JSON report as one line and ends with 1 where something failed.
// Arguments: the report, then "passed" or "failed" for the static checks and for vitest itself.
import { readFileSync } from 'node:fs'

const [report = '', checks, tests] = process.argv.slice(2)

let passed = 0
let failed = 0
let skipped = 0
const text = readFileSync(report, 'utf8')

/** The part of vitest's report that is read here.
 * @typedef {{ status: string, name: string, assertionResults: { status: string }[] }} TestFile
 * @typedef {Record<'numPassedTests' | 'numFailedTests' | 'numPendingTests' | 'numTodoTests', number> & { testResults: TestFile[] }} Report
 */

if (text === '') console.error('vitest wrote no report')
else {
  /** @type {Report} */
  const result = JSON.parse(text)
  passed = result.numPassedTests
  skipped = result.numPendingTests + result.numTodoTests
  // A file that cannot be loaded fails without a failed test in it.
  const broken = result.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  failed = result.numFailedTests + broken.length
  for (const file of broken) console.error(`failed as a whole: ${file.name}`)
}
if (tests === 'failed' && failed === 0) {
  failed = 1
  console.error('vitest failed outside of the tests; counted as one failure')
}
if (checks === 'failed') {
  failed += 1
  console.error('the static checks failed; counted as one failure')
}

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1
