import { type Content, type Html, markup } from './html.ts'

/** A table: the first cell of each row is its head. */
export interface Table {
  readonly caption: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly Content[])[]
  /** From which column on there are numbers. @default none */
  readonly numbersFrom?: number
}

/** A table that a screen reader can read out, in a frame that scrolls where it is too wide. */
export function table({ caption, head, rows, numbersFrom = head.length }: Table): Html {
  const kind = (column: number): Html => (column >= numbersFrom ? markup` class="number"` : markup``)
  const row = ([first, ...cells]: readonly Content[]): Html =>
    markup`<tr><th scope="row">${first}</th>${cells.map((cell, i) => markup`<td${kind(i + 1)}>${cell}</td>`)}</tr>\n`
  return markup`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${head.map((title, i) => markup`<th scope="col"${kind(i)}>${title}</th>`)}</tr></thead>
<tbody>
${rows.map(row)}</tbody>
</table></div>
`
}
