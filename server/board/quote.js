// Shell quoting for commands that people copy. What is quoted is one word to bash, zsh and fish's
// bash-like mode, and a terminal shows what it is: what could steer one, or reorder a line, is
// written as an escape. Pure.

const PLAIN = /^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*$/;
// Control characters, and those that change the direction of text or cannot be seen.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
const HIDDEN_ALL = new RegExp(HIDDEN.source, 'g');

export function quote(text) {
  if (PLAIN.test(text)) return text;
  if (!HIDDEN.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replace(HIDDEN_ALL, (c) => {
    const code = c.charCodeAt(0);
    return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return `$'${escaped}'`;
}

// JSON in which the same characters are escapes, quoted.
export function quoteJson(value) {
  return quote(JSON.stringify(value).replace(HIDDEN_ALL, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`));
}
