/** A value that has no form beyond this process; the message names its place, such as `arguments[0].x`. */
export function cannotSend(place: readonly (string | number)[], what: string, advice: string): TypeError {
  return new TypeError(`Cannot send ${formatPlace(place)}: it is ${what}; ${advice}`)
}

function formatPlace([first = 'value', ...rest]: readonly (string | number)[]): string {
  return (
    String(first) +
    rest
      .map((step) => {
        if (typeof step === 'number') return `[${step}]`
        return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
      })
      .join('')
  )
}

/** What a value is, for such a message. */
export function formatKind(value: unknown): string {
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function "${value.name}"`
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value !== 'object' || value === null) return String(value)
  const name = (value.constructor as { readonly name?: string } | undefined)?.name
  return name === undefined || name === '' ? 'an object of an unknown class' : `an instance of ${name}`
}
