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
