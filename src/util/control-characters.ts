/** Ends a line or a text, moves a cursor, or is otherwise no part of a name that anybody has chosen. */
const control = /[\p{Cc}\p{Zl}\p{Zp}]/u

/** What Node makes of bytes that are no UTF-8. A path with it leads elsewhere than the one that was named. */
const replaced = '\ufffd'

/** Whether `text` was named in bytes that are no UTF-8, such as those of Latin-1. */
export function isNoUtf8(text: string): boolean {
  return text.includes(replaced)
}

/** Whether there is a control character in `text`, such as the end of a line. */
export function hasControlCharacters(text: string): boolean {
  return control.test(text)
}
