// A gateway of which a test decides every answer: the board's own files with the headers that the
// real one gives them, and the API as far as the board calls it. Only for what the real one cannot be
// made to do at will: a thousand moving jobs, hostile texts, cuts at a chosen moment.
import {createServer} from 'node:http';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

const ROOT = process.env.BOARD_ROOT;
const TYPES = {html: 'text/html; charset=utf-8', css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml'};

function policy() {
  const source = readFileSync(join(ROOT, 'server/face/board_answer.cc'), 'utf8');
  const [, text] = /kPolicy\[\] =\s*((?:"[^"]*"\s*)+);/.exec(source);
  return [...text.matchAll(/"([^"]*)"/g)].map((match) => match[1]).join('');
}

const INFO = {version: '0.1.0', serverTime: '2026-11-30T12:00:00Z', caller: 'anybody', tenant: 'default',
  roles: ['read', 'submit', 'operate'], account: 'default', callersPay: false, sandbox: true, requireRequestId: false, shed: []};
const USAGE = {tenant: 'default', account: 'default', submitsToday: {used: 128, limit: 500},
  creditsToday: {used: 41.5, limit: 100}, activeJobs: {used: 12, limit: 0}, submitsStopped: false, byLabel: [],
  creditsReserved: 6, repeatedToday: '3'};

let made = 0;
export function newJob(more = {}) {
  made += 1;
  const id = `01k${String(made).padStart(23, '0')}`;
  return {jobId: id, pictoryJobId: `p-${made}`, requestId: `r-${made}`, kind: 'JOB_KIND_RENDER', state: 'JOB_STATE_RUNNING',
    revision: 1, progressPercent: 0, message: '', createTime: '2026-11-30T12:00:00Z', updateTime: '2026-11-30T12:00:00Z',
    labels: {}, stale: false, upstreamDegraded: false, upstreamMissing: false, sandbox: true, omittedParts: [], ...more};
}

const isActive = (job) => ['UNCONFIRMED', 'RUNNING', 'QUEUED', 'WAITING'].includes(job.state.replace('JOB_STATE_', ''));

export class StandIn {
  jobs = new Map();
  info = INFO;
  usage = USAGE;
  account = {account: 'default', quota: {}, creditsCharged: 0, creditsGranted: 0};
  refusal = null;  // {status, body} for every call of the API
  candidates = [];
  asked = [];  // 'GET /path' of each call, with its headers and body
  #streams = new Set();
  #token = 0;
  #server;

  static async start(jobs = []) {
    const made = new StandIn();
    for (const job of jobs) made.jobs.set(job.jobId, job);
    await made.listen(0);
    return made;
  }

  async listen(port) {
    this.#server = createServer((request, answer) => this.#serve(request, answer));
    await new Promise((done) => this.#server.listen(port, '127.0.0.1', done));
    this.port = this.#server.address().port;
    this.url = `http://127.0.0.1:${this.port}/`;
  }

  // As a gateway that is ended.
  async end() {
    for (const stream of this.#streams) stream.destroy();
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  // Changes a job, or brings it, and tells all watches.
  put(job) {
    const before = this.jobs.get(job.jobId);
    this.jobs.set(job.jobId, job);
    const event = isActive(job) ? {job} : {left: job};
    if (isActive(job) || before === undefined || isActive(before)) this.tell(event);
  }

  tell(message) {
    this.#token += 1;
    const text = `id: t${this.#token}\ndata: ${JSON.stringify({...message, resumeToken: `t${this.#token}`})}\n\n`;
    for (const stream of this.#streams) stream.write(text);
  }

  cutStreams() {
    for (const stream of this.#streams) stream.destroy();
  }

  get watches() {
    return this.#streams.size;
  }

  #serve(request, answer) {
    const url = new URL(request.url, this.url);
    const file = url.pathname === '/' ? 'index.html' : /^\/board\/([\w.]+)$/.exec(url.pathname)?.[1];
    if (file !== undefined) return this.#file(file, answer);
    let body = '';
    request.on('data', (piece) => { body += piece; });
    request.on('end', () => {
      this.asked.push({line: `${request.method} ${request.url}`, headers: request.headers, body});
      if (this.refusal !== null) return this.#json(answer, this.refusal.body, this.refusal.status);
      this.#call(request.method, url, body, answer);
    });
  }

  #file(name, answer) {
    answer.writeHead(200, {'Content-Type': TYPES[name.split('.').at(-1)], 'Content-Security-Policy': policy(),
      'Cache-Control': 'no-cache', 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer'});
    answer.end(readFileSync(join(ROOT, 'server/board', name)));
  }

  #json(answer, value, status = 200) {
    answer.writeHead(status, {'Content-Type': 'application/json'});
    answer.end(JSON.stringify(value));
  }

  #call(method, url, body, answer) {
    const path = decodeURIComponent(url.pathname);
    if (path === '/v1/serverInfo') return this.#json(answer, this.info);
    if (path === '/v1/usage') return this.#json(answer, this.usage);
    if (path === '/v1/account') return this.#json(answer, this.account);
    if (path === '/v1/jobs:watch') return this.#watch(answer);
    if (path === '/v1/jobs') return this.#list(url, answer);
    const [, id, verb] = /^\/v1\/jobs\/([^/:]+)(?::(\w+))?$/.exec(path) ?? [];
    const job = this.jobs.get(id);
    if (job === undefined) {
      return this.#json(answer, {code: 5, message: `no job ${id}`, details: [{'@type': 'x/google.rpc.ErrorInfo', reason: 'JOB_NOT_FOUND'}]}, 404);
    }
    if (verb === 'resolve') {
      const decision = JSON.parse(body);
      if (decision.abandon) this.put({...job, state: 'JOB_STATE_OUTCOME_UNKNOWN', revision: job.revision + 1});
      if (decision.adoptPictoryJobId) {
        this.put({...job, state: 'JOB_STATE_QUEUED', pictoryJobId: decision.adoptPictoryJobId, revision: job.revision + 1});
      }
      return this.#json(answer, {job: this.jobs.get(id), candidates: Object.keys(decision).length > 0 ? [] : this.candidates});
    }
    if (method === 'DELETE') return this.#end(job, url.searchParams.get('cancelOnly') === 'true', answer);
    return this.#json(answer, {job});
  }

  #end(job, cancelOnly, answer) {
    const waits = job.state === 'JOB_STATE_WAITING';
    if (cancelOnly && !waits) {
      return this.#json(answer, {code: 9, message: `Job ${job.jobId} cannot be cancelled`, details: [{'@type': 'x/google.rpc.ErrorInfo', reason: 'JOB_NOT_WAITING'}]}, 400);
    }
    const after = {...job, state: waits ? 'JOB_STATE_CANCELLED' : 'JOB_STATE_CLEANED', revision: job.revision + 1};
    if (waits) this.put(after);
    else this.jobs.delete(job.jobId);
    return this.#json(answer, {job: after});
  }

  #list(url, answer) {
    const states = url.searchParams.getAll('states');
    const size = Number(url.searchParams.get('pageSize') || 50);
    const from = Number(url.searchParams.get('pageToken') || 0);
    const fits = [...this.jobs.values()].filter((job) => states.includes(job.state))
      .sort((a, b) => (a.jobId < b.jobId ? 1 : -1));
    const next = from + size < fits.length ? String(from + size) : '';
    this.#json(answer, {jobs: fits.slice(from, from + size), nextPageToken: next});
  }

  #watch(answer) {
    answer.writeHead(200, {'Content-Type': 'text/event-stream'});
    const say = (message) => answer.write(`data: ${JSON.stringify(message)}\n\n`);
    say({listStarted: {restarted: false}});
    for (const job of this.jobs.values()) {
      if (isActive(job)) say({job});
    }
    say({listCompleted: {}});
    this.#streams.add(answer);
    answer.on('close', () => this.#streams.delete(answer));
  }
}
