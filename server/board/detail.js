// One job, beside the list.

import {Problem, call, jobPath} from './api.js';
import {commandSection} from './command_view.js';
import {commandsFor} from './commands.js';
import {confirm} from './dialogs.js';
import {announce, el, setText} from './dom.js';
import {estimateSentence} from './estimate.js';
import {factsOf, linksOf, noticesOf} from './facts.js';
import {archiveOf} from './files.js';
import {Player} from './player.js';
import {resolvePanel} from './resolve.js';
import {readTranscript, transcriptOf} from './transcript.js';
import {isActive, kindOf, percentOf, stateOf, titleOf} from './words.js';

// The parts of the job that is shown: what changes with each revision is written anew, what does not
// (the player above all) stays.
export class Detail {
  #box;
  #context;
  #id = '';
  #job = null;
  #made = '';  // for which state and files the lower parts were made
  #stop = new AbortController();
  #player = new Player();
  #head = el('div', {class: 'detail-head'});
  #result = el('div', {});
  #rest = el('div', {});
  #refused = el('p', {class: 'note', role: 'alert'});  // why the job was not deleted or cancelled

  // `context`: {at(), mayOperate(), put(job), gone(id)}.
  constructor(box, context) {
    this.#box = box;
    this.#context = context;
  }

  get id() {
    return this.#id;
  }

  // Shows a job, or with '' none. `known` is what the list has of it.
  async open(id, known) {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#player.end();
    this.#id = id;
    this.#job = null;
    this.#made = '';
    this.#result.replaceChildren();
    this.#rest.replaceChildren();
    setText(this.#refused, '');
    if (id === '') return this.#empty();
    const back = el('a', {class: 'back', href: '#/'}, '← All jobs');
    this.#box.replaceChildren(back, this.#head, this.#result, this.#rest);
    this.#box.scrollTop = 0;
    if (known !== undefined) this.update(known);
    else this.#head.replaceChildren(el('p', {class: 'note'}, 'Loading the job …'));
    if (known === undefined || !isActive(known)) await this.#load(id, this.#stop.signal);
  }

  // Takes a newer state of the job that is shown.
  update(job) {
    const older = this.#job !== null && this.#job.revision > job.revision;
    if (job.jobId !== this.#id || older) return;
    const ended = this.#job !== null && isActive(this.#job) && !isActive(job);
    if (ended) announce(`${kindOf(job)} ${stateOf(job).word}`);
    this.#job = job;
    this.#drawHead();
    const made = `${job.state} ${JSON.stringify(job.archive ?? null)}`;
    if (made !== this.#made) {
      this.#made = made;
      this.#drawRest();
    }
    if (ended) this.#load(job.jobId, this.#stop.signal);
  }

  // Time has passed.
  tick() {
    if (this.#job?.estimate !== undefined && isActive(this.#job)) this.#drawHead();
  }

  seek(seconds) {
    this.#player.seek(seconds);
  }

  async #load(id, signal) {
    try {
      const {job} = await call('GET', `${jobPath(id)}?view=JOB_VIEW_FULL`, undefined, {signal});
      if (job.jobId !== id && id === this.#id) this.#id = job.jobId;  // Pictory's id was asked for
      this.#context.put(withoutTexts(job));
      this.update(job);
      await this.#drawResult(job, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status === 404) this.#context.gone(id);
      this.#head.replaceChildren(el('h2', {tabindex: '-1'}, error.status === 404 ? 'No such job' : 'This job cannot be shown'),
        el('p', {class: 'notice', 'data-tone': 'failed', role: 'alert'}, error.message));
    }
  }

  #empty() {
    this.#box.replaceChildren(el('p', {class: 'nothing'}, 'Choose a job to see it here.'));
  }

  #drawHead() {
    const job = this.#job;
    const {word, tone} = stateOf(job);
    const percent = Math.floor(percentOf(job));
    const moving = job.state === 'JOB_STATE_RUNNING';
    const estimate = estimateSentence(job);
    const focused = this.#head.contains(document.activeElement);
    this.#head.replaceChildren(
      el('h2', {tabindex: '-1', dir: 'auto'}, `${kindOf(job)}: ${titleOf(job)}`),
      el('p', {class: 'detail-state', 'data-tone': tone}, el('span', {class: 'state'}, word),
        job.sandbox ? el('span', {class: 'note'}, 'made by the sandbox: nothing is billed') : null),
      ...(moving ? [el('progress', {max: 100, value: job.progressPercent === undefined ? null : percent,
        'aria-label': 'Progress'}), el('span', {class: 'note'}, job.progressPercent === undefined
        ? 'Pictory tells no progress of it' : `${percent} %`)] : []),
      ...(job.message ? [el('p', {class: 'note', dir: 'auto'}, job.message)] : []),
      ...(estimate === '' ? [] : [el('p', {class: 'note'}, estimate)]),
      ...noticesOf(job).map(([kind, text]) => el('p', {class: 'notice', 'data-tone': kind, dir: 'auto'}, text)));
    if (focused) this.#head.querySelector('h2').focus({preventScroll: true});
  }

  async #drawResult(job, signal) {
    const parts = [];
    if (job.state === 'JOB_STATE_SUCCEEDED' && this.#player.show(job)) parts.push(this.#player.node);
    this.#result.replaceChildren(...parts);
    if (job.state !== 'JOB_STATE_SUCCEEDED' || !(job.summary || job.transcription)) return;
    const place = el('p', {class: 'note', role: 'status'}, 'Reading the transcript …');
    this.#result.append(place);
    try {
      place.replaceWith(transcriptOf(job, await readTranscript(job, signal)));
    } catch (error) {
      if (!signal.aborted) setText(place, error.message);
    }
  }

  #drawRest() {
    const job = this.#job;
    const context = {at: this.#context.at(), done: (after) => {
      this.#context.put(after);
      this.update(after);
    }};
    const parts = [];
    if (job.state === 'JOB_STATE_UNCONFIRMED') {
      parts.push(this.#context.mayOperate() ? resolvePanel(job, context)
        : el('p', {class: 'notice', 'data-tone': 'unconfirmed'},
          'This job needs a decision of somebody with the role operate. Do not submit it again: that may pay twice.'));
    }
    const links = linksOf(job);
    if (links !== null) parts.push(el('section', {}, el('h3', {}, 'What it has made'), links));
    parts.push(archiveOf(job), el('section', {}, el('h3', {}, 'Facts'), factsOf(job)),
      commandSection(commandsFor(job, context.at)));
    if (this.#context.mayOperate()) parts.push(this.#removal(job));
    this.#rest.replaceChildren(...parts.filter((part) => part !== null && part !== undefined));
  }

  // The button that deletes a job that has ended, or cancels one that waits.
  #removal(job) {
    const waits = job.state === 'JOB_STATE_WAITING';
    if (!waits && isActive(job)) return null;
    const button = el('button', {type: 'button', class: 'danger'}, waits ? 'Cancel this job …' : 'Delete this job …');
    button.addEventListener('click', async () => {
      const lines = waits ? ['It is not sent to Pictory, and nothing is billed.', 'It stays in the list, as cancelled.'] : [
        'Its outputs are removed at Pictory, then its files here, then the job. That cannot be taken back.',
        'What Pictory has billed stays billed. Its request_id stays taken.'];
      if (!await confirm(waits ? 'Cancel this job?' : 'Delete this job?', lines, waits ? 'Cancel the job' : 'Delete the job', true)) return;
      try {
        // Who has said yes to a cancel has not to a delete, whatever the job has become meanwhile.
        const {job: after} = await call('DELETE', `${jobPath(job.jobId)}${waits ? '?cancelOnly=true' : ''}`);
        if (waits) {
          this.#context.put(after);
          this.update(after);
        } else {
          this.#context.gone(job.jobId);
          location.hash = '#/';
        }
      } catch (error) {
        if (job.jobId === this.#id) setText(this.#refused, error.message);
      }
    });
    return el('section', {class: 'removal'}, button, this.#refused);
  }
}

// What the list keeps of a job: it is told of many.
function withoutTexts(job) {
  if (job.transcription) return {...job, transcription: {}};
  if (job.summary) return {...job, summary: {summaryText: job.summary.summaryText}};
  return job;
}
