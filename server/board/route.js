// Where the page is: `#/jobs/ID`, with `?t=12.5` for a place in its film, or the list alone. A route
// shows something and does nothing else, whoever has made the link.

export function jobHref(id, seconds) {
  return `#/jobs/${encodeURIComponent(id)}${seconds === undefined ? '' : `?t=${seconds}`}`;
}

export function readRoute(hash = location.hash) {
  const match = /^#\/jobs\/([^?]+)(?:\?t=(\d+(?:\.\d+)?))?$/.exec(hash);
  if (match === null) return {job: '', seconds: null};
  try {
    return {job: decodeURIComponent(match[1]), seconds: match[2] === undefined ? null : Number(match[2])};
  } catch {
    return {job: '', seconds: null};
  }
}
