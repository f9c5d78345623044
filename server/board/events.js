// Server-Sent Events out of a fetched body. EventSource would do, but it cannot send a header.

// Takes text in whatever pieces and calls `take` with {event, id, data, retry} for each event.
export class EventReader {
  #take;
  #rest = '';
  #event = {};

  constructor(take) {
    this.#take = take;
  }

  push(text) {
    this.#rest += text;
    let from = 0;
    for (let end; (end = this.#rest.indexOf('\n', from)) >= 0; from = end + 1) {
      this.#line(this.#rest.slice(from, this.#rest[end - 1] === '\r' ? end - 1 : end));
    }
    this.#rest = this.#rest.slice(from);
  }

  #line(line) {
    if (line === '') {
      const event = this.#event;
      this.#event = {};
      if (Object.keys(event).length > 0) this.#take(event);
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;  // a comment: the stream lives
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data' && 'data' in this.#event) this.#event.data += `\n${value}`;
    else this.#event[name] = value;
  }
}

// Reads a whole body. `heard` is called for each piece of it.
export async function readEvents(body, take, heard) {
  const events = new EventReader(take);
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    heard();
    events.push(value);
  }
}
