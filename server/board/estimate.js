// The gateway's estimate of a job: when it may end, and whether it seems to stand still. It comes
// from past jobs, and Pictory says nothing of it. Its times are fixed, so the words change with the
// clock.

import {isActive, numberText, spanText} from './words.js';

// A time that is not set is NaN, and not before or after anything.
const at = (time) => new Date(time ?? '').getTime();

function known(job) {
  return isActive(job) ? job.estimate : undefined;
}

export function isStalled(job, now = Date.now()) {
  const estimate = known(job);
  if (estimate === undefined || job.upstreamDegraded) return false;
  return estimate.stalled === true || now >= at(estimate.stallTime);
}

// In a few words; '' where nothing is known.
export function estimateText(job, now = Date.now()) {
  const estimate = known(job);
  if (estimate === undefined) return '';
  if (isStalled(job, now)) return 'seems to stand still';
  const likely = at(estimate.likelyFinishTime);
  if (now < likely) return `about ${spanText((likely - now) / 1000)} left`;
  return now < at(estimate.lateFinishTime) ? 'should end soon' : 'later than most';
}

// In a sentence, with what it rests on; '' where nothing is known.
export function estimateSentence(job, now = Date.now()) {
  const estimate = known(job);
  if (estimate === undefined || isStalled(job, now)) return '';
  const [likely, late] = [at(estimate.likelyFinishTime), at(estimate.lateFinishTime)];
  if (!(now < late)) return 'It takes longer than past jobs of this kind.';
  const soon = now < likely ? `in about ${spanText((likely - now) / 1000)}, ` : 'soon, ';
  return `It may end ${soon}mostly within ${spanText((late - now) / 1000)}: an estimate from ${
    numberText(estimate.pastJobs)} past jobs of this kind.`;
}
