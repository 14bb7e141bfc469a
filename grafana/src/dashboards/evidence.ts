import { nothing, unit, type About } from './panels';
import type { evidenceByModel } from './queries_model';
import { tablePanel, type TableOptions } from './tables';

/** How far the figures of models can be trusted: what was disturbed, doubted or not what it should be. */
export function evidencePanel(size: Pick<About, 'width' | 'height'>, q: typeof evidenceByModel, row: TableOptions) {
  const count = { unit: unit.count, decimals: 0 };
  return tablePanel(
    {
      ...size,
      title: 'How far to trust the figures',
      description:
        'Requests of the period by what was the matter with them. Contended: other people\'s work ran beside them. Starved: the ' +
        'exporter itself did not get the ' +
        'processor. Buffered: something on the way held the answer back. These enter no figure. Rates differ: client and server ' +
        'disagree by more than 5 %, and the ' +
        'rate is kept out of the model\'s. Counts differ: the server counted other than as many tokens as came. Cached: prompt ' +
        'tokens that the server had already ' +
        'seen; 0 where prompts are cold. Clumped: events that shared a read. Tokens per event: 1 where every token comes by itself. ' +
        'Metrics: ' +
        'exobench_contended_requests_total, exobench_starved_requests_total, exobench_requests_total, exobench_rate_disagreements_total, ' +
        'exobench_token_count_mismatches_total, exobench_cached_prompt_tokens_total, exobench_coalesced_events_total, ' +
        'exobench_tokens_per_event.',
      unit: unit.count,
      noValue: nothing.judged,
    },
    [
      { title: 'Requests', expr: q.requests, ...count },
      { title: 'Contended', expr: q.contended, ...count },
      { title: 'Starved', expr: q.starved, ...count },
      { title: 'Buffered', expr: q.buffered, ...count },
      { title: 'Rates differ', expr: q.disagree, ...count },
      { title: 'Counts differ', expr: q.mismatches, ...count },
      { title: 'Cached', expr: q.cached, unit: unit.tokens, decimals: 0 },
      { title: 'Clumped', expr: q.coalesced, ...count },
      { title: 'Tokens per event', expr: q.tokensPerEvent, unit: unit.none, decimals: 2, width: 134 },
    ],
    { minWidth: 98, ...row },
  );
}
