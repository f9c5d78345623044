// The decision about an unconfirmed job: its candidates at Pictory, what each choice costs, and a
// confirmation that says again what will happen.

import {call, jobPath} from './api.js';
import {commandList} from './command_view.js';
import {resolveCommand} from './commands.js';
import {confirm} from './dialogs.js';
import {el} from './dom.js';
import {KINDS} from './words.js';

// `context`: {at, done(job)}; done is called with the job as it is after the decision.
export function resolvePanel(job, context) {
  const found = el('div', {'aria-live': 'polite'});
  const look = el('button', {type: 'button', class: 'primary'}, 'Look for it at Pictory');
  look.addEventListener('click', () => lookFor(job, context, look, found));
  return el('section', {class: 'decision'}, el('h3', {}, 'This job needs a decision'),
    el('p', {}, 'It was sent, and no complete answer came back. Pictory may be working on it, and may bill it. It is '
      + 'never sent again. Pictory’s own webhook call may still say what it is; else a person does.'),
    el('p', {}, el('strong', {}, 'Do not submit it again: '), 'if Pictory has it, that pays a second time.'),
    el('div', {class: 'buttons'}, look), found);
}

async function lookFor(job, context, look, found) {
  look.disabled = true;
  found.replaceChildren(el('p', {class: 'note'}, 'Asking Pictory …'));
  try {
    const answer = await call('POST', `${jobPath(job.jobId)}:resolve`, {});
    if (answer.job.state !== 'JOB_STATE_UNCONFIRMED') return context.done(answer.job);
    found.replaceChildren(choices(job, answer.candidates, context, found));
  } catch (error) {
    found.replaceChildren(el('p', {class: 'notice', 'data-tone': 'failed'}, error.message));
  }
  look.disabled = false;
}

// Pictory's id of the job that a choice adopts; '' if it gives the job up.
function adoptedBy(choice) {
  return choice.startsWith('adopt:') ? choice.slice('adopt:'.length) : '';
}

function choices(job, candidates, context, found) {
  const name = 'decision';
  const decide = el('button', {type: 'submit', class: 'primary', disabled: true}, 'Decide …');
  const command = el('div', {'aria-live': 'polite'});
  const choose = (value) => {
    decide.disabled = false;
    command.replaceChildren(commandList([resolveCommand(job, context.at, adoptedBy(value))]));
  };
  const option = (value, words, cost) => el('label', {class: 'choice'},
    el('input', {type: 'radio', name, value, onchange: () => choose(value)}),
    el('span', {}, words, el('span', {class: 'note'}, cost)));
  const options = candidates.map((one) => option(`adopt:${one.pictoryJobId}`,
    ['It is ', el('code', {}, one.pictoryJobId),
      ` (${KINDS[one.kind] ?? 'kind not told'}, ${one.status || 'state not told'})`],
    'Costs nothing more: Pictory has that job already, and bills it whatever is decided here.'));
  options.push(option('abandon', [candidates.length > 0 ? 'It is none of these: give it up' : 'Give it up'],
    'Costs nothing by itself. If Pictory has made the job all the same, it is billed and its result is lost here.'));
  const form = el('form', {class: 'choices'},
    el('fieldset', {}, el('legend', {}, candidates.length > 0
      ? 'Jobs at Pictory that no job here owns, and that are younger than this submit:'
      : 'Pictory shows no job that could be this one. It may still appear.'), options),
    el('div', {class: 'buttons'}, decide), command);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const chosen = new FormData(form).get(name);
    if (chosen !== null) decideOn(job, String(chosen), context, found);
  });
  return form;
}

async function decideOn(job, chosen, context, found) {
  const adopt = adoptedBy(chosen);
  const lines = adopt !== '' ? [
    `The gateway asks Pictory about ${adopt}, and if Pictory knows it, this job goes on as that one.`,
    'Nothing is submitted, so nothing is billed by this. What Pictory bills for that job it bills anyhow.',
    'If it is the wrong one, this job shows the other one’s result, and that cannot be taken back.',
  ] : [
    'This job becomes OUTCOME_UNKNOWN, for good. Nothing is sent to Pictory, and nothing is stopped there.',
    'If Pictory has made it, Pictory bills it, and its result does not come here.',
    'Its request_id stays taken. To ask for the same again, submit it under another one; that is paid for anew.',
  ];
  const yes = adopt !== '' ? `Adopt ${adopt}` : 'Give the job up';
  if (!await confirm(adopt !== '' ? 'Is it this job?' : 'Give this job up?', lines, yes, adopt === '')) return;
  try {
    const body = adopt !== '' ? {adoptPictoryJobId: adopt} : {abandon: true};
    context.done((await call('POST', `${jobPath(job.jobId)}:resolve`, body)).job);
  } catch (error) {
    found.append(el('p', {class: 'notice', 'data-tone': 'failed', role: 'alert'}, error.message));
  }
}
