// Puts one of Pictory's pages into a frame, and talks to it by postMessage: each message that is
// sent has an id, under which the answer comes.

export class Embedded {
  #frame = document.createElement('iframe');
  #waiting = new Map();
  #told = new Map();  // messages without an id, by their names, as promises

  constructor(url) {
    for (const name of ['ON_READY', 'ON_LOADED', 'ON_ERROR']) {
      const told = {};
      told.promise = new Promise((resolve) => { told.resolve = resolve; });
      this.#told.set(name, told);
    }
    window.addEventListener('message', (event) => this.#take(event));
    this.#frame.src = url;
    document.body.append(this.#frame);
  }

  // The message, once it has come.
  told(name) {
    return this.#told.get(name).promise;
  }

  ask(message, payload = {}) {
    const id = crypto.randomUUID();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#frame.contentWindow.postMessage({ id, message, ...payload }, '*');
    });
  }

  #take(event) {
    if (!event.data || typeof event.data !== 'object') return;
    if (event.source !== this.#frame.contentWindow) return;
    const { id, message, error, ...rest } = event.data;
    if (!id) {
      this.#told.get(message)?.resolve({ error, ...rest });
      return;
    }
    const { resolve, reject } = this.#waiting.get(id) ?? {};
    this.#waiting.delete(id);
    if (error) reject?.(new Error(error));
    else resolve?.(rest);
  }
}
