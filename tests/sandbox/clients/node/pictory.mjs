// What the programs here share: settings, one way to call, one way to wait.

import { readFile, writeFile } from 'node:fs/promises';

export const env = process.env;
const base = (env.PICTORY_BASE_URL ?? 'https://api.pictory.ai/pictoryapis').replace(/\/+$/, '');
const pauseScale = Number(env.PAUSE_SCALE ?? 1);

export const pause = (seconds) =>
  new Promise((resume) => setTimeout(resume, seconds * pauseScale * 1000));

// The parsed reply. Throws on any status but 2xx.
async function call(method, path, headers, body) {
  const reply = await fetch(`${base}/${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(`${method} ${path}: HTTP ${reply.status} ${await reply.text()}`);
  return reply.json();
}

export async function getToken() {
  const pair = { client_id: env.CLIENT_ID, client_secret: env.CLIENT_SECRET };
  return (await call('POST', 'v1/oauth2/token', {}, pair)).access_token;
}

// A file to be transcribed, uploaded under one media type and announced under another or the same;
// its address afterwards. The signed URL is another host's, and no credentials go there.
export async function upload(token, announced = 'video/mp4') {
  const { signedUrl, url } = (await post(token, 'v1/media/generateUrl', {
    contentType: announced, fileName: 'recording.mp4',
  })).data;
  const reply = await fetch(signedUrl, {
    method: 'PUT',
    headers: { 'Content-Type': 'video/mp4' },
    body: await readFile(env.MEDIA_PATH),
  });
  if (!reply.ok) throw new Error(`upload: HTTP ${reply.status} ${await reply.text()}`);
  return url;
}

// The bytes of a template's file; what Pictory has made of them.
export async function createTemplate(token, file) {
  const reply = await fetch(`${base}/v1/templates`, {
    method: 'POST',
    headers: { ...identity(token), 'Content-Type': 'application/octet-stream' },
    body: await readFile(file),
  });
  if (!reply.ok) throw new Error(`template: HTTP ${reply.status} ${await reply.text()}`);
  return reply.json();
}

const identity = (token) => ({ Authorization: token, 'X-Pictory-User-Id': env.USER_ID ?? '' });
export const post = (token, path, body) => call('POST', path, identity(token), body);
export const put = (token, path, body) => call('PUT', path, identity(token), body);
export const get = (token, path) => call('GET', path, identity(token));
export const getJob = (token, id) => call('GET', `v1/jobs/${id}`, identity(token));

// Asks until the status says something else than in-progress, or says nothing.
export async function waitForStatus(token, id, seconds) {
  for (;;) {
    const { data } = await getJob(token, id);
    await pause(seconds);
    if (data.status !== 'in-progress') return data;
    console.log(`job ${id} is in progress`);
  }
}

// Asks, as fast as it can, until the word is nowhere in the reply.
export async function waitForWord(token, id) {
  for (;;) {
    const { data } = await getJob(token, id);
    if (!JSON.stringify(data).includes('in-progress')) return data;
  }
}

// The content of renderParams, unwrapped, as v1 wants it.
export const renderBody = ({ audio, output, scenes }) => ({
  audio,
  output,
  scenes,
  next_generation_video: true,
  containsTextToImage: true,
});

export async function download(url, fallback) {
  const reply = await fetch(url);
  if (!reply.ok) throw new Error(`download: HTTP ${reply.status}`);
  const file = env.OUTPUT ?? fallback;
  await writeFile(file, Buffer.from(await reply.arrayBuffer()));
  console.log(`saved ${file}`);
}

// What every v1 storyboard of ours is made with.
export const audio = {
  autoBackgroundMusic: 'true', // a string, as it is usually sent
  backGroundMusicVolume: 0.5,
  aiVoiceOver: { speaker: 'Jackson', speed: 100, amplifyLevel: 0 },
};
