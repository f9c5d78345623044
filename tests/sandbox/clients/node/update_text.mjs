// Makes a storyboard, changes its texts by way of the renderParams, and renders the first one with
// the texts and times of the second.

import { audio, env, getToken, post, waitForStatus } from './pictory.mjs';

const storyboard = {
  videoName: env.VIDEO_NAME ?? 'Changed',
  videoDescription: 'A text that changes',
  audio,
  scenes: [{
    text: 'Rivers find the shortest way. Nobody tells them how. They only follow the slope.',
    voiceOver: true,
    splitTextOnNewLine: false,
    splitTextOnPeriod: true,
    backgroundVisualFilter: { category: 'Nature' },
  }],
};
const linesOf = (scene) => scene.sub_scenes.flatMap((part) => part.text_lines.map((l) => l.text));

async function preview(body) {
  const id = (await post(token, 'v1/video/storyboard', body)).jobId;
  return (await waitForStatus(token, id, 10)).renderParams;
}

const token = await getToken();
const first = await preview(storyboard);
const second = await preview({
  ...storyboard,
  scenes: first.scenes.map((scene) => {
    const [source] = scene.background.src;
    return {
      ...storyboard.scenes[0],
      text: `${linesOf(scene).join(' ')} So it goes on.`,
      splitTextOnPeriod: false,
      backgroundUri: source.url,
      backgroundType: source.type,
      loopBackgroundVideo: source.loop_video,
      muteBackgroundVideo: source.mute,
    };
  }),
});

first.audio.tts = second.audio.tts;
first.scenes.forEach((scene, i) => {
  const { sub_scenes, time, subtitles } = second.scenes[i];
  Object.assign(scene, { sub_scenes, time, subtitles });
});
const render = (await post(token, 'v1/video/render', first)).data.job_id;
console.log(JSON.stringify(await waitForStatus(token, render, 10)));
