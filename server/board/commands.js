// The commands that do what the board does, for each of three tools. They name no key: the shell
// puts it in from PICTORY_GATEWAY_KEY. Pure.

import {safeUrl} from './dom.js';
import {quote, quoteJson} from './quote.js';
import {isActive} from './words.js';

const SERVICE = 'pictory.jobs.v1.PictoryJobs';

export const TOOLS = ['pictory', 'curl', 'grpcurl'];

// `at`: {origin, identified, callersPay}: where the board is from, and what proves who calls.
function curl(at, method, path, body) {
  const words = ['curl', '-sS'];
  if (method !== 'GET') words.push('-X', method);
  if (at.identified) words.push('-H', '"Authorization: Bearer $PICTORY_GATEWAY_KEY"');
  if (at.callersPay) words.push('-H', '"Pictory-Api-Key: $PICTORY_API_KEY"');
  if (body !== undefined) words.push('-H', quote('Content-Type: application/json'), '-d', quoteJson(body));
  words.push(quote(at.origin + path));
  return words.join(' ');
}

function grpcurl(at, method, body) {
  const words = ['grpcurl'];
  if (!at.origin.startsWith('https:')) words.push('-plaintext');
  if (at.identified) words.push('-H', '"authorization: Bearer $PICTORY_GATEWAY_KEY"');
  if (at.callersPay) words.push('-H', '"pictory-api-key: $PICTORY_API_KEY"');
  words.push('-d', quoteJson(body), '"$PICTORY_GATEWAY"', `${SERVICE}/${method}`);
  return words.join(' ');
}

function pictory(...words) {
  return ['pictory', ...words.map(quote)].join(' ');
}

const segment = encodeURIComponent;

// {what, pictory, curl, grpcurl} for each thing that can be done with a job.
export function commandsFor(job, at) {
  const id = job.jobId;
  const path = `/v1/jobs/${segment(id)}`;
  const commands = [{
    what: 'Look at it',
    pictory: pictory('get', id),
    curl: curl(at, 'GET', path),
    grpcurl: grpcurl(at, 'GetJob', {job_id: id}),
  }];
  if (isActive(job)) {
    commands.push({
      what: 'Watch it to its end',
      pictory: pictory('watch', id),
      curl: curl(at, 'GET', `${path}:watch`).replace('curl -sS', 'curl -sSN'),
      grpcurl: grpcurl(at, 'WatchJob', {job_id: id}),
    });
  }
  commands.push(...fileCommands(job, at), ...nextCommands(job, at));
  if (job.state === 'JOB_STATE_SUCCEEDED' || job.omittedParts?.includes('RESULT_PART_RESULT_JSON')) {
    commands.push({
      what: 'Keep all that Pictory said of it',
      pictory: pictory('result', id, '--part', 'result-json', '-o', `${id}.json`),
      curl: `${curl(at, 'GET', `${path}:read`)} -o ${quote(`${id}.json`)}`,
      grpcurl: grpcurl(at, 'ReadJobResult', {job_id: id}),
    });
  }
  if (job.state === 'JOB_STATE_UNCONFIRMED') {
    commands.push(resolve(job, at, 'List its candidates', [], {}));
  } else if (job.state === 'JOB_STATE_WAITING') {
    commands.push({
      what: 'Cancel it',
      pictory: pictory('delete', '--cancel-only', id),
      curl: curl(at, 'DELETE', `${path}?cancelOnly=true`),
      grpcurl: grpcurl(at, 'DeleteJob', {job_id: id, cancel_only: true}),
    });
  } else if (!isActive(job)) {
    commands.push({
      what: 'Delete it, outputs at Pictory too',
      pictory: pictory('delete', id),
      curl: curl(at, 'DELETE', path),
      grpcurl: grpcurl(at, 'DeleteJob', {job_id: id}),
    });
  }
  return commands;
}

// The file that a kind of job is made for: the field of its link, and the ending of its usual type.
const FILES = {
  JOB_KIND_RENDER: {what: 'Fetch the film', result: 'render', field: 'video_url', link: 'videoURL', ending: 'mp4'},
  JOB_KIND_VIDEO: {what: 'Fetch the clip', result: 'video', field: 'url', link: 'url', ending: 'mp4'},
  JOB_KIND_IMAGE: {what: 'Fetch the picture', result: 'image', field: 'url', link: 'url', ending: 'jpg'},
};

// The copy in the gateway's archive if it has one, else what Pictory's link leads to, which gets no
// key of the gateway's.
function fileCommands(job, at) {
  const file = FILES[job.kind];
  if (file === undefined || job.state !== 'JOB_STATE_SUCCEEDED') return [];
  const kept = job.archive?.files?.find((each) => each.field === file.field && each.state === 'ARCHIVE_STATE_ARCHIVED');
  const link = safeUrl(job[file.result]?.[file.link] ?? '');
  if (kept === undefined && link === '') return [];
  const to = quote(`${job.jobId}.${kept?.name.split('.').at(-1) ?? file.ending}`);
  const download = `${pictory('result', job.jobId, '--download')} -o ${to}`;
  if (kept === undefined) {
    const fetch = `curl -sSL -o ${to} ${quote(link)}`;
    return [{what: file.what, pictory: download, curl: fetch, grpcurl: fetch}];
  }
  return [{
    what: file.what,
    pictory: download,
    curl: `${curl(at, 'GET', `/v1/jobs/${segment(job.jobId)}/files/${segment(kept.name)}`)} -o ${to}`,
    grpcurl: grpcurl(at, 'ReadArchivedFile', {job_id: job.jobId, name: kept.name}),
  }];
}

// What can be made of a job, also while it is still made: the gateway sends it once that is done. Its
// request_id is of the job, so the command may be repeated and pays once.
const NEXT = {
  JOB_KIND_PREVIEW: {what: 'Render it', command: 'render', words: [], waits: '--wait-for-preview', path: '/v1/previews/',
    verb: 'render', method: 'Render', named: 'preview_job_id', body: {}, wait: 'wait_for_preview'},
  JOB_KIND_TRANSCRIPTION: {what: 'Summarize it in 20 seconds', command: 'summarize', words: ['--seconds', '20'],
    waits: '--wait-for-transcription', path: '/v1/transcriptions/', verb: 'summarize', method: 'Summarize',
    named: 'transcription_job_id', body: {highlight_duration: 20}, wait: 'wait_for_transcription'},
};

function nextCommands(job, at) {
  const next = NEXT[job.kind];
  const goesOn = ['JOB_STATE_WAITING', 'JOB_STATE_QUEUED', 'JOB_STATE_RUNNING'].includes(job.state);
  if (next === undefined || (job.state !== 'JOB_STATE_SUCCEEDED' && !goesOn)) return [];
  const name = `${next.command}-${job.jobId}`;
  const body = {request_id: name, ...next.body, ...(goesOn ? {[next.wait]: true} : {})};
  return [{
    what: job.sandbox ? next.what : `${next.what}, which Pictory bills once`,
    pictory: pictory(next.command, job.jobId, ...next.words, ...(goesOn ? [next.waits] : []), '--request-id', name),
    curl: curl(at, 'POST', `${next.path}${segment(job.jobId)}:${next.verb}`, body),
    grpcurl: grpcurl(at, next.method, {[next.named]: job.jobId, ...body}),
  }];
}

// A submit of the form. `first`: {words, path, method, body}, as the form sends it.
export function submitCommand(first, requestId, labels, at) {
  const body = {request_id: requestId, labels, ...first.body};
  return {
    what: 'Submit it',
    pictory: pictory(...first.words, '--request-id', requestId,
      ...Object.entries(labels).map(([key, value]) => `--label=${key}=${value}`)),
    curl: curl(at, 'POST', first.path, body),
    grpcurl: grpcurl(at, first.method, body),
  };
}

function resolve(job, at, what, words, body) {
  return {
    what,
    pictory: pictory('resolve', job.jobId, ...words),
    curl: curl(at, 'POST', `/v1/jobs/${segment(job.jobId)}:resolve`, body),
    grpcurl: grpcurl(at, 'ResolveJob', {job_id: job.jobId, ...body}),
  };
}

// The decision that an unconfirmed job is Pictory's job `adopt`, or with '' that it is given up.
export function resolveCommand(job, at, adopt) {
  return adopt === '' ? resolve(job, at, 'Give it up', ['--abandon'], {abandon: true})
    : resolve(job, at, `Adopt ${adopt}`, [`--adopt=${adopt}`], {adopt_pictory_job_id: adopt});
}

// What the board shows as a whole.
export function listCommands(filter, at) {
  const words = ['list'];
  const query = [];
  const body = {};
  if (filter.states.length > 0) {
    body.states = filter.states;
    for (const state of filter.states) {
      words.push('--state', state.replace('JOB_STATE_', '').toLowerCase());
      query.push(`states=${segment(state)}`);
    }
  }
  if (filter.kind !== '') {
    body.kinds = [filter.kind];
    words.push('--kind', filter.kind.replace('JOB_KIND_', '').toLowerCase());
    query.push(`kinds=${segment(filter.kind)}`);
  }
  for (const [key, value] of Object.entries(filter.labels)) {
    body.labels = filter.labels;
    words.push(`--label=${key}=${value}`);
    query.push(`labels.${segment(key)}=${segment(value)}`);
  }
  const path = query.length > 0 ? `/v1/jobs?${query.join('&')}` : '/v1/jobs';
  return [{
    what: 'List these jobs',
    pictory: pictory(...words),
    curl: curl(at, 'GET', path),
    grpcurl: grpcurl(at, 'ListJobs', body),
  }];
}
