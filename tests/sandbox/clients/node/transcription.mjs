// The text of a recording.

import { env, getToken, post, waitForWord } from './pictory.mjs';

const token = await getToken();
const id = (await post(token, 'v2/transcription', {
  fileUrl: env.FILE_URL,
  mediaType: 'video',
  language: 'en-US',
  webhook: env.WEBHOOK_URL,
})).data.jobId;
console.log((await waitForWord(token, id)).txt);
