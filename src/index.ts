/// <reference types="node" preserve="true" />
/**
 * One Dask cluster out of the identical processes of an HPC job.
 *
 * @packageDocumentation
 */
export { BaseRunner } from './run/base-runner.ts'
export { type Context, InterruptedError, type RunContext } from './identity/run-context.ts'
export { RunnerHooks } from './run/hooks.ts'
export type { JobEnd, Step, WorkloadManager } from './run/workload-manager.ts'
export { FileRendezvous, type FileRendezvousOptions } from './rendezvous/file/file-rendezvous.ts'
export type { CleanupList, Rendezvous } from './rendezvous/rendezvous.ts'
export { LocalRunner, type LocalRunnerOptions } from './runners/local/local-runner.ts'
export { MPIRunner } from './runners/mpi/mpi-runner.ts'
export { SLURMRunner } from './runners/slurm/slurm-runner.ts'
export { VariablesRunner } from './runners/variables/variables-runner.ts'
export { Client, type ScatterOptions } from './client/client.ts'
export type { ClusterCalls } from './client/cluster-calls.ts'
export type {
  ComponentVersions,
  LogOptions,
  Logs,
  PublishOptions,
  RestartOptions,
  RetireOptions,
  SchedulerInfo,
  Versions,
  WorkerInfo,
  WorkerLogsOptions,
  WorkersOptions,
} from './client/cluster-info.ts'
export type { ConnectOptions } from './client/connect.ts'
export type { RunOptions } from './client/run.ts'
export { type Callable, ClientFunction, exported, py, RemoteFunction, withClient } from './client/callable.ts'
export { Future } from './client/future.ts'
export type { WaitOptions } from './client/bounded.ts'
export type { FutureStatus } from './client/future-state.ts'
export type { Duration } from './util/duration.ts'
export type { Input, Inputs, ResultOf } from './client/inputs.ts'
export type { MapOptions, SubmitOptions } from './client/submit-options.ts'
export { AsCompleted, type AsCompletedOptions, type Progress } from './client/as-completed.ts'
export type { ClusterLike, ClusterTarget } from './client/target.ts'
export type { TaskClient, TaskSubmitOptions } from './client/task-client.ts'
export type { TaskFuture } from './client/task-future.ts'
export { TaskError, type TaskFailure } from './client/task-error.ts'
export { NDArray, type TypedArray } from './client/values/nd-array.ts'
export type { ClusterRecord } from './record/cluster-record.ts'
export type { Found } from './rendezvous/found.ts'
export type { Failure, OutcomeRecord } from './record/outcome-record.ts'
export type { Owner } from './record/cluster-record.ts'
export type { PublishedFile, SchedulerFile } from './record/scheduler-file.ts'
export type { CompleteOptions, DaskOptions, IdentityKind, Layout, RunnerOptions, WatchMode } from './options.ts'
export { type ErrorCode, RunnerError, type RunnerErrorOptions } from './errors.ts'
