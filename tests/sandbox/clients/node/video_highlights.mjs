// The minute of an uploaded recording that matters, cut out of it: one scene a speaker's turn, its background
// the pieces of the recording with the words that were chosen.

import {
  download, env, getToken, post, renderBody, upload, waitForStatus,
} from './pictory.mjs';

const webhook = env.WEBHOOK_URL;

const token = await getToken();
const fileUrl = await upload(token);
const transcription = (await post(token, 'v2/transcription', {
  fileUrl, mediaType: 'video', language: 'en-US', webhook,
})).data.jobId;
const { transcript } = await waitForStatus(token, transcription, 20);

const highlights = (await post(token, 'v2/transcription/highlights', {
  transcript, highlight_duration: 60, webhook,
})).data.jobId;
const chosen = (await waitForStatus(token, highlights, 60)).transcript;

const scenes = chosen
  .map(({ words }) => words.filter((word) => word.highlight))
  .filter((words) => words.length > 0)
  .map((words) => ({
    text: words.map(({ word }) => word).join(' '),
    backgroundUri: fileUrl,
    backgroundType: 'video',
    backgroundVideoSegments: words.map((w) => ({ start: w.start_time, end: w.end_time })),
    voiceOver: false,
    splitTextOnNewLine: false,
    splitTextOnPeriod: false,
    subtitle: true,
  }));
const preview = (await post(token, 'v1/video/storyboard', {
  videoName: env.VIDEO_NAME ?? 'highlights', scenes,
})).jobId;
const { renderParams } = await waitForStatus(token, preview, 20);
const render = (await post(token, 'v1/video/render', renderBody(renderParams))).data.job_id;
const { shareVideoURL } = await waitForStatus(token, render, 60);
await download(shareVideoURL, 'highlights.mp4');
