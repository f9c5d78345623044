// One row of the list: a job, or the heading of a section. Rows are used again for other jobs as the
// list scrolls, and only what differs is written.

import {el, safeUrl, setText} from './dom.js';
import {estimateText} from './estimate.js';
import {jobHref} from './route.js';
import {agoText, kindOf, numberText, percentOf, STATES, stateOf, titleOf} from './words.js';

export function thumbnailOf(job) {
  const url = job.render?.thumbnail || job.video?.thumbnailImageUrl || job.image?.url || '';
  return url === '' ? '' : safeUrl(url);
}

export class JobRow {
  #job = null;
  #number = 0;
  #count = 0;
  #kind = el('span', {class: 'row-kind'});
  #title = el('span', {class: 'row-title', dir: 'auto'});
  #note = el('span', {class: 'row-note', dir: 'auto'});
  #state = el('span', {class: 'state'});
  #percent = el('span', {class: 'row-percent'});
  #bar = el('span', {class: 'bar-fill'});
  #track = el('span', {class: 'bar', 'aria-hidden': 'true'}, this.#bar);
  #picture = el('img', {alt: '', decoding: 'async'});
  #frame = el('span', {class: 'thumb', 'aria-hidden': 'true'}, this.#picture);
  link = el('a', {class: 'row', tabindex: '-1'},
    this.#frame,
    el('span', {class: 'row-text'},
      el('span', {class: 'row-line'}, this.#kind, this.#title),
      el('span', {class: 'row-line'}, this.#note)),
    el('span', {class: 'row-side'}, this.#state, this.#percent),
    this.#track);
  node = el('li', {}, this.link);

  constructor() {
    this.#picture.addEventListener('load', () => { this.#frame.dataset.shown = ''; });
  }

  get id() {
    return this.#job?.jobId;
  }

  show(job) {
    const before = this.#job;
    if (before === job) return;
    this.#job = job;
    if (before?.jobId !== job.jobId) {
      this.link.setAttribute('href', jobHref(job.jobId));
      this.link.dataset.id = job.jobId;
    }
    if (before?.jobId !== job.jobId || before?.state !== job.state) {
      const {word, tone} = stateOf(job);
      this.link.dataset.tone = tone;
      this.link.dataset.kind = kindOf(job).toLowerCase();
      setText(this.#state, word);
      setText(this.#kind, kindOf(job));
      setText(this.#title, titleOf(job));
    }
    setText(this.#note, noteOf(job));
    const percent = percentOf(job);
    const moving = job.state === 'JOB_STATE_RUNNING';
    setText(this.#percent, moving && job.progressPercent !== undefined ? `${Math.floor(percent)} %` : '');
    this.#track.hidden = !moving;
    if (moving) this.#bar.style.transform = `scaleX(${percent / 100})`;
    this.#show(thumbnailOf(job));
  }

  // Writes anew what the clock changes.
  tick() {
    if (this.#job !== null) setText(this.#note, noteOf(this.#job));
  }

  // Says to who hears the list where in it this is: most of the others are not in the page.
  stand(number, count) {
    if (this.#number === number && this.#count === count) return;
    [this.#number, this.#count] = [number, count];
    this.node.setAttribute('aria-posinset', String(number));
    this.node.setAttribute('aria-setsize', String(count));
  }

  #show(url) {
    if ((this.#picture.getAttribute('src') ?? '') === url) return;
    delete this.#frame.dataset.shown;
    if (url === '') this.#picture.removeAttribute('src');
    else this.#picture.setAttribute('src', url);
  }
}

// What is worth knowing of a job beside its state.
function noteOf(job) {
  if (job.state === 'JOB_STATE_UNCONFIRMED') return 'Needs a decision: Pictory may have made it';
  if (job.upstreamMissing) return 'Pictory says that it does not know this job';
  if (job.error?.message) return job.error.message;
  const credits = job.creditsUsed === undefined ? '' : `${numberText(job.creditsUsed)} AI credits`;
  const known = job.message ? [job.message] : [agoText(job.finishTime ?? job.createTime), credits];
  return [...known, estimateText(job)].filter((text) => text !== '').join(', ');
}

export class SectionRow {
  #words = el('span', {});
  #count = el('span', {class: 'section-count'});
  node = el('li', {class: 'section'}, this.#words, this.#count);

  show(section) {
    setText(this.#words, section.state === 'ended' ? 'Ended' : STATES[section.state].word);
    setText(this.#count, section.state === 'ended' ? '' : numberText(section.count));
  }
}
