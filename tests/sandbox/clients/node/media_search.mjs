// A film with backgrounds that were searched for; rendered twice, by the whole of its renderParams and
// by its id.

import { audio, env, get, getToken, post, put, waitForStatus } from './pictory.mjs';

const texts = [
  'A harbour wakes before its town does.',
  'The boats that left at night come home with the light.',
  'By noon the nets hang in the wind.',
];

const token = await getToken();
const found = (await get(token, `v1/media/search?${new URLSearchParams({ keyword: 'harbour at dawn' })}`))
  .data.searchResults;
if (found.length === 0) throw new Error('nothing was found');
const preview = (await post(token, 'v1/video/storyboard', {
  videoName: env.VIDEO_NAME ?? 'harbour',
  videoDescription: 'Found backgrounds',
  audio: { ...audio, autoBackgroundMusic: true },
  scenes: texts.map((text, i) => ({
    text,
    voiceOver: true,
    splitTextOnNewLine: false,
    splitTextOnPeriod: false,
    backgroundUri: found[i % found.length].preview.url,
    backgroundType: 'video',
    loopBackgroundVideo: true,
    muteBackgroundVideo: true,
  })),
})).jobId;
const { renderParams, preview: page } = await waitForStatus(token, preview, 10);
console.log(page);
const first = (await post(token, 'v1/video/render', renderParams)).data.job_id;
await waitForStatus(token, first, 60);
const second = (await put(token, `v1/video/render/${preview}`, {})).data.job_id;
console.log(JSON.stringify(await waitForStatus(token, second, 60)));
