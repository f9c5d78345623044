// Commands as people see them, each with a button that copies it.

import {TOOLS} from './commands.js';
import {announce, el, setText} from './dom.js';

let tool = TOOLS[0];  // the one that the person has chosen

// Commands to copy, of the tool that was chosen.
export function commandList(commands) {
  const list = el('dl', {class: 'commands'});
  const show = () => list.replaceChildren(...commands.flatMap((command) => {
    const code = el('code', {tabindex: '0', role: 'group', 'aria-label': `${command.what}: command`}, command[tool]);
    const copy = el('button', {type: 'button', 'aria-label': `Copy: ${command.what}`}, 'Copy');
    copy.addEventListener('click', () => copyText(command[tool], copy));
    return [el('dt', {}, command.what), el('dd', {}, code, copy)];
  }));
  list.addEventListener('toolchange', show);
  show();
  return list;
}

async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // the page is not from a secure place, or the person has refused
    const area = el('textarea', {class: 'off-screen', 'aria-hidden': 'true'});
    area.value = text;
    button.after(area);
    area.select();
    document.execCommand('copy');
    area.remove();
    button.focus();
  }
  setText(button, 'Copied');
  announce('The command is copied');
  setTimeout(() => setText(button, 'Copy'), 2000);
}

export function commandSection(commands) {
  const radios = TOOLS.map((name) => el('label', {},
    el('input', {type: 'radio', name: 'tool', value: name, checked: name === tool, onchange: () => {
      tool = name;
      for (const list of document.querySelectorAll('.commands')) list.dispatchEvent(new Event('toolchange'));
    }}), el('span', {}, name)));
  return el('section', {class: 'command-section'}, el('h3', {}, 'From a shell'),
    el('fieldset', {class: 'tools'}, el('legend', {class: 'off-screen'}, 'Tool'), radios),
    commandList(commands),
    el('p', {class: 'note'}, 'PICTORY_GATEWAY is where the gateway takes gRPC, and PICTORY_GATEWAY_KEY a key of yours.'));
}
