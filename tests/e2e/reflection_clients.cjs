// What JavaScript's reflection clients find. `node reflection_clients.cjs ADDRESS` prints a line of JSON for
// each: {client, services: {name: [method]}, state: of a job submitted with the types that it loaded}.
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');
const {GrpcReflection} = require('grpc-js-reflection-client');
const {Client} = require('grpc-reflection-js');
const {FileDescriptorSet} = require('protobufjs/ext/descriptor');

const API = 'pictory.jobs.v1.PictoryJobs';
const [address] = process.argv.slice(2);
const credentials = grpc.credentials.createInsecure();
const options = {keepCase: true, enums: String, longs: String};

// The state of a new job.
async function submit(request_id, packages) {
  const client = new packages.pictory.jobs.v1.PictoryJobs(address, credentials);
  const request = {request_id, storyboard: {video_name: 'demo', scenes: [{story: 'Hello there.'}]}};
  try {
    const {job} = await new Promise((resolve, reject) => {
      client.createPreview(request, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
    return job.state;
  } finally {
    client.close();
  }
}

async function print(client, list, methods, packages) {
  const services = {};
  for (const name of await list()) services[name] = await methods(name);
  console.log(JSON.stringify({client, services, state: await submit(client.replace(' ', '-'), await packages())}));
}

(async () => {
  for (const version of ['v1', 'v1alpha']) {
    const client = new GrpcReflection(address, credentials, {}, version);
    await print(`grpc-js-reflection-client ${version}`, () => client.listServices(),
      async (name) => (await client.listMethods(name)).map((method) => method.name),
      async () => (await client.getDescriptorBySymbol(API)).getPackageObject(options));
  }
  const client = new Client(address, credentials);
  const load = (name) => client.fileContainingSymbol(name);
  await print('grpc-reflection-js', () => client.listServices(),
    async (name) => (await load(name)).lookupService(name).methodsArray.map((method) => method.name),
    async () => {
      const set = FileDescriptorSet.encode((await load(API)).toDescriptor('proto3')).finish();
      return grpc.loadPackageDefinition(protoLoader.loadFileDescriptorSetFromBuffer(set, options));
    });
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
