// Jobs that have ended, read page by page as somebody scrolls to them.

import {call, filterQuery} from './api.js';
import {endedStates} from './jobs.js';

const PAGE = 100;
const MOST = 5_000;  // jobs; a filter finds older ones

export class Pages {
  #filter;
  #jobs;
  #told;
  #token = '';
  #read = 0;
  #stop = new AbortController();
  #state = 'more';

  // `told` is called when `state` has changed.
  constructor(filter, jobs, told) {
    this.#filter = filter;
    this.#jobs = jobs;
    this.#told = told;
    if (endedStates(filter).length === 0) this.#state = 'all';
  }

  // more, reading, all, enough, or failed.
  get state() {
    return this.#state;
  }

  stop() {
    this.#stop.abort();
  }

  async more() {
    if (this.#state !== 'more' && this.#state !== 'failed') return;
    this.#set('reading');
    try {
      const query = filterQuery(endedStates(this.#filter), this.#filter);
      const answer = await call('GET', `/v1/jobs?${query}&pageSize=${PAGE}&pageToken=${encodeURIComponent(this.#token)}`,
        undefined, {signal: this.#stop.signal});
      for (const job of answer.jobs) this.#jobs.put(job);
      this.#read += answer.jobs.length;
      this.#token = answer.nextPageToken;
      this.#set(this.#token === '' ? 'all' : this.#read >= MOST ? 'enough' : 'more');
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#set('failed');
    }
  }

  #set(state) {
    this.#state = state;
    this.#told();
  }
}
