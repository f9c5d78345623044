// What Pictory tells of the account. It is asked each time, so only when somebody wants to know.

import {call} from './api.js';
import {openDialog} from './dialogs.js';
import {el} from './dom.js';
import {numberText} from './words.js';

const ROWS = [
  ['videoMinutes', 'Minutes of video'],
  ['transcriptionMinutes', 'Minutes transcribed'],
  ['elevenLabsVoiceOverMinutes', 'Minutes of ElevenLabs voices'],
  ['aiCredits', 'AI credits'],
];

export function showAccount() {
  const box = el('div', {'aria-live': 'polite'}, el('p', {class: 'note'}, 'Asking Pictory …'));
  const shown = openDialog('The account at Pictory', () => [box]);
  call('GET', '/v1/account').then((account) => {
    const rows = ROWS.map(([name, words]) => [words, account.quota?.[name]]).filter(([, count]) => count !== undefined);
    box.replaceChildren(el('p', {}, 'Account ', el('code', {}, account.account)),
      el('dl', {class: 'facts'}, rows.map(([words, count]) => el('div', {}, el('dt', {}, words), el('dd', {},
        `${count.used === undefined ? 'not told' : numberText(count.used)} used`
        + `${count.limit === undefined ? '' : ` of ${numberText(count.limit)}`}`)))),
      el('p', {class: 'note'}, `Charged this month: ${numberText(account.creditsCharged)} AI credits; granted: `
        + `${numberText(account.creditsGranted)}.`));
  }, (error) => box.replaceChildren(el('p', {class: 'notice', 'data-tone': 'failed'}, error.message)));
  return shown;
}
