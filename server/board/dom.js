// Elements are made here and nowhere from text: a name, a label or a message of Pictory's can only
// become text.

// el('p', {class: 'note'}, 'Hello ', el('b', {}, name)). A property that begins with `on` is a
// listener; one that is null, undefined or false is left out, and true is an empty attribute.
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

// The URL if a page may lead to it: https, or http of this machine, as the API promises. Else ''.
export function safeUrl(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return '';
  }
  const here = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && here) ? url.href : '';
}

// A link to somewhere else, or the text of a URL that is none.
export function linkTo(url, ...words) {
  const href = safeUrl(url);
  if (href === '') return el('code', {class: 'not-a-link'}, url);
  return el('a', {href, target: '_blank', rel: 'noopener noreferrer'}, ...words);
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function byId(id) {
  return document.getElementById(id);
}

// Says something to who hears the page and does not see it.
export function announce(text) {
  setText(byId('announcer'), text);
}

// Runs `task` before the next frame is drawn, once, however often it is asked for.
export function oncePerFrame(task) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      task();
    });
  };
}
