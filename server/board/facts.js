// What is known of a job, as names and values; and what is unusual about it, as sentences.

import {el, linkTo} from './dom.js';
import {isStalled} from './estimate.js';
import {kindOf, numberText, stateOf, timeText} from './words.js';

export function factsOf(job) {
  const rows = [
    ['Kind', kindOf(job)],
    ['State', stateOf(job).word],
    ['Job', code(job.jobId)],
    ['At Pictory', job.pictoryJobId ? code(job.pictoryJobId) : 'not known yet'],
    ['request_id', job.requestId ? code(job.requestId) : 'none: it was not submitted here'],
    ['Name', job.name ?? ''],
    ['Labels', labelsOf(job)],
    ['AI credits', job.creditsUsed === undefined ? 'Pictory has told of none' : numberText(job.creditsUsed)],
    ['Created', timeText(job.createTime)],
    ['Changed', timeText(job.updateTime)],
    ['Ended', timeText(job.finishTime)],
    ['Revision', String(job.revision)],
  ];
  return el('dl', {class: 'facts'}, rows.filter(([, value]) => value !== '' && value !== null)
    .map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {dir: 'auto'}, value))));
}

function code(text) {
  return el('code', {}, text);
}

function labelsOf(job) {
  const labels = Object.entries(job.labels ?? {});
  if (labels.length === 0) return null;
  return el('span', {class: 'labels'}, labels.map(([key, value]) => el('code', {class: 'label'}, `${key}=${value}`)));
}

// Sentences about what a person should know. Each is [tone, text].
export function noticesOf(job) {
  const notices = [];
  if (job.error) {
    const code = job.error.code ? `${job.error.code}: ` : '';
    notices.push(['failed', `${code}${job.error.message || 'Pictory gives no reason.'}`]);
  }
  if (job.state === 'JOB_STATE_WAITING') {
    notices.push(['waiting', 'Nothing is sent and nothing is billed until the job that it waits for has succeeded.']);
  }
  if (job.state === 'JOB_STATE_OUTCOME_UNKNOWN') {
    notices.push(['failed', 'A person gave this job up. Pictory may have made it, and may have billed it.']);
  }
  if (job.upstreamMissing) {
    notices.push(['unconfirmed', 'Pictory repeatedly says that it does not know this job.']);
  }
  if (job.upstreamDegraded) {
    notices.push(['unconfirmed', 'Pictory cannot be asked at present; what is shown may lag.']);
  }
  if (isStalled(job)) {
    notices.push(['unconfirmed', 'It seems to stand still: it takes longer than nearly all past jobs of this kind, ' +
      'and nothing of it is new. That is an estimate, and it may end well.']);
  }
  if (job.stale) {
    notices.push(['unconfirmed', 'Nothing was heard of this job for longer than is usual.']);
  }
  return notices;
}

// Links to what the job has made.
export function linksOf(job) {
  const {preview, render, video, image, transcription} = job;
  const links = [
    [preview?.previewUrl ?? preview?.preview, 'Preview page'], [preview?.projectUrl, 'Project'],
    [render?.videoURL, 'Video'], [render?.videoShareURL, 'Page that plays it'],
    [render?.audioURL, 'Sound'], [render?.srtFile, 'Subtitles (SRT)'], [render?.vttFile, 'Subtitles (VTT)'],
    [render?.txtFile, 'Text'], [video?.url, 'Clip'], [video?.lastFrameImageUrl, 'Last frame'],
    [image?.url, 'Picture'], [transcription?.editVideoUrl, 'Edit at Pictory'],
  ].filter(([url]) => url);
  if (links.length === 0) return null;
  return el('ul', {class: 'links'}, links.map(([url, words]) => el('li', {}, linkTo(url, words))));
}
