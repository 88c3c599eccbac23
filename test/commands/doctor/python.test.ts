import { describe, expect, it } from 'vitest'
import { checkClient } from '../../../src/commands/doctor/client.ts'
import { checkBokeh, checkPython } from '../../../src/commands/doctor/python.ts'

const packages = { distributed: '2022.12.1+ds.1', dask: '2022.12.1+dfsg', msgpack: '1.0.3' }
const python = { executable: '/usr/bin/python3', version: '3.11.2', packages, place: '/lib/distributed/__init__.py' }
const problems = (changes: Record<string, string>) =>
  checkPython({ ...python, packages: { ...packages, ...changes } }).filter(({ level }) => level !== 'ok')

describe('checkPython', () => {
  it('takes one release as two packages of a distributor have it', () => {
    expect(problems({})).toEqual([])
  })

  it('warns of a Dask of two releases, and of one older than any that was tried', () => {
    expect(problems({ dask: '2023.1.0' })).toMatchObject([{ level: 'warning', subject: 'dask' }])
    expect(problems({ dask: '2022.11.0', distributed: '2022.11.0' })).toMatchObject([{ level: 'warning' }])
    // Of a checkout nothing can be said.
    expect(problems({ distributed: 'unknown' })).toEqual([])
    expect(problems({ dask: '2022.12.1+3.gabc', distributed: 'unknown' })).toEqual([])
  })

  it('takes a Python without Dask as a problem', () => {
    expect(checkPython({ ...python, packages: {}, place: null })).toMatchObject([{}, { level: 'problem' }])
    const { distributed } = packages
    expect(checkPython({ ...python, packages: { distributed } })).toMatchObject([{}, { level: 'problem' }])
  })
})

describe('checkDashboard', () => {
  it('notes that bokeh is missing', () => {
    expect(checkBokeh(python)[0]?.level).toBe('note')
    expect(checkBokeh({ ...python, packages: { ...packages, bokeh: '3.0' } })[0]?.level).toBe('ok')
  })
})

describe('checkClient', () => {
  const of = (changes: Record<string, string>, version = '3.11.2') =>
    checkClient(
      { command: ['python', 'a.py'], python: { ...python, version, packages: { ...packages, ...changes } } },
      python,
    ).map(({ level }) => level)

  it('takes the versions of one release as the same', () => {
    expect(of({})).toEqual(['ok'])
    expect(of({ distributed: '2022.12.1', bokeh: '3.0' })).toEqual(['ok'])
  })

  it('takes another Dask or minor version of Python as a problem, other packages as a warning', () => {
    expect(of({ distributed: '2024.12.1' })).toEqual(['problem'])
    expect(of({}, '3.12.0')).toEqual(['problem'])
    expect(of({}, '3.11.9')).toEqual(['note'])
    expect(of({ msgpack: '1.1.0', numpy: '2.0.0' })).toEqual(['warning'])
    expect(of({ distributed: '2024.12.1', msgpack: '1.1.0' }, '3.12.0')).toEqual(['problem', 'warning'])
  })

  it('says what differs, and where', () => {
    const other = { ...python, executable: '/venv/bin/python', packages: { ...packages, distributed: '2024.12.1' } }
    expect(checkClient({ command: ['./a.py', 'x'], python: other }, python)[0]?.finding).toBe(
      '"./a.py x" runs in /venv/bin/python, scheduler and workers in /usr/bin/python3: distributed 2024.12.1 and not 2022.12.1+ds.1',
    )
  })

  it('does not judge what is no Python program, nor accepts one without Dask', () => {
    expect(checkClient({ command: ['./a.sh'], python: undefined }, python)[0]?.level).toBe('note')
    const without = { ...python, packages: {} }
    expect(checkClient({ command: ['python'], python: without }, python)[0]?.level).toBe('problem')
    expect(checkClient({ command: ['python'], python }, undefined)[0]?.level).toBe('ok')
  })
})
