// What the package pictory-jobs makes of statuses that the gateway did not make: a scripted server in this process
// gives them. Prints an object a case, which interop_test.py judges. Run in the example's folder.
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

import {call, connect, readPart, watch} from 'pictory-jobs';

Math.random = () => 0; // the shortest waits
const PATIENCE_MS = 1_500;
const WHOLE = '0123456789';

const definition = protoLoader.loadSync(
  ['pictory/jobs/v1/pictory_jobs.proto', 'error_details.proto'],
  {includeDirs: ['protos', '.'].map((each) => `node_modules/pictory-jobs/${each}`), enums: String, defaults: true});
const write = (type, value) => definition[`google.rpc.${type}`].serialize(value);

const fake = {};

// From now on calls break so often, watches and reads after their first message.
function begin(code, domain, times = Infinity) {
  Object.assign(fake, {code: grpc.status[code], domain, left: times, calls: 0, ids: new Set(), asked: [],
    silent: false});
}

function broken() {
  const metadata = new grpc.Metadata();
  if (fake.domain) {
    const value = write('ErrorInfo', {reason: 'TEST', domain: fake.domain});
    const detail = {typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value};
    metadata.set('grpc-status-details-bin',
      write('Status', {code: fake.code, message: 'broken', details: [detail]}));
  }
  return {code: fake.code, details: 'broken', metadata};
}

function answer(reply, value) {
  fake.calls++;
  if (fake.left-- > 0) reply(broken());
  else reply(null, value);
}

const handlers = {
  render({request}, reply) {
    fake.ids.add(request.requestId);
    answer(reply, {job: {jobId: 'j'}});
  },
  getJob: (_, reply) => answer(reply, {job: {jobId: 'j'}}),
  watchJob(stream) {
    fake.asked.push(stream.request.afterRevision);
    fake.calls++;
    if (fake.silent || fake.calls % 2 === 0) {
      stream.emit('error', broken());
      return;
    }
    const revision = stream.request.afterRevision + 1;
    const final = revision === 3;
    stream.write({job: {jobId: 'j', revision, state: final ? 'JOB_STATE_SUCCEEDED' : 'JOB_STATE_RUNNING'}});
    if (final) stream.end();
    else stream.emit('error', broken());
  },
  readJobResult(stream) {
    const {offset} = stream.request;
    fake.asked.push(offset);
    for (let at = offset; at < WHOLE.length; at += 4) {
      if (at > offset && fake.left-- > 0) {
        stream.emit('error', broken());
        return;
      }
      stream.write({data: Buffer.from(WHOLE.slice(at, at + 4)), offset: at, totalBytes: WHOLE.length});
    }
    stream.end();
  },
};

async function outcome(act) {
  try {
    return await act();
  } catch (error) {
    return grpc.status[error.code];
  }
}

async function revisions(client, options) {
  const seen = [];
  for await (const job of watch(client, 'j', options)) seen.push(job.revision);
  return seen;
}

async function main() {
  const server = new grpc.Server();
  server.addService(definition['pictory.jobs.v1.PictoryJobs'], handlers);
  const port = await new Promise((resolve, reject) => server.bindAsync('127.0.0.1:0',
    grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))));
  const client = connect(`127.0.0.1:${port}`);
  const folder = await mkdtemp(join(tmpdir(), 'pictory-'));
  const cases = ['UNAVAILABLE', 'INTERNAL', 'UNKNOWN', 'CANCELLED', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED',
    'UNAUTHENTICATED', 'UNIMPLEMENTED'].map((code) => [code, null]);
  cases.push(['INTERNAL', 'mesh.example.com'], ['INTERNAL', 'pictory-gateway'], ['UNKNOWN', 'pictory-gateway']);
  // All at once would disturb each other: there is one script.
  for (const [code, domain] of cases) {
    const seen = {code, domain};
    begin(code, domain);
    seen.watch = await outcome(() => revisions(client));
    begin(code, domain, 2);
    seen.submit = await outcome(async () => (await call(client, 'render', {requestId: 'r'})).job.jobId);
    seen.submits = fake.calls;
    seen.ids = [...fake.ids];
    begin(code, domain, 2);
    const path = join(folder, 'part');
    seen.part = await outcome(async () => {
      await readPart(client, 'j', 'RESULT_PART_TXT', path);
      return readFile(path, 'utf8');
    });
    seen.offsets = fake.asked;
    begin(code, domain);
    seen.get = await outcome(() => call(client, 'getJob', {jobId: 'j'}));
    seen.gets = fake.calls;
    console.log(JSON.stringify(seen));
  }
  begin('INTERNAL', null);
  try {
    await call(client, 'render', {});
  } catch (error) {
    console.log(JSON.stringify({refused: error.message, submits: fake.calls}));
  }
  begin('INTERNAL', null);
  fake.silent = true;
  const end = await outcome(() => revisions(client, {patienceMs: PATIENCE_MS}));
  console.log(JSON.stringify({end, again: fake.calls > 1}));
  await rm(folder, {recursive: true});
  client.close();
  server.forceShutdown();
}

await main();
