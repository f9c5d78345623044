// How long the package waits, and for what.
import {setTimeout as sleep} from 'node:timers/promises';

import {Code, ConnectError} from '@connectrpc/connect';

import {retryAfter} from './errors.js';

export const SILENCE_MS = 75_000; // of a stream or a download; the gateway sends a watch a heartbeat every 25 s
export const PATIENCE_MS = 600_000;
export const KEEPALIVE_MS = 30_000;
export const KEEPALIVE_ANSWER_MS = 10_000;
export const ATTEMPTS = 5;

/** Counts the failures since the gateway was heard last, and ends when they are too many or last too long. */
export class Patience {
  #failures = 0;
  #broke = 0;

  constructor(private readonly bounds: {ms?: number; attempts?: number; signal?: AbortSignal}) {}

  heard() {
    this.#failures = 0;
  }

  /** Waits until it is time to try again. Throws the error instead where that does not help, or not any more. */
  async pauseAfter(error: unknown, tell?: (error: unknown) => void) {
    const {ms = PATIENCE_MS, attempts = Infinity, signal} = this.bounds;
    signal?.throwIfAborted();
    const pause = error instanceof ConnectError ? retryAfter(error, this.#failures) : undefined;
    if (this.#failures++ === 0) this.#broke = performance.now();
    if (pause === undefined || this.#failures >= attempts || performance.now() + pause > this.#broke + ms) throw error;
    tell?.(error);
    await sleep(pause, undefined, {signal});
  }
}

export const lost = (why: string) => new ConnectError(why, Code.Unavailable);
export const endedEarly = () => lost('the stream ended before all was said');

/** A signal that aborts with `signal`, and when nothing was heard for so long. */
export class Silence {
  readonly #controller = new AbortController();
  readonly #alarm: NodeJS.Timeout;
  readonly signal: AbortSignal;

  constructor(ms = SILENCE_MS, signal?: AbortSignal) {
    this.#alarm = setTimeout(() => this.#controller.abort(new Error(`nothing came for ${ms / 1000} s`)), ms);
    this.signal = AbortSignal.any([this.#controller.signal, ...(signal ? [signal] : [])]);
  }

  heard() {
    this.#alarm.refresh();
  }

  /** Gives up what goes on under the signal. */
  end() {
    clearTimeout(this.#alarm);
    this.#controller.abort();
  }
}

/** The messages of a stream. It is given up with `signal`, and when it says nothing for so long while it is asked. */
export async function* messages<T>(begin: (options: {signal: AbortSignal}) => AsyncIterable<T>, ms = SILENCE_MS,
  signal?: AbortSignal): AsyncGenerator<T> {
  const controller = new AbortController();
  let silent = false;
  const late = () => {
    silent = true;
    controller.abort();
  };
  let alarm = setTimeout(late, ms);
  try {
    for await (const message of begin({signal: AbortSignal.any([controller.signal, ...(signal ? [signal] : [])])})) {
      clearTimeout(alarm); // its reader may take its time
      yield message;
      alarm = setTimeout(late, ms);
    }
  } catch (error) {
    throw silent ? lost(`the stream said nothing for ${ms / 1000} s`) : error;
  } finally {
    clearTimeout(alarm);
    controller.abort();
  }
}
