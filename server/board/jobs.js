// The jobs that the board knows: those that have not ended, as the watch tells them, and of those
// that have, the pages that were read. Each job is a value that is replaced, never changed.

import {ACTIVE, ENDED, isActive, kindOf, stateOf} from './words.js';

const SECTIONS = [...ACTIVE, 'ended'];

export class Jobs {
  #byId = new Map();
  #sections = new Map(SECTIONS.map((name) => [name, []]));
  #listing = null;  // ids told since a list began
  #texts = new WeakMap();
  #changed;
  complete = false;  // the first list of the watch is here

  // `changed(id, moved)` is called for each job that is new, has changed or is gone; moved: what is
  // shown, or its order, may be another.
  constructor(changed) {
    this.#changed = changed;
  }

  get(id) {
    return this.#byId.get(id);
  }

  get size() {
    return this.#byId.size;
  }

  count(state) {
    return this.#sections.get(state).length;
  }

  clear() {
    this.#byId.clear();
    for (const section of this.#sections.values()) section.length = 0;
    this.#listing = null;
    this.complete = false;
    this.#changed('', true);
  }

  // Takes a job as it is now, unless something newer is known.
  put(job) {
    const before = this.#byId.get(job.jobId);
    if (before !== undefined && before.revision > job.revision) return;
    if (before !== undefined && sectionOf(before) !== sectionOf(job)) this.#take(before);
    this.#byId.set(job.jobId, job);
    if (before === undefined || sectionOf(before) !== sectionOf(job)) {
      const section = this.#sections.get(sectionOf(job));
      section.splice(placeOf(section, job.jobId), 0, job.jobId);
    }
    this.#changed(job.jobId, before?.state !== job.state);
  }

  remove(id) {
    const job = this.#byId.get(id);
    if (job === undefined) return;
    this.#take(job);
    this.#byId.delete(id);
    this.#changed(id, true);
  }

  // One message of WatchJobs.
  tell(message) {
    if (message.job !== undefined) {
      this.#listing?.add(message.job.jobId);
      this.put(message.job);
    } else if (message.left !== undefined) {
      this.#listing?.add(message.left.jobId);
      this.put(message.left);
    } else if (message.goneJobId) {
      this.remove(message.goneJobId);
    } else if (message.listStarted !== undefined) {
      this.#listing = new Set();
    } else if (message.listCompleted !== undefined) {
      this.#complete();
    }
  }

  // What is shown, in order: {state, count} begins a section, and ids follow.
  shown(filter) {
    const items = [];
    const states = new Set(filter.states);
    for (const [name, ids] of this.#sections) {
      if (name !== 'ended' && states.size > 0 && !states.has(name)) continue;
      const fits = ids.filter((id) => {
        const job = this.#byId.get(id);
        return (name !== 'ended' || states.size === 0 || states.has(job.state)) && this.#fits(job, filter);
      });
      if (fits.length > 0) items.push({state: name, count: fits.length}, ...fits);
    }
    return items;
  }

  #fits(job, filter) {
    if (filter.kind !== '' && job.kind !== filter.kind) return false;
    for (const [key, value] of Object.entries(filter.labels)) {
      if (job.labels?.[key] !== value) return false;
    }
    return filter.text === '' || this.#textOf(job).includes(filter.text);
  }

  #textOf(job) {
    let text = this.#texts.get(job);
    if (text === undefined) {
      text = [job.name, job.jobId, job.pictoryJobId, job.requestId, job.message, kindOf(job), stateOf(job).word,
        job.error?.code, job.error?.message, job.summary?.summaryText,
        ...Object.entries(job.labels ?? {}).map(([key, value]) => `${key}=${value}`)].join('\n').toLowerCase();
      this.#texts.set(job, text);
    }
    return text;
  }

  // Jobs that the list has not told have ended or are gone; those that ended come with the pages.
  #complete() {
    const told = this.#listing ?? new Set();
    for (const state of ACTIVE) {
      for (const id of [...this.#sections.get(state)]) {
        if (!told.has(id)) this.remove(id);
      }
    }
    this.#listing = null;
    this.complete = true;
    this.#changed('', true);
  }

  #take(job) {
    const section = this.#sections.get(sectionOf(job));
    const at = placeOf(section, job.jobId);
    if (section[at] === job.jobId) section.splice(at, 1);
  }
}

function sectionOf(job) {
  return isActive(job) ? job.state : 'ended';
}

// Where an id stands among others, the newest first: ids sort by the time of their creation.
function placeOf(ids, id) {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle] > id) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function endedStates(filter) {
  return filter.states.length === 0 ? ENDED : ENDED.filter((state) => filter.states.includes(state));
}
