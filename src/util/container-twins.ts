/** A variable with one of these before its name is handed on by Apptainer or Singularity to what they run, even with `--cleanenv`. */
const prefixes = ['APPTAINERENV_', 'SINGULARITYENV_'] as const

/** The names under which a container gets the variable `name`. */
export function twinsOf(name: string): readonly string[] {
  return prefixes.map((prefix) => `${prefix}${name}`)
}

/** What is added to the environment of a child, with the twins by which it comes through to containers within that child. */
export function withTwins(added: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv & Record<string, string> {
  const all = Object.entries(added).flatMap(([name, value]) =>
    value === undefined ? [] : [name, ...twinsOf(name)].map((each) => [each, value] as const),
  )
  return Object.fromEntries(all)
}

/** `env`, and of `defaults` what it has not, with twins. */
export function withDefaults(
  env: Readonly<NodeJS.ProcessEnv>,
  defaults: Readonly<Record<string, string>>,
): NodeJS.ProcessEnv {
  const missing = Object.entries(defaults).filter(([name]) => env[name] === undefined)
  return { ...withTwins(Object.fromEntries(missing)), ...env }
}
