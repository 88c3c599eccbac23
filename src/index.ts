/**
 * One Dask cluster out of the identical processes of an HPC job.
 *
 * @packageDocumentation
 */
export { BaseRunner } from './runner/base.ts'
export { type Context, InterruptedError, type RunContext } from './runner/context.ts'
export { FileRunner } from './runner/file-runner.ts'
export { type Leavings, RunnerHooks } from './runner/hooks.ts'
export { LocalRunner, type LocalRunnerOptions } from './runner/local-runner.ts'
export { SLURMRunner } from './runner/slurm-runner.ts'
export type { ClusterRecord } from './record/cluster-record.ts'
export type { Found } from './record/found.ts'
export type { Failure, OutcomeRecord } from './record/outcome-record.ts'
export type { Owner } from './record/owner.ts'
export type { PublishedFile, SchedulerFile } from './record/scheduler-file.ts'
export type { CompleteOptions, DaskOptions, IdentityKind, Layout, RunnerOptions, WatchMode } from './options.ts'
export { type ErrorCode, RunnerError, type RunnerErrorOptions } from './errors.ts'
