// What is used of the tenant's limits, as GetUsage tells it, and on demand what Pictory tells of the
// account.

import {call} from './api.js';
import {el} from './dom.js';
import {numberText} from './words.js';

const EVERY_MS = 30_000;
const SOON_MS = 1_500;

export class Usage {
  #box;
  #timer = 0;
  #values = new Map();

  constructor(box) {
    this.#box = box;
    document.addEventListener('visibilitychange', () => this.soon());
  }

  // Asks again shortly: something has happened that may have changed it.
  soon() {
    clearTimeout(this.#timer);
    if (document.visibilityState === 'visible') this.#timer = setTimeout(() => this.ask(), SOON_MS);
  }

  async ask() {
    clearTimeout(this.#timer);
    try {
      this.#show(await call('GET', '/v1/usage'));
    } catch {
      // What was shown stays; the line above the list says what is wrong with the gateway.
    }
    this.#timer = setTimeout(() => this.soon(), EVERY_MS);
  }

  #show(usage) {
    const rows = [
      ['Submits, 24 h', numberText(usage.submitsToday.used), limitText(usage.submitsToday)],
      ['AI credits, 24 h', numberText(usage.creditsToday.used), [limitText(usage.creditsToday),
        usage.creditsReserved > 0 ? `${numberText(usage.creditsReserved)} reserved` : ''].filter(Boolean).join(', ')],
      ['Active jobs', numberText(usage.activeJobs.used), limitText(usage.activeJobs)],
      ['Duplicates prevented, 24 h', numberText(usage.repeatedToday), 'paid once'],
    ];
    if (this.#values.size === 0) {
      for (const [name] of rows) {
        const [value, note] = [el('dd', {class: 'figure'}), el('dd', {class: 'note'})];
        this.#values.set(name, [value, note]);
        this.#box.append(el('div', {}, el('dt', {}, name), value, note));
      }
    }
    for (const [name, value, note] of rows) {
      const [valueNode, noteNode] = this.#values.get(name);
      valueNode.textContent = value;
      noteNode.textContent = note;
    }
    this.#box.hidden = false;
    document.getElementById('stopped').hidden = !usage.submitsStopped;
  }
}

function limitText(count) {
  return count.limit > 0 ? `of ${numberText(count.limit)}` : '';
}
