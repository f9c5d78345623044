// The commands that do what the board does, for each of three tools. They name no key: the shell
// puts it in from PICTORY_GATEWAY_KEY. Pure.

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
  if (job.state === 'JOB_STATE_SUCCEEDED') {
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
