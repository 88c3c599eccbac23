// The build embeds these files in the bundles; vitest.config.ts does the same for the tests.
declare module '*.py' {
  const text: string
  export default text
}

declare module '*.sh' {
  const text: string
  export default text
}

/** The stamp of the program that the library was built with; an empty text in the program itself; not there in the source. */
declare const buildStamp: string | undefined

/** A program of several TypeScript files as one text. */
declare module '*?program' {
  const text: string
  export default text
}
