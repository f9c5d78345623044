// A transcript: sentences with their times, and what a summary chose of them marked. Each time and
// each highlight is a link to that place in the film.

import {jobPath, send} from './api.js';
import {el} from './dom.js';
import {jobHref} from './route.js';
import {bytesText, clockText, numberText} from './words.js';

const READ_MAX = 16 * 1024 * 1024;  // bytes of a transcript that are read into a page

// The sentences of a job: from the job itself if it has them, else read apart.
export async function readTranscript(job, signal) {
  const result = job.summary ?? job.transcription;
  if (result.transcript?.length > 0) return result.transcript;
  if (!(job.omittedParts ?? []).includes('RESULT_PART_TRANSCRIPT_JSON')) return [];
  const answer = await send('GET', `${jobPath(job.jobId)}:read?part=RESULT_PART_TRANSCRIPT_JSON`, {signal});
  const length = Number(answer.headers.get('Content-Length'));
  if (length > READ_MAX) {
    await answer.body.cancel();
    throw new Error(`This transcript has ${bytesText(length)}, too much for a page. The commands below fetch it.`);
  }
  return answer.json();
}

const startOf = (word) => Number(word.start_time ?? word.startTime ?? 0);

// Runs of words that are highlighted, or are not.
function runsOf(sentence) {
  const runs = [];
  for (const word of sentence.words ?? []) {
    if (word.is_pause || word.isPause || !word.word) continue;
    const marked = word.highlight === true;
    const last = runs.at(-1);
    if (last !== undefined && last.marked === marked) last.text += ` ${word.word}`;
    else runs.push({marked, text: String(word.word), start: startOf(word)});
  }
  if (runs.length === 0 && sentence.text) runs.push({marked: false, text: sentence.text, start: Number(sentence.start) || 0});
  return runs;
}

export function transcriptOf(job, sentences) {
  const summary = job.summary;
  const parts = [el('h3', {}, 'Transcript')];
  if (summary?.summaryText) {
    const length = summary.summaryDurationSeconds === undefined ? ''
      : `, ${numberText(summary.summaryDurationSeconds)} seconds`;
    parts.push(el('p', {class: 'note'}, `The summary${length}, is marked. Its places:`),
      el('ol', {class: 'segments'}, (summary.segments ?? []).map((segment) => el('li', {},
        el('a', {href: jobHref(job.jobId, segment.startSeconds)},
          `${clockText(segment.startSeconds)}–${clockText(segment.endSeconds)}`),
        ' ', el('span', {dir: 'auto'}, segment.text)))));
  }
  parts.push(el('div', {class: 'transcript'}, sentences.map((sentence) => {
    const runs = runsOf(sentence);
    if (runs.length === 0) return null;
    return el('p', {dir: 'auto'},
      el('a', {class: 'time', href: jobHref(job.jobId, runs[0].start)}, clockText(runs[0].start)), ' ',
      runs.flatMap((run) => [run.marked
        ? el('mark', {}, el('a', {href: jobHref(job.jobId, run.start)}, run.text)) : run.text, ' ']));
  })));
  return el('section', {}, parts);
}
