import { debian13Python } from './debian13.ts'

/** The InterpreterPool with Dask that tests of its protocol run with: by a name, with the command. */
export function pythons(): readonly (readonly [name: string, command: string | undefined])[] {
  return [
    ["this machine's Dask", 'python3'],
    ["Debian 13's Dask", debian13Python()],
  ]
}
