// Prints `N passed, N failed` from vitest's JSON report, for .ci/run.
//
//   node test/result.mjs EXIT_CODE_OF_THE_TESTS [REPORT]
import { readFileSync } from 'node:fs'

const exitCode = Number(process.argv[2] ?? 0)
const report = process.argv[3] ?? new URL('../.cache/vitest.json', import.meta.url)

function read() {
  try {
    return JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    console.log('no report: the run ended before or within the tests')
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, testResults: [] }
  }
}

const { numPassedTests, numFailedTests, numPendingTests, numTodoTests = 0, testResults } = read()

// A file that could not be loaded has no tests that could have failed.
const unloaded = testResults.filter(
  ({ status, assertionResults }) =>
    status === 'failed' && !assertionResults.some((each) => each.status === 'failed'),
)
for (const { name, message } of unloaded) console.log(`failed as a whole: ${name}: ${message}`)

let failed = numFailedTests + unloaded.length
if (failed === 0 && (exitCode !== 0 || numPassedTests === 0)) {
  console.log(`no test failed, yet the run did not succeed (exit code ${exitCode})`)
  failed = 1
}
const skipped = numPendingTests + numTodoTests
console.log(
  `${numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
)
