// The list of jobs. Only the rows near what can be seen are in the page, so a thousand moving jobs
// cost what twenty do; all changes are written together, before a frame.

import {el, oncePerFrame} from './dom.js';
import {JobRow, SectionRow} from './row.js';

const ROW = 72;  // pixels, as in board.css
const SECTION = 36;
const MORE = 6;  // rows beyond each edge

export class List {
  #scroller;
  #list = el('ul', {class: 'rows', role: 'list', 'aria-label': 'Jobs'});
  #jobs;
  #nearEnd;
  #items = [];
  #tops = [];
  #ids = [];  // of items, without sections
  #places = new Map();  // of an id in #items
  #numbers = new Map();  // of an id among the jobs, from 1
  #rows = new Map();  // by id, or the state of a section
  #spare = {job: [], section: []};
  #chosen = '';  // shown beside the list
  #at = '';  // the row that has the tab stop
  #touched = false;  // somebody has been in the list; before, the stop is at its beginning
  draw = oncePerFrame(() => this.#draw());

  // `nearEnd()` is called when the last rows come near.
  constructor(scroller, jobs, {nearEnd}) {
    this.#scroller = scroller;
    this.#jobs = jobs;
    this.#nearEnd = nearEnd;
    scroller.prepend(this.#list);
    scroller.addEventListener('scroll', this.draw, {passive: true});
    new ResizeObserver(this.draw).observe(scroller);
    this.#list.addEventListener('keydown', (event) => this.#key(event));
    this.#list.addEventListener('focusin', (event) => this.#focused(event.target.dataset?.id));
  }

  // Takes what is to be shown, as Jobs.shown gives it.
  show(items) {
    this.#items = items;
    this.#places.clear();
    this.#numbers.clear();
    this.#ids = [];
    this.#tops = new Array(items.length + 1);
    let top = 0;
    items.forEach((item, i) => {
      this.#tops[i] = top;
      top += typeof item === 'string' ? ROW : SECTION;
      if (typeof item === 'string') {
        this.#places.set(item, i);
        this.#ids.push(item);
        this.#numbers.set(item, this.#ids.length);
      }
    });
    this.#tops[items.length] = top;
    this.#list.style.height = `${top}px`;
    if (!this.#touched || !this.#places.has(this.#at)) this.#at = this.#places.has(this.#chosen) ? this.#chosen : this.#ids[0] ?? '';
    this.draw();
  }

  get length() {
    return this.#ids.length;
  }

  // Time has passed.
  tick() {
    for (const row of this.#rows.values()) {
      if (row instanceof JobRow) row.tick();
    }
  }

  choose(id) {
    this.#chosen = id;
    if (this.#places.has(id)) this.#at = id;
    this.draw();
  }

  focus() {
    this.#reach(this.#at);
  }

  #draw() {
    const top = this.#scroller.scrollTop;
    const height = this.#scroller.clientHeight;
    const first = Math.max(0, this.#indexAt(top) - MORE);
    const last = Math.min(this.#items.length, this.#indexAt(top + height) + 1 + MORE);
    const wanted = new Map();
    for (let i = first; i < last; i += 1) wanted.set(keyOf(this.#items[i]), i);
    const focused = this.#focusedId();
    if (focused !== '' && this.#places.has(focused)) wanted.set(focused, this.#places.get(focused));
    for (const [key, row] of this.#rows) {
      if (wanted.has(key)) continue;
      this.#rows.delete(key);
      row.node.remove();
      this.#spare[row instanceof JobRow ? 'job' : 'section'].push(row);
    }
    let before = null;
    for (const [key, i] of [...wanted].sort((a, b) => a[1] - b[1])) {
      const item = this.#items[i];
      const row = this.#rows.get(key) ?? this.#newRow(key, item);
      this.#place(row, i);
      if (typeof item === 'string') this.#showJob(row, item);
      else row.show(item);
      const after = before === null ? this.#list.firstChild : before.nextSibling;
      if (row.node !== after) this.#list.insertBefore(row.node, after);
      before = row.node;
    }
    // A row that was moved among the others has lost the focus.
    if (focused !== '' && this.#focusedId() === '') this.#rows.get(focused)?.link.focus({preventScroll: true});
    if (this.#tops[this.#items.length] - top - height < 8 * ROW) this.#nearEnd();
  }

  #newRow(key, item) {
    const row = typeof item === 'string' ? this.#spare.job.pop() ?? new JobRow()
      : this.#spare.section.pop() ?? new SectionRow();
    this.#rows.set(key, row);
    return row;
  }

  #place(row, i) {
    if (row.top !== this.#tops[i]) {
      row.top = this.#tops[i];
      row.node.style.transform = `translateY(${row.top}px)`;
    }
  }

  #showJob(row, id) {
    const job = this.#jobs.get(id);
    if (job !== undefined) row.show(job);
    const chosen = id === this.#chosen ? 'true' : null;
    if (row.link.getAttribute('aria-current') !== chosen) {
      if (chosen) row.link.setAttribute('aria-current', chosen);
      else row.link.removeAttribute('aria-current');
    }
    row.link.tabIndex = id === this.#at ? 0 : -1;
    row.stand(this.#numbers.get(id), this.#ids.length);
  }

  // The last item that begins at `y` or above.
  #indexAt(y) {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#tops[middle] <= y) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  #focusedId() {
    const focused = document.activeElement;
    return focused !== null && this.#list.contains(focused) ? focused.dataset.id ?? '' : '';
  }

  #focused(id) {
    this.#touched = true;
    if (id === undefined || id === this.#at) return;
    this.#at = id;
    this.draw();
  }

  #key(event) {
    const page = Math.max(1, Math.floor(this.#scroller.clientHeight / ROW) - 1);
    const steps = {ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity};
    if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const from = this.#ids.indexOf(this.#at);
    const to = Math.max(0, Math.min(this.#ids.length - 1, from + steps[event.key]));
    this.#reach(this.#ids[to]);
  }

  // Brings a row into sight, and the focus to it.
  #reach(id) {
    if (!this.#places.has(id)) return;
    this.#at = id;
    const top = this.#tops[this.#places.get(id)];
    const height = this.#scroller.clientHeight;
    if (top < this.#scroller.scrollTop + SECTION) this.#scroller.scrollTop = top - SECTION;
    else if (top + ROW > this.#scroller.scrollTop + height) this.#scroller.scrollTop = top + ROW - height;
    this.#draw();
    this.#rows.get(id)?.link.focus({preventScroll: true});
  }
}

function keyOf(item) {
  return typeof item === 'string' ? item : item.state;
}
