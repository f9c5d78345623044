// The files of a result that the gateway keeps itself.

import {jobPath, keys, send} from './api.js';
import {el, setText} from './dom.js';
import {bytesText} from './words.js';

const IN_MEMORY_MAX = 512 * 1024 * 1024;  // bytes that a page can hold of a film

const WORDS = {
  ARCHIVE_STATE_PENDING: 'being fetched',
  ARCHIVE_STATE_ARCHIVED: 'kept here',
  ARCHIVE_STATE_FAILED: 'not to be had',
};

export function filePath(job, name) {
  return `${jobPath(job.jobId)}/files/${encodeURIComponent(name)}`;
}

export function archivedFile(job, field) {
  return (job.archive?.files ?? []).find((file) => file.field === field && file.state === 'ARCHIVE_STATE_ARCHIVED');
}

// A source for a player or a picture. Where the gateway asks who calls, an element cannot say it, so
// the bytes are fetched first. The URL is to be revoked.
export async function localSource(job, file) {
  if (keys.get() === '' && keys.getPictory() === '') return filePath(job, file.name);
  if (Number(file.bytes) > IN_MEMORY_MAX) throw new Error(`${bytesText(file.bytes)} are too many for this page.`);
  const answer = await send('GET', filePath(job, file.name));
  return URL.createObjectURL(await answer.blob());
}

export function archiveOf(job) {
  const files = job.archive?.files ?? [];
  if (files.length === 0) return null;
  return el('section', {}, el('h3', {}, 'Kept by the gateway'),
    el('ul', {class: 'links'}, files.map((file) => {
      const problem = el('span', {class: 'note', role: 'status'});
      const save = el('button', {type: 'button', onclick: () => saveFile(job, file, problem)}, 'Save');
      return el('li', {},
        el('code', {}, file.name), ' ',
        el('span', {class: 'note'},
          `${WORDS[file.state] ?? ''}${Number(file.bytes) > 0 ? `, ${bytesText(file.bytes)}` : ''}`
          + `${file.problem ? `: ${file.problem}` : ''}`),
        file.state === 'ARCHIVE_STATE_ARCHIVED' ? save : null, problem);
    })));
}

async function saveFile(job, file, problem) {
  setText(problem, '');
  try {
    const url = await localSource(job, file);
    const link = el('a', {href: url, download: file.name});
    link.click();
    if (url.startsWith('blob:')) setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch (error) {
    setText(problem, error.message);
  }
}
