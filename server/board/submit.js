// A form that submits to the sandbox, where nothing is billed. For a real account there is none: a
// click would cost money, and commands say more exactly what for.

import {call, newRequestId, Problem} from './api.js';
import {commandList} from './command_view.js';
import {submitCommand} from './commands.js';
import {openDialog} from './dialogs.js';
import {el, setText} from './dom.js';
import {jobHref} from './route.js';

const field = (label, input) => [el('label', {for: input.id}, label), input];

const LABELS = {by: 'board'};

// What can be made: its fields, the submit that begins it, as `pictory` says it too, and one of its
// job that follows at once. That one gets the form's request_id with a word behind it.
const FORMS = {
  video: {
    words: 'A video of a text',
    fields: () => [
      ...field('Name', el('input', {id: 'video-name', name: 'videoName', required: true, maxlength: 100, value: 'demo'})),
      ...field('Text', el('textarea', {id: 'video-text', name: 'story', required: true, rows: 4, maxlength: 10000},
        'A gateway takes a story. It hands the story to Pictory once, and only once.')),
    ],
    first: ({videoName, story}) => ({path: '/v1/previews', method: 'CreatePreview',
      words: ['preview', `--name=${videoName}`, `--text=${story}`],
      body: {storyboard: {videoName, scenes: [{story, createSceneOnNewLine: true, createSceneOnEndOfSentence: true}]}}}),
    next: (id) => ({path: `/v1/previews/${id}:render`, word: 'render', body: {waitForPreview: true}}),
  },
  summary: {
    words: 'The transcript of a film, and a summary of it',
    fields: () => [
      ...field('Link of the film or sound', el('input', {id: 'file-url', name: 'fileUrl', type: 'url', required: true,
        value: 'https://media.example.com/talk.mp4'})),
      ...field('Seconds of the summary', el('input', {id: 'seconds', name: 'seconds', type: 'number', min: 1, max: 3600,
        required: true, value: 20})),
    ],
    first: ({fileUrl}) => ({path: '/v1/transcriptions', method: 'Transcribe', words: ['transcribe', fileUrl],
      body: {fileUrl}}),
    next: (id, {seconds}) => ({path: `/v1/transcriptions/${id}:summarize`, word: 'summary',
      body: {waitForTranscription: true, highlight_duration: Number(seconds)}}),
  },
  image: {
    words: 'A picture of a prompt',
    fields: () => field('Prompt', el('input', {id: 'prompt', name: 'prompt', required: true, minlength: 5, maxlength: 5000,
      value: 'A lake at sunset'})),
    first: ({prompt}) => ({path: '/v1/images', method: 'GenerateImage', words: ['image', `--prompt=${prompt}`],
      body: {prompt}}),
  },
};

// Submits what the form says, under that request_id; the job that a person wants to see.
async function submit(form, values, requestId) {
  const first = form.first(values);
  const {job} = await call('POST', first.path, {requestId, labels: LABELS, ...first.body});
  if (form.next === undefined) return job;
  const next = form.next(encodeURIComponent(job.jobId), values);
  return (await call('POST', next.path, {requestId: `${requestId}-${next.word}`, labels: LABELS, ...next.body})).job;
}

// `at`: for the commands (commands.js).
export function openSubmitForm(at) {
  return openDialog('A job for the sandbox', (close) => {
    const kind = el('select', {id: 'what', name: 'what'},
      Object.entries(FORMS).map(([name, form]) => el('option', {value: name}, form.words)));
    const fields = el('div', {class: 'fields'});
    const words = el('p', {class: 'note', role: 'status'});
    const send = el('button', {type: 'submit', class: 'primary'}, 'Submit');
    const form = el('form', {class: 'fields'},
      el('p', {class: 'note'}, 'Nothing is billed. Words such as sandbox-fail, sandbox-slow or sandbox-stuck in a name, '
        + 'link or prompt make the job go wrong on purpose.'),
      ...field('What', kind), fields, words, el('div', {class: 'buttons'}, send));
    const command = el('div', {});
    // One name for one content: sent again, after a second click or a lost answer, or by the command
    // in a shell, it is the same job. Another content is another one.
    const names = new Map();
    let unused = newRequestId();
    const read = () => {
      const values = Object.fromEntries(new FormData(form));
      const content = JSON.stringify(values);
      return {values, content, requestId: names.get(content) ?? unused};
    };
    const drawCommand = () => {
      const {values, requestId} = read();
      command.replaceChildren(commandList([submitCommand(FORMS[kind.value].first(values), requestId, LABELS, at)]));
    };
    const show = () => {
      fields.replaceChildren(...FORMS[kind.value].fields());
      drawCommand();
    };
    kind.addEventListener('change', show);
    form.addEventListener('input', (event) => {
      if (event.target !== kind) drawCommand();
    });
    show();
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (send.disabled) return;
      const {values, content, requestId} = read();
      if (!names.has(content)) {
        names.set(content, requestId);
        unused = newRequestId();
      }
      send.disabled = true;
      setText(words, 'Submitting …');
      try {
        const job = await submit(FORMS[kind.value], values, requestId);
        close(job);
        location.hash = jobHref(job.jobId);
      } catch (error) {
        const again = error instanceof Problem && error.status === 0
          ? ' Submit again: if the first one arrived, you get its job.' : '';
        setText(words, error.message + again);
        send.disabled = false;
      }
    });
    return [form, el('h3', {}, 'From a shell'), command];
  });
}
