import { lutimes } from 'node:fs/promises'
import * as z from 'zod/mini'
import { readListed } from '../filesystem/list.ts'
import type { Owner } from '../record/owner.ts'
import { cannotPublish, refusal } from './cannot-publish.ts'
import type { RendezvousPaths } from './names.ts'
import { ownerSchema } from '../record/schemas.ts'

/**
 * The owner that the claim beside a scheduler file names. `undefined`: there is no claim, or a
 * crash cut it off.
 *
 * @throws RunnerError where it cannot be read, or is of a later version.
 */
export async function readClaim(paths: RendezvousPaths): Promise<Owner | undefined> {
  let text: string | undefined
  try {
    text = await readListed(paths.directory, paths.claimName)
  } catch (error) {
    throw cannotPublish(paths.claim, error)
  }
  if (text === undefined) return undefined
  const owner = parseClaim(text)
  if (owner === 'later')
    throw refusal(
      paths.schedulerFile,
      `a run of a later version of this program holds it; if that is over, remove "${paths.claim}"`,
    )
  return owner
}

/** The owner that a claim's text names; `later`: one of a later version of this program. */
export function parseClaim(text: string): Owner | 'later' | undefined {
  const value = parseJson(text)
  const parsed = z.safeParse(ownerSchema, value)
  if (parsed.success) return parsed.data
  return z.safeParse(laterVersion, value).success ? 'later' : undefined
}

const laterVersion = z.looseObject({ version: z.number().check(z.gt(1)) })

/** Whether the claim is the one that `nonce` made. */
export async function holdsClaim(paths: RendezvousPaths, nonce: string): Promise<boolean> {
  return (await readClaim(paths))?.nonce === nonce
}

/** Makes a claim look new, so that a run of many hours never looks abandoned. */
export async function freshenClaim(paths: RendezvousPaths, nonce: string): Promise<void> {
  const now = new Date()
  if (await holdsClaim(paths, nonce)) await lutimes(paths.claim, now, now)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
