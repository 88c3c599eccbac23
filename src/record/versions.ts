/** What a Dask process runs on, such as `{python: '3.11.2', dask: '2022.12.1', distributed: '2022.12.1'}`. */
export interface Versions {
  python: string
  dask: string
  distributed: string
}

/** Versions in words: `Dask 2022.12.1 (Python 3.11.2)`. Distribution packages' suffixes are no difference. */
export function formatVersions({ python, distributed }: Versions): string {
  return `Dask ${distributed.replace(/\+.*$/, '')} (Python ${python})`
}
