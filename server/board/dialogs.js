// Dialogs: one that asks before something is done, and the frame that all have.

import {el} from './dom.js';

// Shows content in a dialog until it is closed; `close(value)` ends it, and Escape closes it with
// null. Returns what it was closed with.
export function openDialog(title, fill) {
  return new Promise((resolve) => {
    const heading = el('h2', {id: 'dialog-title'}, title);
    const dialog = el('dialog', {'aria-labelledby': 'dialog-title'});
    let value = null;
    const close = (given = null) => {
      value = given;
      dialog.close();
    };
    dialog.append(el('div', {class: 'dialog-head'}, heading,
      el('button', {type: 'button', class: 'quiet', 'aria-label': 'Close', onclick: () => close()}, '✕')));
    dialog.append(...fill(close));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(value);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

// Says what will happen and asks for a yes. `lines` are sentences; `yes` is what the button does.
export function confirm(title, lines, yes, dangerous) {
  return openDialog(title, (close) => [
    el('ul', {class: 'consequences'}, lines.map((line) => el('li', {}, line))),
    el('div', {class: 'buttons'},
      el('button', {type: 'button', autofocus: true, onclick: () => close()}, 'Do nothing'),
      el('button', {type: 'button', class: dangerous ? 'danger' : 'primary', onclick: () => close(true)}, yes)),
  ]).then((value) => value === true);
}
