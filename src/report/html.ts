import { printableLines } from '../util/printable.ts'

/** A part of a page: what it says of others has been escaped. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What stands in a template: texts and numbers are escaped, parts of a page are not. */
export type Content = Html | string | number | undefined | readonly Content[]

/** A part of a page: `` markup`<td>${name}</td>` `` with each value escaped. */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(strings.map((part, i) => part + textOf(values[i])).join(''))
}

function textOf(content: Content): string {
  if (content === undefined) return ''
  if (content instanceof Html) return content.text
  if (typeof content === 'object') return content.map(textOf).join('')
  return escapeHtml(String(content))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A text of somebody else, for the content of an element or for an attribute in quotes. */
export function escapeHtml(text: string): string {
  return printableLines(text.toWellFormed()).replaceAll(/[&<>"']/g, (char) => entities[char] ?? char)
}
