// What the answers of a model are like. Their text is nowhere: the exporter makes shares and verdicts of it.
import { dotted, graphPanel, helper } from './graphs';
import { nothing, unit, words } from './panels';
import { model as q } from './queries_model';
import { tablePanel } from './tables';

/** High enough for every prompt of the standard workload and the questions. */
const third = { width: 8, height: 13 };

export function answerPanels() {
  return [
    graphPanel(
      {
        ...third,
        title: 'Are they answers',
        description:
          'right: share of ten questions with known answers, put after each turn. sensible: share of the turn\'s answers without a sign of ' +
          'nonsense. Dotted: what is usual, the median of 48 turns, from 12 on. Three of ten below it for two turns is an alert. A model that ' +
          'thinks first is not asked. Metrics: exobench_canary_correct_ratio, exobench_answer_degenerate_ratio, exobench_answers_usual_ratio.',
        unit: unit.ratio,
        noValue: nothing.answers,
      },
      [
        { expr: q.answers.correct, legend: 'right' },
        { expr: q.answers.sensible, legend: 'sensible' },
        { expr: q.answers.usual('canary'), legend: 'right, usually' },
        { expr: q.answers.usual('signs'), legend: 'sensible, usually' },
      ],
      {
        steps: true,
        least: 0,
        most: 1,
        colors: { right: '#73BF69', 'right, usually': '#5794F2', sensible: '#B877D9', 'sensible, usually': '#FF9830' },
        overrides: ['right, usually', 'sensible, usually'].map((options) => ({ matcher: { id: 'byName', options }, properties: dotted })),
      },
    ),
    graphPanel(
      {
        ...third,
        title: 'Answers that are nonsense',
        description:
          'Timed answers by what gives them away: repetition (half of it or more was said before), garbled (control characters, or none at ' +
          'all), script (letters that the prompt\'s language does not have). Some repetition is usual where the server bans the end of the ' +
          'answer, as exo\'s /bench does. Metric: exobench_degenerate_answers_total.',
        unit: unit.count,
        noValue: nothing.samples,
      },
      [{ expr: q.answers.signs, legend: '{{sign}}' }],
      { bars: true, least: 0, most: 1, overrides: [helper('otherwise none')] },
    ),
    tablePanel(
      {
        ...third,
        title: 'The same answer each time',
        description:
          'Whether the node gives one answer to a prompt each time (yes from six in a row on), and how often in this period it gave another ' +
          'than before: another file of the model, another quantization or other numerics. Only of prompts that are put as they stand, at ' +
          'temperature 0; canary is the questions. Metrics: exobench_answer_repeats, exobench_answer_fingerprint_changes_total.',
        unit: unit.count,
        noValue: nothing.repeats,
      },
      [
        {
          title: 'Repeats',
          expr: q.answers.repeats,
          unit: unit.none,
          mappings: words({ '0': { text: 'no', color: '#8E8E8E' }, '1': { text: 'yes', color: 'green' } }),
        },
        { title: 'Changes', expr: q.answers.changes, unit: unit.count, decimals: 0 },
      ],
      { row: 'prompt', rowTitle: 'Prompt', rowWidth: 190 },
    ),
  ];
}
