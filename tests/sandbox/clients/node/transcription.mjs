// The text of a recording that is uploaded first.

import { env, getToken, post, upload, waitForWord } from './pictory.mjs';

const token = await getToken();
const id = (await post(token, 'v2/transcription', {
  fileUrl: await upload(token),
  mediaType: 'video',
  language: 'en-US',
  webhook: env.WEBHOOK_URL,
})).data.jobId;
console.log((await waitForWord(token, id)).txt);
