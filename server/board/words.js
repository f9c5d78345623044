// How states, kinds, times and numbers are said.

export const STATES = {
  JOB_STATE_WAITING: {word: 'Waiting', tone: 'waiting'},
  JOB_STATE_UNCONFIRMED: {word: 'Unconfirmed', tone: 'unconfirmed'},
  JOB_STATE_QUEUED: {word: 'Queued', tone: 'queued'},
  JOB_STATE_RUNNING: {word: 'Running', tone: 'running'},
  JOB_STATE_SUCCEEDED: {word: 'Succeeded', tone: 'succeeded'},
  JOB_STATE_FAILED: {word: 'Failed', tone: 'failed'},
  JOB_STATE_EXPIRED: {word: 'Expired', tone: 'failed'},
  JOB_STATE_CLEANED: {word: 'Cleaned', tone: 'over'},
  JOB_STATE_OUTCOME_UNKNOWN: {word: 'Outcome unknown', tone: 'failed'},
  JOB_STATE_CANCELLED: {word: 'Cancelled', tone: 'over'},
};

// In the order in which the board shows them: what needs a person comes first.
export const ACTIVE = ['JOB_STATE_UNCONFIRMED', 'JOB_STATE_RUNNING', 'JOB_STATE_QUEUED', 'JOB_STATE_WAITING'];
export const ENDED = ['JOB_STATE_SUCCEEDED', 'JOB_STATE_FAILED', 'JOB_STATE_EXPIRED', 'JOB_STATE_OUTCOME_UNKNOWN',
  'JOB_STATE_CANCELLED', 'JOB_STATE_CLEANED'];

export const KINDS = {
  JOB_KIND_PREVIEW: 'Preview',
  JOB_KIND_RENDER: 'Render',
  JOB_KIND_TRANSCRIPTION: 'Transcription',
  JOB_KIND_SUMMARY: 'Summary',
  JOB_KIND_IMAGE: 'Image',
  JOB_KIND_VIDEO: 'Clip',
};

const UNKNOWN = {word: 'Unknown state', tone: 'over'};

export function stateOf(job) {
  return STATES[job.state] ?? UNKNOWN;
}

export function kindOf(job) {
  return KINDS[job.kind] ?? 'Job';
}

export function isActive(job) {
  return ACTIVE.includes(job.state);
}

// What tells a job from its neighbours: its name and labels, else its name for the submit.
export function titleOf(job) {
  const given = Object.entries(job.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  if (job.name) given.unshift(job.name);
  return given.length > 0 ? given.join('  ') : job.requestId || job.pictoryJobId || job.jobId;
}

export function percentOf(job) {
  if (job.state === 'JOB_STATE_SUCCEEDED') return 100;
  const percent = Number(job.progressPercent);
  return Number.isFinite(percent) ? Math.max(0, Math.min(100, percent)) : 0;
}

const NUMBER = new Intl.NumberFormat('en', {maximumFractionDigits: 2});

export function numberText(value) {
  return NUMBER.format(Number(value) || 0);
}

export function bytesText(bytes) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  let value = Number(bytes) || 0;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

// A place in a film: 1:02:03, 0:07.
export function clockText(seconds) {
  const whole = Math.max(0, Math.floor(Number(seconds) || 0));
  const two = (value) => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

const TIME = new Intl.DateTimeFormat('en-GB', {dateStyle: 'medium', timeStyle: 'medium'});

export function timeText(time) {
  const date = new Date(time ?? '');
  return Number.isNaN(date.getTime()) ? '' : TIME.format(date);
}

export function spanText(seconds) {
  const [value, unit] = seconds < 60 ? [seconds, 's'] : seconds < 3600 ? [seconds / 60, 'min']
    : seconds < 86400 ? [seconds / 3600, 'h'] : [seconds / 86400, 'd'];
  return `${Math.floor(value)} ${unit}`;
}

export function agoText(time, now = Date.now()) {
  const seconds = Math.max(0, (now - new Date(time ?? '').getTime()) / 1000);
  return Number.isNaN(seconds) ? '' : `${spanText(seconds)} ago`;
}

export function countText(count, one, many) {
  return `${numberText(count)} ${count === 1 ? one : many}`;
}
