/** A table in Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const row = (columns: readonly (string | number)[]): string => `| ${columns.map(cellText).join(' | ')} |`
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')
}

function cellText(column: string | number): string {
  return short(String(column).replaceAll('\n', ', ')).replaceAll('|', String.raw`\|`)
}

function short(text: string): string {
  return text.length <= 260 ? text : `${text.slice(0, 257)}...`
}
