// The board: what it shows comes from one watch of the jobs that have not ended, pages of those that
// have, and the usage. Nothing on it is done without a click.

import {showAccount} from './account.js';
import {keys} from './api.js';
import {commandList} from './command_view.js';
import {listCommands} from './commands.js';
import {Detail} from './detail.js';
import {announce, byId, oncePerFrame, setText} from './dom.js';
import {Filters} from './filters.js';
import {askForKey, readServerInfo, showServerInfo} from './identity.js';
import {Jobs} from './jobs.js';
import {List} from './list.js';
import {Pages} from './pages.js';
import {readRoute} from './route.js';
import {openSubmitForm} from './submit.js';
import {Usage} from './usage.js';
import {Watch} from './watch.js';
import {ACTIVE, countText} from './words.js';

const TICK_MS = 10_000;  // so often what the clock changes is written anew

let info = null;  // of the server; null until it has answered
let watch = null;
let pages = null;
let moved = true;  // what is shown is to be made anew
let connection = {name: 'connecting'};
let asking = false;  // for a key
let heard = null;  // when the gateway was last heard

const usage = new Usage(byId('usage'));
const jobs = new Jobs((id, structure) => {
  moved ||= structure || filters.value.text !== '';
  if (id !== '' && id === detail.id && jobs.get(id) !== undefined) detail.update(jobs.get(id));
  if (structure) usage.soon();
  draw();
});
const list = new List(byId('list'), jobs, {nearEnd: () => pages?.more()});
const filters = new Filters(byId('filters'), (asks) => {
  moved = true;
  byId('list').scrollTop = 0;
  if (asks) start();
  draw();
});
// Where commands go, and what proves who calls.
const at = () => ({origin: location.origin, identified: keys.get() !== '', callersPay: info?.callersPay === true});
const detail = new Detail(byId('detail'), {
  at,
  mayOperate: () => info?.roles.includes('operate') === true,
  put: (job) => jobs.put(job),
  gone: (id) => jobs.remove(id),
});
const draw = oncePerFrame(() => {
  if (moved) {
    moved = false;
    list.show(jobs.shown(filters.value));
    for (const state of ACTIVE) filters.count(state, jobs.complete ? jobs.count(state) : null);
  } else {
    list.draw();
  }
  drawWords();
});

// Begins anew: with another filter, or another caller.
function start() {
  watch?.stop();
  pages?.stop();
  jobs.clear();
  const filter = filters.value;
  pages = new Pages(filter, jobs, () => draw());
  watch = new Watch(filter, {
    message: (message) => {
      heard = Date.now();
      const again = message.listCompleted !== undefined && jobs.complete;
      jobs.tell(message);
      if (again) {  // jobs may have ended meanwhile that nobody told of
        pages.stop();
        pages = new Pages(filter, jobs, () => draw());
      }
    },
    state: (name, problem, waitMs) => setConnection({name, problem, until: Date.now() + (waitMs ?? 0)}),
  });
  usage.ask();
}

function setConnection(next) {
  const before = connection;
  connection = next;
  if (next.name === 'live' && info === null) learn();
  if (next.name === 'refused' && next.problem.status === 401) askWho(next.problem.message);
  if (next.name === 'live' && before.name !== 'live') announce('The board is live');
  drawConnection();
}

// In words, what the connection to the gateway is like.
function drawConnection() {
  const {name, problem, until} = connection;
  const seconds = Math.max(1, Math.ceil(((until ?? 0) - Date.now()) / 1000));
  const since = heard === null ? '' : ` What is shown is from ${new Date(heard).toLocaleTimeString('en-GB')}.`;
  const short = {connecting: heard === null ? 'Connecting' : 'Reconnecting', live: 'Live', refused: 'Refused',
    waiting: navigator.onLine ? 'Reconnecting' : 'Offline'}[name];
  const words = {
    connecting: '', live: '',
    waiting: `${sentence(navigator.onLine ? problem?.message ?? 'The stream ended' : 'This machine is offline')} `
      + `The board tries again in ${seconds} s.${since}`,
    refused: `The gateway refuses the board: ${problem?.message ?? ''}`,
  }[name];
  byId('connection').dataset.state = name;
  setText(byId('connection-words'), short);
  if (name !== 'connecting' || heard === null) {
    setText(byId('trouble-words'), words);
    byId('trouble').hidden = words === '';
    byId('other-key').hidden = name !== 'refused';
  }
}

function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

// Says what there is where rows are not.
function drawWords() {
  const state = pages?.state ?? 'more';
  let words = '';
  if (connection.name === 'refused') words = 'The gateway shows no jobs to this caller.';
  else if (!jobs.complete && list.length === 0) words = heard === null && connection.name === 'waiting' ? 'There is nothing to show yet.' : 'Loading jobs …';
  else if (state === 'reading') words = list.length === 0 ? 'Loading jobs …' : 'Loading older jobs …';
  else if (state === 'failed') words = 'Older jobs could not be read.';
  else if (state === 'enough') words = 'Older jobs are left out here. A filter finds them.';
  else if (list.length === 0) words = filters.isSet ? 'No job fits these filters.' : 'There are no jobs yet. What is submitted shows up here by itself.';
  setText(byId('list-words'), words);
  byId('list-words').hidden = words === '';
  byId('read-again').hidden = state !== 'failed';
  setText(byId('shown'), list.length === 0 ? '' : countText(list.length, 'job shown', 'jobs shown'));
}

async function learn() {
  try {
    info = await readServerInfo();
  } catch {
    return;  // the watch says what is wrong
  }
  byId('new-job').hidden = !(info.sandbox && info.roles.includes('submit'));
  byId('sandbox').hidden = !info.sandbox;
  setText(byId('who'), info.tenant === 'default' && info.caller === 'anybody' ? 'This gateway' : `${info.tenant}: ${info.caller}`);
  byId('who').hidden = false;
  const obstacle = info.pictoryObstacle ?? info.storeObstacle;
  byId('obstacle').hidden = obstacle === undefined;
  setText(byId('obstacle'), obstacle?.message ?? '');
  if (detail.id !== '') show();
}

async function askWho(why) {
  if (asking) return;
  asking = true;
  const others = await askForKey(why, info?.callersPay === true);
  asking = false;
  if (!others) return;
  info = null;
  heard = null;
  start();
}

// Shows what the address names.
function show() {
  const route = readRoute();
  document.body.toggleAttribute('data-job', route.job !== '');
  list.choose(route.job);
  detail.open(route.job, jobs.get(route.job)).then(() => {
    if (route.seconds !== null) detail.seek(route.seconds);
  });
}

window.addEventListener('hashchange', () => {
  const route = readRoute();
  if (route.job !== '' && route.job === detail.id) {
    if (route.seconds !== null) detail.seek(route.seconds);
    return;
  }
  const back = route.job === '' && detail.id !== '';
  show();
  if (back) list.focus();
  else byId('detail').querySelector('h2')?.focus({preventScroll: true});
});
window.addEventListener('online', () => watch?.hurry());
window.addEventListener('offline', drawConnection);
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') watch?.hurry();
});
document.addEventListener('keydown', (event) => {
  const typing = event.target.closest('input, textarea, select, dialog');
  if (event.key === '/' && !typing) {
    event.preventDefault();
    byId('search').focus();
  } else if (event.key === 'Escape' && !typing && detail.id !== '') {
    location.hash = '#/';
  }
});
byId('new-job').addEventListener('click', () => openSubmitForm(at()));
byId('try-now').addEventListener('click', () => watch?.hurry());
byId('other-key').addEventListener('click', () => askWho(''));
byId('read-again').addEventListener('click', () => pages?.more());
byId('who').addEventListener('click', async () => {
  const next = await showServerInfo(info, commandList(listCommands(filters.value, at())));
  if (next === 'key') askWho('');
  if (next === 'account') showAccount();
});
setInterval(() => {
  if (connection.name === 'waiting') drawConnection();
}, 1000);
setInterval(() => {
  if (document.visibilityState !== 'visible') return;
  list.tick();
  detail.tick();
}, TICK_MS);

start();
show();
