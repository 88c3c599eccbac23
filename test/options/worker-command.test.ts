import { expect, test } from 'vitest'
import { splitWords } from '../../src/options/worker-command.ts'

test.each([
  ['dask cuda worker', ['dask', 'cuda', 'worker']],
  ['  a \t b\nc ', ['a', 'b', 'c']],
  [`a 'b  c' "d  e"`, ['a', 'b  c', 'd  e']],
  [`a'b'"c"d`, ['abcd']],
  [`'' ""`, ['', '']],
  [String.raw`a\ b \"c\" 'd\e' "f\"g\h"`, ['a b', '"c"', String.raw`d\e`, String.raw`f"g\h`]],
  ['echo $HOME *.py ~ | x; y && z > f `u`', ['echo', '$HOME', '*.py', '~', '|', 'x;', 'y', '&&', 'z', '>', 'f', '`u`']],
  ['', []],
])('%j is %j', (text, words) => {
  expect(splitWords(text)).toEqual(words)
})

test.each(["a 'b", 'a "b', 'a \\'])('%j is no command line', (text) => {
  expect(() => splitWords(text)).toThrow()
})
