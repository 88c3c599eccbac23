/** Under this name a runner gives its client a process, one that it has started ahead if it can. */
export const takeClientProcess = Symbol('takeClientProcess')
