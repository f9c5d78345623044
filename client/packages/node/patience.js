// How long the package waits, and for what.
import {setTimeout as sleep} from 'node:timers/promises';

import grpc from '@grpc/grpc-js';

import {failure, isGrpcError, retryAfter} from './errors.js';

export const SILENCE_MS = 75_000; // of a stream or a download; the gateway sends a watch a heartbeat every 25 s
export const PATIENCE_MS = 600_000;
export const KEEPALIVE_MS = 30_000;
export const KEEPALIVE_ANSWER_MS = 10_000;
export const ATTEMPTS = 5;

// Counts the failures since the gateway was heard last, and ends when they are too many or last too long.
export class Patience {
  #ms;
  #attempts;
  #signal;
  #failures = 0;
  #broke = 0;

  constructor({ms = PATIENCE_MS, attempts = Infinity, signal} = {}) {
    this.#ms = ms;
    this.#attempts = attempts;
    this.#signal = signal;
  }

  heard() {
    this.#failures = 0;
  }

  // Waits until it is time to try again. Throws the error instead where that does not help, or not any more.
  async pauseAfter(error, tell = () => {}) {
    this.#signal?.throwIfAborted();
    const pause = isGrpcError(error) ? retryAfter(error, this.#failures) : undefined;
    if (this.#failures++ === 0) this.#broke = performance.now();
    if (pause === undefined || this.#failures >= this.#attempts || performance.now() + pause > this.#broke + this.#ms) {
      throw error;
    }
    tell(error);
    await sleep(pause, undefined, {signal: this.#signal});
  }
}

const lost = (details) => failure(grpc.status.UNAVAILABLE, details);
export const endedEarly = () => lost('the stream ended before all was said');

// The messages of a stream. One that says nothing for so long while they are waited for is cancelled, and one that
// `signal` aborts.
export async function* messages(stream, ms, signal) {
  let silent = false;
  const end = () => stream.cancel();
  const late = () => {
    silent = true;
    end();
  };
  let alarm = setTimeout(late, ms);
  signal?.addEventListener('abort', end);
  try {
    if (signal?.aborted) end();
    for await (const message of stream) {
      clearTimeout(alarm); // its reader may take its time
      yield message;
      alarm = setTimeout(late, ms);
    }
  } catch (error) {
    throw silent ? lost(`the stream said nothing for ${ms / 1000} s`) : error;
  } finally {
    clearTimeout(alarm);
    signal?.removeEventListener('abort', end);
    stream.on('error', () => {}).cancel(); // what comes after the last read is nobody's business
  }
}
