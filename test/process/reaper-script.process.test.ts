import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { expectedOrder, fileOrder, lockOrder, type EndMarker, endMarkerOrder } from '../../src/process/reaper-orders.ts'
import { canBeOthers, user } from '../support/second-user.ts'
import {
  eventually,
  isAlive,
  kill,
  processesWith,
  startGroup,
  stubborn,
  temporaryDirectory,
} from './support/processes.ts'
import { orderToRemove, ReaperScript, seenDirectory, type Shell, systemShell } from './support/reaper-script.ts'

/** What /bin/sh is on one system or another. */
const shells: readonly Shell[] = [
  systemShell,
  { name: 'bash as sh', program: 'bash', argv0: 'sh' },
  { name: 'dash', program: 'dash' },
  { name: 'busybox sh', program: 'busybox', args: ['sh'] },
  { name: 'ksh', program: 'ksh' },
]

const onPath = (name: string): boolean =>
  existsSync(name) || (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, name)))
const signals = ['HUP', 'INT', 'TERM', 'USR1', 'USR2'] as const

describe.each(shells.filter(({ program }) => onPath(program)))('the reaper under $name', (shell) => {
  it('kills the groups that are left, whatever signals they ignore, and spares those that were taken back', async () => {
    const reaper = new ReaperScript({ shell })
    const groups = [await stubborn(), await stubborn(), await stubborn(), await stubborn()]
    const [first = 0, second = 0, third = 0, stranger = 0] = groups
    reaper.tell(`+ ${first}`, `+ ${second}`, `+ ${third}`, `- ${second}`)
    await reaper.supervisorEnds()
    await eventually(() => groups.map(isAlive), [false, true, false, true], 'first and third are killed')
    expect([isAlive(second), isAlive(stranger)]).toEqual([true, true])
  })

  it.each([
    ['looks whether its supervisor is stopped', '2.5', 1],
    ['does not, where nobody waits for that', '', 0],
  ])('%s', async (_, interval, watchers) => {
    const { pid } = new ReaperScript({ shell, interval }).child
    const state = (): string | undefined => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    await eventually(state, 'S', 'it waits for orders')
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    expect(children.split(' ').filter((word) => word !== '')).toHaveLength(watchers)
  })

  it('kills every process of a group', async () => {
    const reaper = new ReaperScript({ shell })
    const mark = `300.${Math.floor(Math.random() * 1e9)}`
    const leader = startGroup(['/bin/sh', '-c', `sleep ${mark} & sleep ${mark} & wait`])
    await eventually(() => processesWith(`sleep\0${mark}`, 'cmdline').length, 2, 'the group is complete')
    reaper.tell(`+ ${leader.pid}`)
    await reaper.supervisorEnds()
    await eventually(() => processesWith(`sleep\0${mark}`, 'cmdline'), [], 'the whole group is killed')
  })

  it('kills what carries the mark in another session, and spares what carries another mark', async () => {
    const reaper = new ReaperScript({ shell })
    const ours = await stubborn(reaper.env)
    const others = [
      await stubborn({ REAPER_TEST: randomUUID() }),
      // Neither the end of a value nor its beginning is the mark.
      await stubborn({ REAPER_TEST: `${reaper.env.REAPER_TEST ?? ''}0` }),
      await stubborn({ ANOTHER: reaper.mark }),
    ]
    await reaper.supervisorEnds()
    await eventually(() => isAlive(ours), false, 'the marked process is killed')
    expect(others.map(isAlive)).toEqual([true, true, true])
  })

  it('removes directories and files whatever their names are, and makes the end marker', async () => {
    const reaper = new ReaperScript({ shell })
    // A shell would read something else in each of them, and some use the bytes of the last for themselves.
    const names = [
      'plain',
      ' two  words ',
      '*',
      '$HOME `id` $(id)',
      '"\'\\n\\0101%b',
      '-rf',
      '\u0101\u0401\u4e2d\u{1f600}',
    ]
    const parent = temporaryDirectory()
    const path = (...parts: readonly string[]): string => join(parent, ...parts)
    for (const name of names) {
      mkdirSync(path(name))
      const directory = path(name, `dask-hpc-runner-${name}`)
      const runDirectory = path(name, `.${name}.run-1`)
      for (const each of [directory, runDirectory]) mkdirSync(each, { mode: 0o700 })
      mkdirSync(path(name, `.${name}.lock`))
      mkdirSync(join(directory, `${name}/..deep/${name}`), { recursive: true })
      for (const each of [directory, join(directory, name), join(directory, name, '..deep'), runDirectory])
        for (const file of [`${name}.file`, `.${name}`, `..${name}`]) writeFileSync(join(each, file), '')
      writeFileSync(path(name, `${name}.json`), '{"nonce": "0123-the-nonce-of-it"}')
      reaper.tell(orderToRemove(directory), orderToRemove(runDirectory))
      // One that was made, and could not be told of any more.
      mkdirSync(path(name, `.${name}.run-2`), { mode: 0o700 })
      for (const run of ['2', 'never-made']) reaper.tell(expectedOrder(path(name, `.${name}.run-${run}`)))
      reaper.tell(fileOrder(path(name, `${name}.json`), '0123-the-nonce-of-it'))
    }
    const last = join(parent, names.at(-1) ?? '')
    mkdirSync(join(last, '.a.run-1'), { mode: 0o700 })
    reaper.tell(
      endMarkerOrder({ directory: seenDirectory(join(last, '.a.run-1')), name: 'exited-0.json' }),
      lockOrder(join(last, `.${names.at(-1) ?? ''}.lock`)),
    )
    await reaper.supervisorEnds()
    const left = names.map((name) => readdirSync(path(name)))
    expect(left).toEqual([...names.slice(0, -1).map((name) => [`.${name}.lock`]), ['.a.run-1']])
    expect(readdirSync(join(last, '.a.run-1'))).toEqual(['exited-0.json'])
  })

  it('removes a directory once that it expected and then knows, and so waits for nothing', async () => {
    const bin = temporaryDirectory()
    const log = join(bin, 'log')
    writeFileSync(join(bin, 'find'), `#!/bin/sh\necho once >> '${log}'\nPATH=\${PATH#*:}\nexec find "$@"\n`, {
      mode: 0o755,
    })
    const reaper = new ReaperScript({ shell, path: `${bin}:${process.env.PATH ?? ''}` })
    const directory = join(temporaryDirectory(), "dask-hpc-runner-1 * '")
    mkdirSync(directory, { mode: 0o700 })
    reaper.tell(expectedOrder(directory), orderToRemove(directory))
    await reaper.supervisorEnds()
    expect([readFileSync(log, 'utf8'), existsSync(directory)]).toEqual(['once\n', false])
  })

  it('removes nothing that is not what it was told of', async () => {
    const reaper = new ReaperScript({ shell })
    const parent = temporaryDirectory()
    const path = (name: string): string => join(parent, name)
    const make = (name: string, mode = 0o700): string => {
      mkdirSync(path(name), { mode })
      writeFileSync(join(path(name), 'file'), 'of the user')
      return path(name)
    }
    const marker = (directory: string, name: string): EndMarker => ({ directory: seenDirectory(path(directory)), name })
    const wanted = ['results', '.results', 'dask-hpc-runner', '.F.run-', 'x.run-1', 'F.doctor-1'].map((name) =>
      make(name),
    )
    const replaced = make('dask-hpc-runner-replaced')
    const open = ['dask-hpc-runner-group', '.F.run-group'].map((name) => make(name, 0o770))
    for (const each of open) chmodSync(each, 0o710)
    reaper.tell(...[...wanted, replaced, ...open].map((each) => orderToRemove(each)))
    reaper.tell(...[...wanted, replaced, ...open].map((each) => expectedOrder(each)))
    const [, inode = ''] = orderToRemove(replaced).split(' ')
    const odd = make('dask-hpc-runner-odd')
    const [, number = ''] = orderToRemove(odd).split(' ')
    for (const each of [odd.slice(1), `${path('results')}/../dask-hpc-runner-odd`, `${parent}//dask-hpc-runner-odd`])
      reaper.tell(`d ${number} ${each}`)
    reaper.tell(`d ${number} ${odd} ${odd}`, ` d ${number}`, `x ${number} ${odd}`)
    const ofRun = make('.F.run-deep')
    mkdirSync(join(ofRun, 'deep'))
    writeFileSync(join(ofRun, 'deep/file'), 'of the user')
    rmSync(join(ofRun, 'file'))
    reaper.tell(orderToRemove(ofRun))
    renameSync(replaced, path('elsewhere'))
    make('dask-hpc-runner-replaced')
    symlinkSync('results', path('dask-hpc-runner-link'))
    reaper.tell(`d ${inode} ${path('dask-hpc-runner-link')}`, `d ${inode} ${path('dask-hpc-runner-missing')}`)

    writeFileSync(path('anothers.json'), '{"nonce": "0123-another-nonce"}')
    writeFileSync(path('ours.json'), '{"nonce": "0123-the-nonce-of-it"}')
    symlinkSync('ours.json', path('link.json'))
    for (const name of ['anothers.json', 'never written.json', 'link.json', 'results'])
      reaper.tell(fileOrder(path(name), '0123-the-nonce-of-it'))
    reaper.tell(fileOrder(path('ours.json'), ''))
    reaper.tell(fileOrder(path('ours.json'), '0123'))
    // Only root could.
    const foreign = make('dask-hpc-runner-foreign')
    writeFileSync(path('foreign.json'), '{"nonce": "0123-the-nonce-of-it"}')
    // A shell loses line ends at the end of a name.
    mkdirSync(path('dask-hpc-runner-empty'), { mode: 0o700 })
    for (const end of ['\n', '\n\n']) reaper.tell(expectedOrder(`${path('dask-hpc-runner-empty')}${end}`))
    for (const name of ['of the user', 'empty-link']) {
      mkdirSync(path(name), { mode: 0o700 })
      reaper.tell(expectedOrder(path(name)))
    }
    symlinkSync(path('of the user'), path('dask-hpc-runner-empty-link'))
    reaper.tell(expectedOrder(path('dask-hpc-runner-empty-link')))
    if (canBeOthers) {
      mkdirSync(path('dask-hpc-runner-empty-foreign'), { mode: 0o777 })
      chownSync(path('dask-hpc-runner-empty-foreign'), user.uid, user.gid)
      reaper.tell(expectedOrder(path('dask-hpc-runner-empty-foreign')))
      reaper.tell(orderToRemove(foreign), fileOrder(path('foreign.json'), '0123-the-nonce-of-it'))
      for (const each of [foreign, path('foreign.json')]) chownSync(each, user.uid, user.gid)
    }
    symlinkSync(path('ours.json'), join(make('.F.run-2'), 'exited-0.json'))
    mkdirSync(path('empty'))
    reaper.tell(lockOrder(path('empty')))
    const notes = [
      ...[marker('.F.run-2', 'exited-0.json'), marker('.F.run-2', 'exited-1.json'), marker('results', 'exited-0.json')],
      ...[marker('.F.run-group', 'exited-0.json'), { ...marker('results', 'x'), name: '../.F.run-2/exited-0.json' }],
      { directory: { ...marker('results', 'x').directory, path: path('.F.run-2') }, name: 'exited-0.json' },
    ]

    const tree = (): string => execFileSync('find', [parent, '-printf', '%P %y %m %i %s %l\\n'], { encoding: 'utf8' })
    const before = tree()
    await reaper.supervisorEnds()
    for (const each of notes) {
      const another = new ReaperScript({ shell })
      another.tell(endMarkerOrder(each))
      await another.supervisorEnds()
    }
    expect(tree()).toBe(before)
  })

  it('reports each signal, survives it, and still does its work', async () => {
    const reaper = new ReaperScript({ shell })
    const [before, after] = [await stubborn(), await stubborn()]
    reaper.tell(`+ ${before}`)
    await reaper.ready()
    for (const name of [...signals, ...signals]) expect(await reaper.reportOf(name)).toBe(name)
    reaper.tell(`+ ${after}`)
    await reaper.supervisorEnds()
    await eventually(() => [before, after].map(isAlive), [false, false], 'both groups are killed')
  })

  it('finishes its work when the signals come during it', async () => {
    // A grep that takes its time gives the signals a moment to come in.
    const bin = temporaryDirectory()
    const at = { begun: join(bin, 'begun'), go: join(bin, 'go') }
    writeFileSync(
      join(bin, 'grep'),
      `#!/bin/sh\n: > '${at.begun}'\nwhile [ ! -e '${at.go}' ]; do sleep 0.01; done\nPATH=\${PATH#*:}\nexec grep "$@"\n`,
    )
    chmodSync(join(bin, 'grep'), 0o755)
    const reaper = new ReaperScript({ shell, path: `${bin}:${process.env.PATH ?? ''}` })
    const ours = await stubborn(reaper.env)
    await reaper.ready()
    const ended = reaper.supervisorEnds()
    await eventually(() => existsSync(at.begun) || reaper.child.exitCode !== null, true, 'it looks for the mark')
    for (const name of signals) kill(-reaper.child.pid, `SIG${name}`)
    writeFileSync(at.go, '')
    await ended
    await eventually(() => isAlive(ours), false, 'the marked process is killed')
  })
})
