// The player of a job's film, or the picture that it made. Of a transcript's source nothing is told
// by the API: a person may choose the file, which stays in the browser.

import {el, safeUrl, setText} from './dom.js';
import {archivedFile, localSource} from './files.js';

export class Player {
  node = el('section', {class: 'player'});
  #media = null;
  #owned = '';  // a URL to revoke
  #seek = null;

  // Shows what the job has made; false if that is nothing to look at.
  show(job) {
    this.end();
    if (job.image?.url || archivedFile(job, 'url') && job.image) this.#picture(job);
    else if (job.render?.videoURL || job.video?.url) this.#film(job);
    else if (job.transcription || job.summary) this.#ask();
    else return false;
    return true;
  }

  // Plays from there, now or once there is something to play.
  seek(seconds) {
    this.#seek = seconds;
    if (this.#media === null) {
      this.node.querySelector('input')?.focus();
      return;
    }
    if (this.#media.readyState === 0) return;
    this.#media.currentTime = seconds;
    this.#seek = null;
    this.#media.play().catch(() => {});  // a browser may want a gesture first
    this.#media.scrollIntoView({block: 'nearest'});
  }

  end() {
    if (this.#media !== null) {
      this.#media.pause?.();
      this.#media.removeAttribute('src');
    }
    if (this.#owned !== '') URL.revokeObjectURL(this.#owned);
    this.#media = null;
    this.#owned = '';
    this.#seek = null;
    this.node.replaceChildren();
  }

  #play(url, poster = '') {
    const film = el('video', {controls: true, preload: 'metadata', playsinline: true, src: url,
      poster: poster === '' ? null : poster, 'aria-label': 'The film'});
    film.addEventListener('loadedmetadata', () => {
      if (this.#seek !== null) this.seek(this.#seek);
    });
    this.#media = film;
    return film;
  }

  #film(job) {
    const field = job.render ? 'video_url' : 'url';
    const url = safeUrl(job.render?.videoURL ?? job.video?.url);
    const poster = safeUrl(job.render?.thumbnail ?? job.video?.thumbnailImageUrl ?? '');
    const words = el('p', {class: 'note', role: 'status'});
    const kept = archivedFile(job, field);
    if (url !== '') {
      const film = this.#play(url, poster);
      film.addEventListener('error', () => {
        setText(words, kept ? 'Pictory’s link does not play any more; this is the gateway’s copy.'
          : 'Pictory’s link does not play. It may have expired.');
        if (kept) this.#fromArchive(job, kept, film, words);
      }, {once: true});
      this.node.append(film, words);
    } else if (kept) {
      const film = this.#play('', poster);
      this.node.append(film, words);
      this.#fromArchive(job, kept, film, words);
    } else {
      this.node.append(el('p', {class: 'note'}, 'The link of this film is none that a page may play.'));
    }
  }

  async #fromArchive(job, file, film, words) {
    try {
      const url = await localSource(job, file);
      if (this.#media !== film) return;
      if (url.startsWith('blob:')) this.#owned = url;
      film.src = url;
    } catch (error) {
      setText(words, error.message);
    }
  }

  #picture(job) {
    const url = safeUrl(job.image?.url ?? '');
    const words = el('p', {class: 'note', role: 'status'});
    const picture = el('img', {src: url, alt: 'What this job has made'});
    picture.addEventListener('error', async () => {
      const kept = archivedFile(job, 'url');
      if (!kept) return setText(words, 'Pictory’s link does not show a picture. It may have expired.');
      try {
        picture.src = await localSource(job, kept);
        if (picture.src.startsWith('blob:')) this.#owned = picture.src;
      } catch (error) {
        setText(words, error.message);
      }
    }, {once: true});
    this.node.append(picture, words);
  }

  #ask() {
    const input = el('input', {type: 'file', accept: 'video/*,audio/*', id: 'source-file'});
    input.addEventListener('change', () => {
      if (input.files.length === 0) return;
      const seek = this.#seek;
      if (this.#owned !== '') URL.revokeObjectURL(this.#owned);
      this.#owned = URL.createObjectURL(input.files[0]);
      this.#media?.remove();
      this.node.prepend(this.#play(this.#owned));
      this.#seek = seek;
    });
    this.node.append(el('p', {class: 'note'},
      el('label', {for: 'source-file'}, 'To hear the words, choose the file that was transcribed. It stays in this browser. '),
      input));
  }
}
