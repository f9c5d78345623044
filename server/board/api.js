// Calls of the gateway's HTTP API, from where the page came, with what the person has typed to prove
// who calls. That is kept for this tab and sent nowhere else.

const KEY = 'pictory-board-key';
const PICTORY_KEY = 'pictory-board-pictory-key';

// Why a call failed, in the gateway's own words. `status` is 0 if there was no answer.
export class Problem extends Error {
  constructor(status, message, reason = '', retrySeconds = 0) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.retrySeconds = retrySeconds;
  }

  // Whether another key, or more of a role, is what it takes.
  get refused() {
    return this.status === 401 || this.status === 403 || this.status === 421;
  }
}

export const keys = {
  get: () => sessionStorage.getItem(KEY) ?? '',
  getPictory: () => sessionStorage.getItem(PICTORY_KEY) ?? '',
  set(key, pictoryKey) {
    for (const [name, value] of [[KEY, key], [PICTORY_KEY, pictoryKey]]) {
      if (value === '') sessionStorage.removeItem(name);
      else sessionStorage.setItem(name, value);
    }
  },
};

function headersWith(more) {
  const headers = new Headers(more);
  if (keys.get() !== '') headers.set('Authorization', `Bearer ${keys.get()}`);
  if (keys.getPictory() !== '') headers.set('Pictory-Api-Key', keys.getPictory());
  return headers;
}

function detail(body, type) {
  const details = Array.isArray(body?.details) ? body.details : [];
  return details.find((each) => String(each?.['@type']).endsWith(type)) ?? {};
}

export async function problemOf(answer) {
  const text = await answer.text().catch(() => '');
  let body = {};
  try {
    body = JSON.parse(text);
  } catch {
    body = {message: text.slice(0, 500)};
  }
  return statusProblem(body, answer.status, Number(answer.headers.get('Retry-After')) || 0);
}

// The same of a google.rpc.Status, such as the end of a stream.
export function statusProblem(body, status, retrySeconds = 0) {
  const reason = String(detail(body, 'ErrorInfo').reason ?? '');
  const message = String(body?.message || '') || `The gateway answered ${status}.`;
  return new Problem(status, message, reason, retrySeconds);
}

// An answer that is OK; else a Problem is thrown.
export async function send(method, path, {body, headers = {}, signal} = {}) {
  const more = {...headers, ...(body === undefined ? {} : {'Content-Type': 'application/json'})};
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: headersWith(more),
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, 'The gateway does not answer.');
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

export async function call(method, path, body, more = {}) {
  const answer = await send(method, path, {body, ...more});
  try {
    return await answer.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, 'The answer of the gateway broke off.');
  }
}

export function jobPath(id) {
  return `/v1/jobs/${encodeURIComponent(id)}`;
}

// The query of a filter, as ListJobs and WatchJobs take it.
export function filterQuery(states, filter) {
  const pairs = states.map((state) => ['states', state]);
  if (filter.kind !== '') pairs.push(['kinds', filter.kind]);
  for (const [key, value] of Object.entries(filter.labels)) pairs.push([`labels.${key}`, value]);
  return pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
}

// A name for a submit that no other has.
export function newRequestId() {
  return `board-${[...crypto.getRandomValues(new Uint8Array(12))].map((b) => b.toString(16).padStart(2, '0')).join('')}`;
}
