// The build embeds these files in the bundles; vitest.config.ts does the same for the tests.
declare module '*.py' {
  const text: string
  export default text
}

declare module '*.sh' {
  const text: string
  export default text
}

/** A program of several TypeScript files as one text. */
declare module '*?program' {
  const text: string
  export default text
}

interface ImportMeta {
  /** The built program that a module is a part of: see scripts/program-file.mjs. */
  readonly program?: {
    /** Tells one build from another. */
    readonly version: string
    /** Path of the code cache for this Node: {@link version}, and then what V8 has made. */
    readonly cacheFile: string
    /** All of its parts as one script. */
    readonly compile: (options: import('node:vm').ScriptOptions) => import('node:vm').Script
  }
}
