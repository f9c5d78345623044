// What the list is to show: a state or several, a kind, labels, and a text among what is shown.

import {el} from './dom.js';
import {ACTIVE, ENDED, KINDS, numberText, STATES} from './words.js';

const OVER = ENDED.filter((state) => !['JOB_STATE_SUCCEEDED', 'JOB_STATE_FAILED'].includes(state));

const CHOICES = [
  {words: 'All', states: []},
  ...ACTIVE.map((state) => ({words: STATES[state].word, states: [state], tone: STATES[state].tone})),
  {words: 'Succeeded', states: ['JOB_STATE_SUCCEEDED'], tone: 'succeeded'},
  {words: 'Failed', states: ['JOB_STATE_FAILED'], tone: 'failed'},
  {words: 'Over', states: OVER, tone: 'over'},
];

export class Filters {
  value = {states: [], kind: '', labels: {}, text: ''};
  #changed;
  #counts = new Map();

  // `changed(what)` is told whether the gateway is to be asked anew, or only what is shown is less.
  constructor(box, changed) {
    this.#changed = changed;
    box.append(this.#states(), this.#search(), this.#kinds(), this.#labels());
  }

  get isSet() {
    return this.value.states.length > 0 || this.value.kind !== '' || this.value.text !== ''
      || Object.keys(this.value.labels).length > 0;
  }

  // How many jobs that have not ended are in each state; null: that is not known yet.
  count(state, number) {
    const node = this.#counts.get(state);
    const text = number === null ? '' : numberText(number);
    if (node.textContent !== text) {
      node.textContent = text;
      node.parentElement.toggleAttribute('data-some', number > 0);
    }
  }

  #set(change, asks) {
    this.value = {...this.value, ...change};
    this.#changed(asks);
  }

  #states() {
    return el('fieldset', {class: 'states'}, el('legend', {class: 'off-screen'}, 'State'),
      CHOICES.map(({words, states, tone}, i) => {
        const count = el('span', {class: 'count'});
        if (states.length === 1 && ACTIVE.includes(states[0])) this.#counts.set(states[0], count);
        return el('label', {'data-tone': tone},
          el('input', {type: 'radio', name: 'state', value: i, checked: i === 0,
            onchange: () => this.#set({states}, true)}),
          el('span', {class: 'chip'}, words, ' ', count));
      }));
  }

  #search() {
    const input = el('input', {type: 'search', id: 'search', placeholder: 'Search', 'aria-label': 'Search what is shown',
      autocomplete: 'off', spellcheck: 'false'});
    input.addEventListener('input', () => this.#set({text: input.value.trim().toLowerCase()}, false));
    return input;
  }

  #kinds() {
    const select = el('select', {id: 'kind', 'aria-label': 'Kind'}, el('option', {value: ''}, 'All kinds'),
      Object.entries(KINDS).map(([kind, words]) => el('option', {value: kind}, words)));
    select.addEventListener('change', () => this.#set({kind: select.value}, true));
    return select;
  }

  #labels() {
    const input = el('input', {id: 'label', placeholder: 'label=value', 'aria-label': 'Labels, as label=value, several with blanks between',
      autocomplete: 'off', spellcheck: 'false'});
    input.addEventListener('change', () => {
      const pairs = input.value.split(/\s+/).filter((word) => word.includes('=')).map((word) => {
        const at = word.indexOf('=');
        return [word.slice(0, at), word.slice(at + 1)];
      });
      this.#set({labels: Object.fromEntries(pairs)}, true);
    });
    return input;
  }
}
