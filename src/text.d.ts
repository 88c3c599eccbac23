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
    /** How a code cache begins that is of this build of the program, for this build of Node. */
    readonly header: () => string
    readonly scripts: readonly {
      /** Path of its code cache for this Node: {@link header}, and then what V8 has made. */
      readonly cacheFile: string
      readonly compile: (options: { readonly cachedData?: Buffer }) => { readonly createCachedData: () => Buffer }
    }[]
  }
}
