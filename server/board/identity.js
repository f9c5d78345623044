// Who calls: what the gateway says of it, and the key that a person types.

import {call, keys} from './api.js';
import {openDialog} from './dialogs.js';
import {el} from './dom.js';

// Asks for a key until the gateway knows who calls, or the person closes the dialog. `why` is the
// gateway's refusal, or ''. True if other keys are in use now.
export function askForKey(why, callersPay) {
  return openDialog('Who are you?', (close) => {
    const key = el('input', {type: 'password', id: 'key', autocomplete: 'off', spellcheck: 'false', value: keys.get()});
    const pictoryKey = el('input', {type: 'password', id: 'pictory-key', autocomplete: 'off', spellcheck: 'false',
      value: keys.getPictory()});
    const form = el('form', {class: 'fields'},
      why === '' ? null : el('p', {class: 'notice', 'data-tone': 'failed', role: 'alert'}, why),
      el('label', {for: 'key'}, 'API key or token of this gateway'), key,
      callersPay ? [el('label', {for: 'pictory-key'}, 'Pictory API key that pays for your jobs'), pictoryKey] : null,
      el('p', {class: 'note'}, 'It is kept for this tab, sent to this gateway only, and forgotten when the tab is closed.'),
      el('div', {class: 'buttons'},
        keys.get() === '' && keys.getPictory() === '' ? null : el('button', {type: 'button', onclick: () => {
          keys.set('', '');
          close(true);
        }}, 'Forget it'),
        el('button', {type: 'submit', class: 'primary'}, 'Use it')));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      keys.set(key.value.trim(), pictoryKey.value.trim());
      close(true);
    });
    return [form];
  }).then((value) => value === true);
}

export function readServerInfo() {
  return call('GET', '/v1/serverInfo');
}

export function showServerInfo(info, filterCommands) {
  const rows = [
    ['You are', info.caller], ['Tenant', info.tenant],
    ['You may', info.roles.length > 0 ? info.roles.join(', ') : 'nothing'],
    ['Account', info.account || 'none'], ['Gateway', info.version],
    ['Jobs are made by', info.sandbox ? 'the sandbox: nothing is billed' : 'Pictory'],
    ['A submit without a request_id', info.requireRequestId ? 'is refused' : 'is taken'],
  ];
  return openDialog('This gateway', (close) => [
    el('dl', {class: 'facts'}, rows.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)))),
    el('p', {class: 'note'}, 'A caller sees the jobs of one tenant, its own.'),
    filterCommands,
    el('div', {class: 'buttons'}, el('button', {type: 'button', onclick: () => close('key')}, 'Use another key …'),
      info.roles.includes('read') ? el('button', {type: 'button', onclick: () => close('account')}, 'Ask Pictory for the account …') : null),
  ]);
}
