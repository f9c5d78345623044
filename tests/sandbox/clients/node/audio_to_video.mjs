// A film to a recording: it is uploaded as another type than was announced, transcribed, and its
// sentences become the scenes, with itself as their voice. No pause between polls.

import {
  download, env, getToken, post, renderBody, upload, waitForWord,
} from './pictory.mjs';

const token = await getToken();
const recording = await upload(token, 'audio/mp3');
const transcription = (await post(token, 'v2/transcription', {
  fileUrl: recording, mediaType: 'video', language: 'en-US', webhook: env.WEBHOOK_URL,
})).data.jobId;
const { txt } = await waitForWord(token, transcription);

const preview = (await post(token, 'v1/video/storyboard', {
  videoName: env.VIDEO_NAME ?? 'audio_to_video',
  videoDescription: 'A film to a recording',
  language: 'en',
  audio: {
    autoBackgroundMusic: 'true',
    backGroundMusicVolume: 0.5,
    voiceOverUri: recording,
    autoSyncVoiceOver: true,
  },
  scenes: txt.trim().split('.').filter((text) => text.length > 0).map((text) => ({
    text,
    fontFamily: 'Roboto',
    textColor: '#FFFFFF',
    fontSize: 32,
    textBackgroundColor: '#000000',
    voiceOver: true,
    splitTextOnNewLine: false,
    splitTextOnPeriod: true,
  })),
})).jobId;
const { renderParams } = await waitForWord(token, preview);
const render = (await post(token, 'v1/video/render', renderBody(renderParams))).data.job_id;
const { shareVideoURL } = await waitForWord(token, render);
await download(shareVideoURL, 'audio_to_video.mp4');
