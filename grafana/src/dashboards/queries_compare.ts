import {
  added,
  bandwidthUsed,
  byKind,
  decodeRate,
  footprint,
  footprintPeak,
  gpuMemory,
  histograms,
  median,
  metric,
  orTooShort,
  quantile,
  reported,
  request,
  rss,
  samples,
  total,
  turnTTFT,
} from './queries';

const ofReference = 'model=~"$reference"';
const before = ' offset $offset';

/** `expr` by model, divided by what the reference model has. */
function relative(expr: (more: string) => string): string {
  return `${expr('')} / on () group_left () sum(${expr(ofReference)})`;
}

/** The most that a model took: its footprint, with what is on GPUs; without one the larger of RSS and what exo reports. */
const own = `(${median(footprintPeak)} or ${median(footprint)})`;
const memory = [
  `${own} + ${median(gpuMemory)}`,
  own,
  `(${median(rss)} > ${median(reported)})`,
  median(reported),
  median(rss),
].join(' or ');

/** The other period of a gauge, and the change since. */
function change(gauge: string) {
  const then = median(gauge, '', before);
  return { then, change: `${median(gauge)} / ${then} - 1` };
}

/** Mean duration of the requests that have one: of models of which other numbers were disturbed or failed, it can be compared. */
function meanDuration(by: string, more = ''): string {
  return `${total('exobench:request_duration_seconds_sum:added', by, more)} / ${samples(histograms.request, by, more)}`;
}

export const compare = {
  decode: median(decodeRate),
  decodeRelative: relative((more) => median(decodeRate, more)),
  ttft: median(turnTTFT),
  ttftRelative: relative((more) => median(turnTTFT, more)),
  request: quantile('p50', histograms.request, 'model'),
  interToken: quantile('p50', histograms.interToken, 'model'),
  footprint: median(footprint),
  perGigabyte: `${median(decodeRate)} / ((${memory}) / 1e9)`,
  bandwidth: median(bandwidthUsed),
  // Of the requests of which exo says what they cost, and of no others.
  joules: orTooShort(`${total(added.energy, 'model')} / ${total(added.energyTokens, 'model')}`, median(decodeRate)),
  kindDecode: `${byKind(added.decodeTokens)} / ${byKind(added.decodeSeconds)}`,
  promptDecode: `avg by (prompt, model) (quantile_over_time(0.5, ${metric(request.decode)}[$__range]))`,
  promptTTFT: `avg by (prompt, model) (quantile_over_time(0.5, ${metric(request.ttft)}[$__range]))`,
  promptRelative: `${meanDuration('prompt, model')} / on (prompt) group_left () (${meanDuration('prompt', ofReference)})`,
  other: { decode: change(decodeRate), ttft: change(turnTTFT), rss: change(rss) },
  rss: median(rss),
  reported: median(reported),
  decodeNow: `avg by (model) (${metric(decodeRate)})`,
  decodeThen: `avg by (model) (${metric(decodeRate)} offset $offset)`,
};
