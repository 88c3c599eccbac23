import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type koffi from 'koffi'
import { errnoOf, messageOf } from '../../../errors.ts'
import { foreignHandInTree } from '../../../util/foreign-hand.ts'
import { ownFile } from '../../../util/own-program.ts'
import { NoMpiError } from './messages.ts'

export type Koffi = typeof koffi

const howToInstall = 'install it with "npm install koffi"'

/**
 * The package koffi: beside the program, in a directory above it, or in NODE_PATH (dist/cli.cjs may stand alone). It is loaded only
 * if nobody else could have changed it or its native part.
 *
 * @throws NoMpiError where there is none that can be used.
 */
export function loadKoffi(): Koffi {
  try {
    const entry = createRequire(ownFile()).resolve('koffi')
    const folder = packageFolder(entry)
    for (const part of [folder, nativePart(entry, folder)]) refuseForeign(part)
    // By its path: what is looked up again may be found elsewhere.
    return createRequire(entry)(entry) as Koffi
  } catch (error) {
    if (error instanceof NoMpiError) throw error
    if (errnoOf(error) === 'MODULE_NOT_FOUND')
      throw new NoMpiError(`the package koffi is not installed; ${howToInstall}`)
    throw new NoMpiError(`the package koffi cannot be used: ${messageOf(error)}`)
  }
}

/** The directory of the package to which `file` belongs. */
function packageFolder(file: string): string {
  let folder = dirname(file)
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder)
  return folder
}

/** Where the native part is that koffi would load: a package of its own, if there is one for this platform, or in koffi. */
function nativePart(entry: string, folder: string): string {
  const name = `@koromix/koffi-${process.platform}-${process.arch}`
  const { optionalDependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    optionalDependencies?: Record<string, string>
  }
  if (!(name in optionalDependencies)) return folder
  try {
    return packageFolder(createRequire(entry).resolve(name))
  } catch {
    // koffi would look for it in each directory above, now and later.
    throw new NoMpiError(
      `the package ${name} is missing, a part of koffi that npm leaves out with --omit=optional; ${howToInstall}`,
    )
  }
}

function refuseForeign(folder: string): void {
  // Whoever owns the program has it do what he likes already, such as the account that installs a site's software.
  const { uid } = statSync(ownFile())
  const found = foreignHandInTree(folder, [uid])
  if (found !== undefined)
    throw new NoMpiError(
      `the package koffi in "${folder}" is not trusted: ${found}; install it where nobody else may write`,
    )
}
