// From text to a playable video, from speech to its summary, and from a prompt to a picture that moves.
//
//   node story.js                 (--help lists the options)
//   node story.js --watch JOB     go on where another run stopped
//
// Exit status: 0 succeeded, 1 a job failed, 2 usage or a file, 3 no such job, 5 gateway unreachable
// or call refused, 6 outcome unknown (do not resubmit), 130 interrupted (the jobs go on).

import {randomUUID} from 'node:crypto';
import {mkdir, readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {parseArgs} from 'node:util';

import {
  call, connect, download, explain, isGrpcError, isNotFound, readPart, watch,
} from './pictory_jobs.js';

const STORY = 'A gateway takes a story. It hands the story to Pictory once, and only once. ' +
  'It watches the job while the video is made. Then it tells everybody who waits.';

const HELP = `usage: node story.js [options]      (PICTORY_GATEWAY names the server)

  --watch JOB        only watch this job to its end
  --order ID         your own id of this work: run again with the same one, nothing is paid twice
  --name NAME        name of the video
  --text TEXT        the story
  --storyboard FILE  JSON as Pictory documents it, instead of --name and --text
  --media URL        what to transcribe
  --prompt TEXT      make a picture of this too, and a clip that begins with it
  --out FOLDER       folder for the files`;

// A job that did not succeed. That is no error of the call: the job says why.
class Ended extends Error {
  constructor(job, exitCode, text) {
    super(text);
    this.job = job;
    this.exitCode = exitCode;
  }
}

const stateOf = (job) => job.state.replace('JOB_STATE_', '');

// The job, once it has SUCCEEDED.
async function follow(client, jobId) {
  const onReconnect = (error) => console.log(`${jobId}  connection lost (${error.details}); trying again`);
  let job;
  for await (job of watch(client, jobId, {onReconnect})) {
    const percent = job.progressPercent === undefined ? '' : ` ${Math.round(job.progressPercent)} %`;
    console.log(`${jobId}  ${stateOf(job)}${percent}`);
    if (job.state === 'JOB_STATE_UNCONFIRMED') {
      // Submitting it again might pay for it twice. It can be watched on: the watch tells once the
      // job is found at Pictory, or a person has resolved it.
      throw new Ended(job, 6, 'Pictory did not say whether it took this job; it may be working on it, ' +
        `and bill it. Do not submit it again; resolve it with: pictory resolve ${jobId}`);
    }
  }
  if (job.state === 'JOB_STATE_SUCCEEDED') return job;
  if (job.state === 'JOB_STATE_OUTCOME_UNKNOWN') {
    throw new Ended(job, 6, 'what became of this job will never be known; it may have been billed');
  }
  throw new Ended(job, 1, `${job.error?.code}: ${job.error?.message}`);
}

// Submits and follows. The requestId makes the submit safe to repeat, by us or by a later run.
async function submit(client, method, request) {
  const {job} = await call(client, method, request);
  console.log(`${job.jobId}  ${job.kind.replace('JOB_KIND_', '').toLowerCase()} submitted`);
  return follow(client, job.jobId);
}

async function makeVideo(client, {order, name, text, storyboard, out}) {
  const source = storyboard ?
    // Pictory's own JSON, sent as it is; the gateway refuses misspelt keys.
    {storyboardJson: await readFile(storyboard, 'utf8')} :
    // Mind the spelling here: proto-loader drops fields it does not know without a word.
    {storyboard: {
      videoName: name,
      aspectRatio: '16:9',
      scenes: [{story: text, createSceneOnEndOfSentence: true}],
    }};
  const preview = await submit(client, 'createPreview',
    {requestId: `${order}-preview`, labels: {order}, ...source});
  console.log(`preview: ${preview.preview.previewUrl}`);

  const render = await submit(client, 'render',
    {requestId: `${order}-render`, labels: {order}, previewJobId: preview.jobId});
  const file = join(out, 'video.mp4');
  await download(render.render.videoUrl, file);
  console.log(`video: ${file} (${(await stat(file)).size} bytes)`);
}

async function makeSummary(client, {order, media, out}) {
  const transcription = await submit(client, 'transcribe',
    {requestId: `${order}-transcribe`, fileUrl: media});
  const file = join(out, 'talk.srt');
  await readPart(client, transcription.jobId, 'RESULT_PART_SRT', file);
  console.log(`subtitles: ${file} (${(await stat(file)).size} bytes)`);

  const {summary} = await submit(client, 'summarize', {
    requestId: `${order}-summarize`,
    transcriptionJobId: transcription.jobId,
    highlightDurationSeconds: 20,
  });
  console.log(`summary of ${Math.round(summary.summaryDurationSeconds)} s: ${summary.summaryText}`);
}

async function makeVisuals(client, {order, prompt, out}) {
  const {image} = await submit(client, 'generateImage',
    {requestId: `${order}-image`, prompt, aspectRatio: '16:9'});
  let file = join(out, 'picture.jpg');
  await download(image.url, file);
  console.log(`picture: ${file} (${image.width} x ${image.height})`);

  // The clip begins with the picture.
  const {video} = await submit(client, 'generateVideo', {
    requestId: `${order}-clip`,
    prompt,
    aspectRatio: '16:9',
    duration: '5s',
    firstFrameImageUrl: image.url,
  });
  file = join(out, 'clip.mp4');
  await download(video.url, file);
  console.log(`clip: ${file} (${(await stat(file)).size} bytes)`);
}

function readOptions() {
  const string = (value) => ({type: 'string', default: value});
  return parseArgs({options: {
    help: {type: 'boolean'},
    watch: {type: 'string'},
    order: string(randomUUID()),
    name: string('demo'),
    text: string(STORY),
    storyboard: {type: 'string'},
    media: string('https://media.example.com/talk.mp4'),
    prompt: {type: 'string'},
    out: string('out'),
  }}).values;
}

async function main(options) {
  const client = connect();
  try {
    if (options.watch) {
      await follow(client, options.watch);
      return 0;
    }
    await mkdir(options.out, {recursive: true});
    console.log(`order ${options.order}`);
    await makeVideo(client, options);
    await makeSummary(client, options);
    if (options.prompt) await makeVisuals(client, options);
    return 0;
  } catch (error) {
    if (error instanceof Ended) {
      console.error(`job ${error.job.jobId} ${stateOf(error.job)}: ${error.message}`);
      return error.exitCode;
    }
    if (error.syscall) { // a file, a connection
      console.error(error.message);
      return 2;
    }
    if (!isGrpcError(error)) throw error;
    console.error(explain(error));
    return isNotFound(error) ? 3 : 5;
  } finally {
    client.close();
  }
}

process.on('SIGINT', () => {
  console.error('interrupted; the jobs go on, and --watch JOB follows one');
  process.exit(130);
});

let options;
try {
  options = readOptions();
} catch (error) {
  console.error(`${error.message}\n${HELP}`);
  process.exit(2);
}
if (options.help) {
  console.log(HELP);
} else {
  process.exitCode = await main(options);
}
