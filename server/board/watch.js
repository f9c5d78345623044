// A watch of all jobs that have not ended, which goes on by itself: after a cut, a restart of the
// gateway, or a machine that slept.

import {Problem, filterQuery, send, statusProblem} from './api.js';
import {readEvents} from './events.js';
import {ACTIVE} from './words.js';

const QUIET_MS = 60_000;  // the gateway says something every 25 s
const WAIT_MIN_MS = 500;
const WAIT_MAX_MS = 30_000;

export class Watch {
  #filter;
  #on;
  #stop = new AbortController();
  #token = '';
  #failures = 0;
  #wake = () => {};

  // `on`: {message(m), state(name, problem, waitMs)}; the names are connecting, live, waiting and
  // refused.
  constructor(filter, on) {
    this.#filter = filter;
    this.#on = on;
    this.#run();
  }

  stop() {
    this.#stop.abort();
    this.#wake();
  }

  // Connects again now, if it waits to.
  hurry() {
    this.#wake();
  }

  async #run() {
    while (!this.#stop.signal.aborted) {
      this.#on.state('connecting');
      let problem;
      try {
        problem = await this.#connect();
      } catch (error) {
        problem = error instanceof Problem ? error : new Problem(0, 'The connection to the gateway broke off.');
      }
      if (this.#stop.signal.aborted) return;
      if (problem?.reason === 'INVALID_REQUEST' && this.#token !== '') this.#token = '';  // it asks for another filter
      this.#failures += 1;
      const wait = Math.max((problem?.retrySeconds ?? 0) * 1000,
        Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** Math.min(this.#failures - 1, 10)) * (0.75 + Math.random() / 2));
      this.#on.state(problem?.refused ? 'refused' : 'waiting', problem, problem?.refused ? WAIT_MAX_MS : wait);
      await this.#sleep(problem?.refused ? WAIT_MAX_MS : wait);
    }
  }

  // Why the stream ended, if it has said so.
  async #connect() {
    const one = new AbortController();
    const end = () => one.abort();
    this.#stop.signal.addEventListener('abort', end);
    let quiet = setTimeout(end, QUIET_MS);
    let problem;
    try {
      const answer = await send('GET', `/v1/jobs:watch?${filterQuery(ACTIVE, this.#filter)}`, {
        signal: one.signal,
        headers: {'Accept': 'text/event-stream', ...(this.#token === '' ? {} : {'Last-Event-ID': this.#token})},
      });
      this.#on.state('live');
      await readEvents(answer.body, (event) => {
        if (event.event === 'status') {
          problem = statusProblem(JSON.parse(event.data), 503, (Number(event.retry) || 0) / 1000);
          return;
        }
        if (event.id) this.#token = event.id;
        if (event.data === undefined) return;
        this.#failures = 0;
        this.#on.message(JSON.parse(event.data));
      }, () => {
        clearTimeout(quiet);
        quiet = setTimeout(end, QUIET_MS);
      });
    } finally {
      clearTimeout(quiet);
      this.#stop.signal.removeEventListener('abort', end);
    }
    return problem;
  }

  #sleep(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
