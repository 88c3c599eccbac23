import * as z from 'zod/mini'

/** What a Dask process runs on, such as `{python: '3.11.2', dask: '2022.12.1', distributed: '2022.12.1'}`. */
export const versionsSchema = z.object({ python: z.string(), dask: z.string(), distributed: z.string() })
export type Versions = z.infer<typeof versionsSchema>

/** Versions in words: `Dask 2022.12.1 (Python 3.11.2)`. Distribution packages' suffixes are no difference. */
export function sayVersions({ python, distributed }: Versions): string {
  return `Dask ${distributed.replace(/\+.*$/, '')} (Python ${python})`
}
