import type {ChannelCredentials, ServiceError} from '@grpc/grpc-js';

import type {Job__Output} from './types/pictory/jobs/v1/Job.js';
import type {PictoryJobsClient} from './types/pictory/jobs/v1/PictoryJobs.js';
import type {ResultPart} from './types/pictory/jobs/v1/ResultPart.js';
import type {WatchJobsRequest} from './types/pictory/jobs/v1/WatchJobsRequest.js';
import type {WatchJobsResponse__Output} from './types/pictory/jobs/v1/WatchJobsResponse.js';

export type {Job__Output as Job, PictoryJobsClient, ResultPart, WatchJobsRequest, WatchJobsResponse__Output as JobsEvent};

type Method = keyof PictoryJobsClient;
/** What a unary method takes and gives. */
type Request<M extends Method> = PictoryJobsClient[M] extends (request: infer R, callback: never) => unknown ? R : never;
type Answer<M extends Method> =
  PictoryJobsClient[M] extends (request: never, callback: (error?: never, answer?: infer A) => void) => unknown
    ? NonNullable<A> : never;

/** What shows who calls, by names in lower case, such as {authorization: 'Bearer …'}. */
type Identity = Record<string, string>;
export interface ConnectOptions {
  /** For TLS, those of grpc.credentials.createSsl(); without TLS by default. */
  credentials?: ChannelCredentials;
  /** Sent with every call; a function is asked for each. */
  metadata?: Identity | (() => Identity);
}
/** A client for host:port, by default that of PICTORY_GATEWAY, with the service config. close() it when done. */
export function connect(address?: string, options?: ConnectOptions): PictoryJobsClient;

export interface CallOptions {
  /** For all attempts together; 60 s by default. */
  ms?: number;
  /** Ends the call. A submit may have become a job all the same: see mayHaveBeenTaken. */
  signal?: AbortSignal;
}
/**
 * One answer. A submit must carry a requestId: then a repetition never becomes a second job. An error has the property
 * mayHaveBeenTaken.
 */
export function call<M extends Method>(client: PictoryJobsClient, method: M, request: Request<M>,
  options?: CallOptions): Promise<Answer<M>>;

export interface StreamOptions {
  /** A stream without a word for so long is dead; the gateway sends a heartbeat every 25 s. */
  silenceMs?: number;
  /** How long a watch looks for a gateway that has gone. */
  patienceMs?: number;
  /** Ends the watch, wherever it is; the job goes on. */
  signal?: AbortSignal;
  onReconnect?: (error: ServiceError) => void;
}
export interface WatchOptions extends StreamOptions {
  /** The revision seen last, to go on from there; nothing comes if that is the final one. */
  afterRevision?: number;
}
/** Yields the present state of the job and each newer one; the last one is final. */
export function watch(client: PictoryJobsClient, jobId: string, options?: WatchOptions): AsyncGenerator<Job__Output>;

/**
 * Yields the events of all jobs that fit the request, without heartbeats: first a list, then each change. It does not end
 * by itself, and goes on over broken connections; jobs may come again then. To go on where another process stopped, put
 * the resumeToken of the last event that it has dealt with into the request.
 */
export function watchJobs(client: PictoryJobsClient, request: WatchJobsRequest,
  options?: StreamOptions): AsyncGenerator<WatchJobsResponse__Output>;

/** A job that has ended, and not with SUCCEEDED; Pictory's reason is the message. */
export class JobFailed extends Error {
  job: Job__Output;
}
/** Whether a job stays in this state. One that this package does not know is not final. */
export function isFinal(state: Job__Output['state']): boolean;
/** The job, which has its result; throws JobFailed if it has none. */
export function mustSucceed(job: Job__Output): Job__Output;

export interface ReadOptions {
  /** One that brings nothing for so long is given up. */
  silenceMs?: number;
  signal?: AbortSignal;
}
/** Streams one part of a finished job's result into a file, and goes on where a connection broke. */
export function readPart(client: PictoryJobsClient, jobId: string, part: ResultPart, path: string,
  options?: ReadOptions): Promise<void>;
/** Brings a video, which is plain HTTP, into a file. */
export function download(url: string, path: string, options?: ReadOptions): Promise<void>;

/** The gateway's word for what went wrong; empty if the gateway did not say it. */
export function reason(error: ServiceError): string;
/** The fields of the request that are wrong, by their paths in the proto, and what to do. */
export function fieldViolations(error: ServiceError): {field: string; description: string}[];
/**
 * Whether a submit that failed so may have become a job all the same. Then repeat it with the same requestId only: with
 * another one it may be paid for twice.
 */
export function mayHaveBeenTaken(error: ServiceError): boolean;
/** Milliseconds after which an equal call may succeed; undefined if it never does. */
export function retryAfter(error: ServiceError, failures?: number): number | undefined;
/** What went wrong and what to do, for people. */
export function explain(error: ServiceError): string;
/** Whether the gateway itself made this status, and not gRPC's library or a proxy on the way. */
export function fromGateway(error: ServiceError): boolean;
export function isGrpcError(error: unknown): error is ServiceError;
