// From text to an mp4, by the calls of the first generation.

import { audio, download, env, getToken, post, renderBody, waitForStatus } from './pictory.mjs';

const texts = [
  'A lighthouse does not move, and still it shows ships the way. That is its whole art.',
  'Keepers climbed the stairs every night. Today a lamp looks after itself.',
];
const storyboard = {
  videoName: env.VIDEO_NAME ?? 'Lighthouse',
  videoDescription: 'What a lighthouse does',
  language: 'en',
  audio,
  scenes: texts.map((text) => ({
    text,
    fontFamily: 'Roboto',
    textColor: '#FFFFFF',
    fontSize: 32,
    textBackgroundColor: '#000000',
    voiceOver: true,
    splitTextOnNewLine: false,
    splitTextOnPeriod: true,
  })),
};

const token = await getToken();
const preview = (await post(token, 'v1/video/storyboard', storyboard)).jobId;
const { renderParams } = await waitForStatus(token, preview, 20);
const render = (await post(token, 'v1/video/render', renderBody(renderParams))).data.job_id;
const { shareVideoURL } = await waitForStatus(token, render, 60);
await download(shareVideoURL, 'text_to_video.mp4');
