// What an error of a call says beyond its code.
import {Code, ConnectError} from '@connectrpc/connect';

import {BadRequestSchema, ErrorInfoSchema, RetryInfoSchema} from './google/rpc/error_details_pb.js';

const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 5_000;
// All that the gateway itself says carries an ErrorInfo of this domain.
const DOMAIN = 'pictory-gateway';
// What Connect and proxies call a connection that broke; ABORTED is Connect's own word for a reset one.
const BROKEN = [Code.Unavailable, Code.Internal, Code.Unknown, Code.Canceled, Code.DeadlineExceeded, Code.Aborted];

/** The gateway's word for what went wrong, such as JOB_NOT_FOUND; empty if the gateway did not say it. */
export function reason(error: unknown): string {
  const [info] = ConnectError.from(error).findDetails(ErrorInfoSchema);
  return info?.domain === DOMAIN ? info.reason : '';
}

/** The fields of the request that are wrong, by their paths in the proto, and what to do. */
export function fieldViolations(error: unknown): {field: string; description: string}[] {
  return ConnectError.from(error).findDetails(BadRequestSchema).flatMap(({fieldViolations: each}) => each);
}

/**
 * Whether a submit that failed so may have become a job all the same, as when the connection broke under way. Then repeat
 * it with the same requestId only: with another one it may be paid for twice. `call` counts all its attempts, and says so
 * by the error's property of this name.
 */
export function mayHaveBeenTaken(error: unknown): boolean {
  if (error instanceof Error && 'mayHaveBeenTaken' in error) return error.mayHaveBeenTaken === true;
  const refusal = ConnectError.from(error);
  const fromGateway = reason(refusal) !== '';
  if (!BROKEN.includes(refusal.code)) return false;
  if (fromGateway && refusal.findDetails(RetryInfoSchema).length > 0) return false;
  if (['DEADLINE_TOO_SHORT', 'STORE_FAILED'].includes(reason(refusal))) return false;
  return !/ECONNREFUSED|ENOTFOUND/.test(refusal.message); // where no connection came about
}

/**
 * Milliseconds after which an equal call may succeed, after so many failures in a row; undefined if it never does. A
 * submit that is repeated must have a requestId.
 */
export function retryAfter(error: unknown, failures = 0): number | undefined {
  const refusal = ConnectError.from(error);
  const told = refusal.findDetails(RetryInfoSchema)[0]?.retryDelay;
  if (told) {
    const ms = Number(told.seconds) * 1000 + told.nanos / 1e6;
    return ms + Math.random() * Math.min(1000, 0.2 * ms);
  }
  if (!BROKEN.includes(refusal.code) || (refusal.code !== Code.Unavailable && reason(refusal))) return undefined;
  const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures + 1, 10));
  return FIRST_DELAY_MS + Math.random() * (ceiling - FIRST_DELAY_MS);
}
