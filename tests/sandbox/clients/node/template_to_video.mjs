// A template of one's own, uploaded as a file; a film of it with a scene before the first and one
// behind the last, rendered by the preview's id with its renderParams as the body.

import {
  createTemplate, download, env, getToken, post, put, renderBody, waitForStatus,
} from './pictory.mjs';

const scene = (text, place) => ({
  ...place,
  text,
  fontFamily: 'Roboto',
  textColor: '#FFFFFF',
  fontSize: 32,
  textBackgroundColor: '#000000',
  voiceOver: true,
  splitTextOnNewLine: false,
  splitTextOnPeriod: true,
});

const token = await getToken();
const { templateId, scenes } = await createTemplate(token, env.TEMPLATE_PATH);
const preview = (await post(token, 'v1/video/from-template', {
  templateId,
  scenes: [
    scene('Good morning.', { insertBeforeSceneId: scenes[0].sceneId }),
    scene('Until tomorrow.', { insertAfterSceneId: scenes[scenes.length - 1].sceneId }),
  ],
})).data.jobId;
const { renderParams } = await waitForStatus(token, preview, 20);
const render = (await put(token, `v1/video/render/${preview}`, renderBody(renderParams))).data.job_id;
const { shareVideoURL } = await waitForStatus(token, render, 60);
await download(shareVideoURL, 'template_to_video.mp4');
