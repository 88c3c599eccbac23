/** Under this name a runner gives its client a process, one that it has started ahead if it can; where its client names a Python, one in that. */
export const takeClientProcess = Symbol('takeClientProcess')

/** Under this name it says how long its client may take to import Dask, and then to connect. In milliseconds. */
export const clientPatience = Symbol('clientPatience')
