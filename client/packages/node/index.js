// What a client of the Pictory jobs gateway needs beyond @grpc/grpc-js. Errors are grpc-js's own (code, details,
// metadata).
export {call, connect} from './calls.js';
export {explain, fieldViolations, fromGateway, isGrpcError, mayHaveBeenTaken, reason, retryAfter} from './errors.js';
export {download, isFinal, JobFailed, mustSucceed, readPart} from './results.js';
export {watch} from './watch.js';
export {watchJobs} from './watch_jobs.js';
