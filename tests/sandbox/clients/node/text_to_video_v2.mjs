// From a v2 storyboard straight to a video, with a token of the older kind.

import { env, getToken, post, waitForStatus } from './pictory.mjs';

const bulletin = (type) => ({ name: 'bulletin', type, speed: 'medium' });
const storyboard = {
  videoName: env.VIDEO_NAME ?? 'News of the day',
  videoDescription: 'One headline',
  language: 'en',
  scenes: [{
    story: 'The first snow of the year has fallen on the hills',
    background: {
      visualUrl: 'https://images.example.com/hills.png',
      type: 'image',
      settings: { zoomAndPan: false },
    },
    subtitleStyle: {
      animations: [bulletin('entry'), bulletin('exit')],
      showBullet: true,
      showBoxBackground: true,
      bulletSize: 20,
      bulletFillColor: 'rgba(20, 90, 160, 1)',
    },
  }],
};

const token = await getToken();
const id = (await post(token, 'v2/video/storyboard/render', storyboard)).data.jobId;
console.log(JSON.stringify(await waitForStatus(token, id, 10)));
