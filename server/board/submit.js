// A form that submits to the sandbox, where nothing is billed. For a real account there is none: a
// click would cost money, and commands say more exactly what for.

import {call, newRequestId, Problem} from './api.js';
import {openDialog} from './dialogs.js';
import {el, setText} from './dom.js';
import {jobHref} from './route.js';

const field = (label, input) => [el('label', {for: input.id}, label), input];

// What can be made: its fields, and the submits that make it. Each submit gets a request_id that is
// the form's with a word behind it.
const FORMS = {
  video: {
    words: 'A video of a text',
    fields: () => [
      ...field('Name', el('input', {id: 'video-name', name: 'videoName', required: true, maxlength: 100, value: 'demo'})),
      ...field('Text', el('textarea', {id: 'video-text', name: 'story', required: true, rows: 4, maxlength: 10000},
        'A gateway takes a story. It hands the story to Pictory once, and only once.')),
    ],
    async submit(values, requestId, labels) {
      const preview = await call('POST', '/v1/previews', {requestId, labels,
        storyboard: {videoName: values.videoName, scenes: [{story: values.story, createSceneOnEndOfSentence: true}]}});
      return call('POST', `/v1/previews/${encodeURIComponent(preview.job.jobId)}:render`,
        {requestId: `${requestId}-render`, labels, waitForPreview: true});
    },
  },
  summary: {
    words: 'The transcript of a film, and a summary of it',
    fields: () => [
      ...field('Link of the film or sound', el('input', {id: 'file-url', name: 'fileUrl', type: 'url', required: true,
        value: 'https://media.example.com/talk.mp4'})),
      ...field('Seconds of the summary', el('input', {id: 'seconds', name: 'seconds', type: 'number', min: 1, max: 3600,
        required: true, value: 20})),
    ],
    async submit(values, requestId, labels) {
      const first = await call('POST', '/v1/transcriptions', {requestId, labels, fileUrl: values.fileUrl});
      return call('POST', `/v1/transcriptions/${encodeURIComponent(first.job.jobId)}:summarize`,
        {requestId: `${requestId}-summary`, labels, waitForTranscription: true,
          highlight_duration: Number(values.seconds)});
    },
  },
  image: {
    words: 'A picture of a prompt',
    fields: () => field('Prompt', el('input', {id: 'prompt', name: 'prompt', required: true, minlength: 5, maxlength: 5000,
      value: 'A lake at sunset'})),
    submit: (values, requestId, labels) => call('POST', '/v1/images', {requestId, labels, prompt: values.prompt}),
  },
};

export function openSubmitForm() {
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
    const show = () => fields.replaceChildren(...FORMS[kind.value].fields());
    kind.addEventListener('change', show);
    show();
    // One name for one filling-in: sent again, after a second click or a lost answer, it is the same
    // job. Another content is another one.
    let requestId = newRequestId();
    let sentAs = null;
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (send.disabled) return;
      const values = Object.fromEntries(new FormData(form));
      const content = JSON.stringify(values);
      if (sentAs !== null && sentAs !== content) requestId = newRequestId();
      sentAs = content;
      send.disabled = true;
      setText(words, 'Submitting …');
      try {
        const {job} = await FORMS[kind.value].submit(values, requestId, {by: 'board'});
        close(job);
        location.hash = jobHref(job.jobId);
      } catch (error) {
        const again = error instanceof Problem && error.status === 0
          ? ' Submit again: if the first one arrived, you get its job.' : '';
        setText(words, error.message + again);
        send.disabled = false;
      }
    });
    return [form];
  });
}
