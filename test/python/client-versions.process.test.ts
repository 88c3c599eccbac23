import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import clientVersions from '../../src/python/client-versions.py'

it.each([
  ['2025.1.0', '3.11.2', true],
  ['2025.4.0', '3.11.2', false],
  ['2025.1.0', '3.12.0', false],
  ['0+unknown', '3.11.7', true],
  ['0+unknown', '3.12.0', false],
])(
  'a client with Dask 2024.12.1 and Python 3.11.2 may send its code to Dask %s and Python %s: %s',
  (dask, python, may) => {
    const versions = [
      ['2024.12.1', '3.11.2'],
      [dask, python],
    ]
    const text = `${clientVersions}\nprint(understand(${JSON.stringify(versions)}))`
    expect(execFileSync('python3', ['-c', text], { encoding: 'utf8' })).toBe(may ? 'True\n' : 'False\n')
  },
)
