/** A comment, or a string with what it begins and ends with. One that does not end goes on to the end of the text. */
const noCode = /#[^\n]*|("""|''')(?:\\[\s\S]|[^\\])*?(?:\1|$)|"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?/g

/** The text of a Python script with blanks in place of its comments and strings: each character of code stands where it stood. */
export function codeOf(text: string): string {
  return text.replaceAll(noCode, (words) => words.replaceAll(/[^\n]/g, ' '))
}

/** What stands between the brackets of the calls of a name, without what stands in further brackets there. */
export function argumentsOf(code: string, name: string): string[] {
  return [...code.matchAll(new RegExp(`\\b${name}\\s*\\(`, 'g'))].map(({ index, 0: call }) =>
    outermost(code, index + call.length),
  )
}

function outermost(code: string, start: number): string {
  let depth = 1
  let own = ''
  for (let at = start; at < code.length && depth > 0; at += 1) {
    const character = code.charAt(at)
    if (/[([{]/.test(character)) depth += 1
    else if (/[)\]}]/.test(character)) depth -= 1
    else if (depth === 1) own += character
  }
  return own
}
