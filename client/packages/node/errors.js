// What an error of a call says beyond its code.
import {fileURLToPath} from 'node:url';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

export const FIRST_DELAY_MS = 200;
export const MAX_DELAY_MS = 5_000;
// All that the gateway itself says carries an ErrorInfo of this domain.
const DOMAIN = 'pictory-gateway';

const definition = protoLoader.loadSync('error_details.proto', {
  includeDirs: [fileURLToPath(new URL('.', import.meta.url))], keepCase: false, longs: String, defaults: true});

// The standard error detail of this name (google.rpc.*), or undefined.
function detail(error, name) {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!bytes) return undefined;
  const read = (type, value) => definition[`google.rpc.${type}`].deserialize(value);
  const packed = read('Status', bytes).details.find((d) => d.typeUrl.endsWith(`/google.rpc.${name}`));
  return packed && read(name, packed.value);
}

export const fromGateway = (error) => detail(error, 'ErrorInfo')?.domain === DOMAIN;
export const reason = (error) => (fromGateway(error) ? detail(error, 'ErrorInfo').reason : '');
export const fieldViolations = (error) => detail(error, 'BadRequest')?.fieldViolations ?? [];
export const isGrpcError = (error) => error?.code in grpc.status && 'metadata' in error;

function toldDelay(error) {
  const delay = detail(error, 'RetryInfo')?.retryDelay;
  return delay ? Number(delay.seconds) * 1000 + delay.nanos / 1e6 : undefined;
}

// Whether the way to the gateway broke, which says nothing of the call. Proxies and libraries have many
// names for that; other codes are final whoever says so, such as a limit on message sizes.
function broken(error) {
  const {UNAVAILABLE, INTERNAL, UNKNOWN, CANCELLED, DEADLINE_EXCEEDED} = grpc.status;
  return [UNAVAILABLE, INTERNAL, UNKNOWN, CANCELLED, DEADLINE_EXCEEDED].includes(error.code) &&
    !fromGateway(error);
}

// What the gateway asked for and a little more, else full jitter that doubles.
export function retryAfter(error, failures = 0) {
  const between = (low, high) => low + Math.random() * (high - low);
  const told = toldDelay(error);
  if (told !== undefined) return told + between(0, Math.min(1000, 0.2 * told));
  const {UNAVAILABLE, DEADLINE_EXCEEDED} = grpc.status;
  if (!broken(error) && ![UNAVAILABLE, DEADLINE_EXCEEDED].includes(error.code)) return undefined;
  return between(FIRST_DELAY_MS, Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures + 1, 10)));
}

// An error of this package's own.
export function failure(code, details) {
  const message = `${code} ${grpc.status[code]}: ${details}`;
  return Object.assign(new Error(message), {code, details, metadata: new grpc.Metadata()});
}

// Whether a submit that failed so may have become a job all the same, as when the connection broke under way. Then
// repeat it with the same requestId only: with another one it may be paid for twice. `call` counts all its attempts, and
// says so by the error's property of this name.
export const mayHaveBeenTaken = (error) => error.mayHaveBeenTaken ?? leavesOpen(error);

function leavesOpen(error) {
  const {UNAVAILABLE, INTERNAL, UNKNOWN, CANCELLED, DEADLINE_EXCEEDED} = grpc.status;
  if (![UNAVAILABLE, INTERNAL, UNKNOWN, CANCELLED, DEADLINE_EXCEEDED].includes(error.code)) return false;
  if (fromGateway(error) && toldDelay(error) !== undefined) return false;
  if (['DEADLINE_TOO_SHORT', 'STORE_FAILED'].includes(reason(error))) return false;
  // These are grpc-js's own words where no connection came about.
  return !/^(No connection established|Name resolution failed)/.test(error.details);
}

export function explain(error) {
  const lines = [`${grpc.status[error.code]}: ${error.details}`];
  if (reason(error)) lines.push(`  reason: ${reason(error)}`);
  for (const {field, description} of fieldViolations(error)) lines.push(`  field ${field}: ${description}`);
  if (broken(error)) lines.push("  said by: gRPC's library or a proxy, not by the gateway");
  lines.push(`  what to do: ${advice(error)}`);
  return lines.join('\n');
}

function advice(error) {
  const told = toldDelay(error);
  if (told !== undefined) return `try again in ${told / 1000} s, with the same requestId`;
  if (reason(error) === 'UPSTREAM_CREDENTIALS') {
    return 'the operator of the gateway must set a valid Pictory API key';
  }
  switch (error.code) {
    case grpc.status.INVALID_ARGUMENT:
      return 'correct the request; the same one is refused again';
    case grpc.status.NOT_FOUND:
      return 'check the id; listJobs shows the jobs there are';
    case grpc.status.UNAVAILABLE:
    case grpc.status.DEADLINE_EXCEEDED:
      return 'check PICTORY_GATEWAY and that the gateway runs, then try again: the same requestId finds out ' +
        'what became of it';
    default:
      if (broken(error)) {
        return 'the connection broke; try again: the same requestId finds out what became of it';
      }
      return "see the gateway's table of errors, server/docs/errors.md";
  }
}
