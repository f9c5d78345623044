// A transcription to be edited in a browser: waits for the link, never looks at a status, and takes
// a fresh token for every call.

import { env, getJob, getToken, pause, post } from './pictory.mjs';

const kTries = 27;

const id = (await post(await getToken(), 'v2/transcription', {
  fileUrl: env.FILE_URL, mediaType: 'video', language: 'en-US',
})).data.jobId;
for (let tries = 0; tries < kTries; ++tries) {
  await pause(10);
  const { editVideoUrl } = (await getJob(await getToken(), id)).data;
  if (editVideoUrl) {
    console.log(editVideoUrl);
    process.exit(0);
  }
}
console.error('timed out');
process.exit(1);
