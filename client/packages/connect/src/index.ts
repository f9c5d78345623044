// What a client of the Pictory jobs gateway needs beyond the generated code, on Connect. Errors are Connect's own.
export {call, connect, type Answer, type Request, type Unary} from './calls.js';
export {fieldViolations, mayHaveBeenTaken, reason, retryAfter} from './errors.js';
export * from './pictory/jobs/v1/account_pb.js';
export * from './pictory/jobs/v1/job_pb.js';
export * from './pictory/jobs/v1/pictory_jobs_pb.js';
export * from './pictory/jobs/v1/project_pb.js';
export * from './pictory/jobs/v1/storyboard_pb.js';
export * from './pictory/jobs/v1/template_pb.js';
export {download, isFinal, JobFailed, mustSucceed, readPart, type ReadOptions} from './results.js';
export {watch, type Jobs, type StreamOptions, type WatchOptions} from './watch.js';
export {watchJobs} from './watch_jobs.js';
