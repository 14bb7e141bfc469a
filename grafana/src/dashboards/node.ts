import * as common from '@grafana/grafana-foundation-sdk/common';
import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';

import { build, uid } from './common';
import { graphPanel, nothing, statPanel, tablePanel, textPanel, unit, words } from './panels';
import { nodeAndExporter as q } from './queries';
import { section } from './runbook';

const third = { width: 8, height: 8 };
const small = { width: 4, height: 4, noValue: nothing.exporter };

export function node(): dashboard.Dashboard {
  return build({
    uid: uid.node,
    title: 'exo bench: node and exporter',
    description: 'The machine under measurement, and what the measuring itself costs.',
    from: 'now-6h',
    rows: [
      {
        panels: [
          statPanel(
            { ...small, title: 'Scraped', description: 'Whether Prometheus reaches the exporter. Metric: up.', unit: unit.none },
            [{ expr: q.scraped, legend: '{{instance}}' }],
            { filled: true, mappings: words({ '0': { text: 'DOWN', color: 'red' }, '1': { text: 'up', color: 'green' } }) },
          ),
          statPanel(
            {
              ...small,
              title: 'Cycle',
              description: 'Whether a cycle runs at this moment. Metric: exobench_cycle_running.',
              unit: unit.none,
            },
            [{ expr: q.running, legend: 'cycle' }],
            { mappings: words({ '0': { text: 'waiting', color: 'text' }, '1': { text: 'running', color: 'blue' } }) },
          ),
          statPanel(
            {
              ...small,
              title: 'Configuration',
              description: 'Whether the last attempt to load the configuration succeeded. Metric: exobench_config_last_reload_successful.',
              unit: unit.none,
            },
            [{ expr: q.reloadOK, legend: 'configuration' }],
            { mappings: words({ '0': { text: 'refused', color: 'red' }, '1': { text: 'loaded', color: 'green' } }) },
          ),
          statPanel(
            {
              ...small,
              title: 'Loaded',
              description: 'How long ago. Metric: exobench_config_last_reload_success_timestamp_seconds.',
              unit: unit.seconds,
            },
            [{ expr: q.reloaded, legend: 'ago' }],
            { decimals: 0 },
          ),
          statPanel(
            { ...small, title: 'Exporter', description: 'Version that runs. Metric: exobench_build_info.', unit: unit.none },
            [{ expr: q.build, legend: '{{version}}' }],
            { text: common.BigValueTextMode.Name },
          ),
          statPanel(
            {
              ...small,
              title: 'Workload',
              description: 'Version of the prompts that are put to the models. Metric: exobench_workload_info. Figures of two workloads cannot be compared.',
              unit: unit.none,
            },
            [{ expr: q.workload, legend: '{{version}}' }],
            { text: common.BigValueTextMode.Name },
          ),
        ],
      },
      {
        title: 'Node',
        panels: [
          graphPanel(
            {
              ...third,
              title: 'exo\'s resident memory',
              description:
                'RSS of exo\'s main process and of its runners together. Metric: exobench_exo_resident_memory_bytes. ' +
                'It should fall back to the same level between models.',
              unit: unit.bytes,
              noValue: nothing.processes,
            },
            [{ expr: q.rss, legend: '{{role}}' }],
            { least: 0 },
          ),
          graphPanel(
            {
              ...third,
              title: 'exo\'s processes',
              description: 'Processes of exo on this node: its main process, and one runner for each loaded model. Metric: exobench_exo_processes.',
              unit: unit.count,
              noValue: nothing.processes,
            },
            [{ expr: q.processes, legend: '{{role}}' }],
            { least: 0, decimals: 0 },
          ),
          graphPanel(
            {
              ...third,
              title: 'Memory not given back',
              description:
                'What exo kept after a model was unloaded, against before it was loaded. Metric: exobench_model_unreleased_memory_bytes. ' +
                'Growing from cycle to cycle it ends in swapping (exo issue 752). Absent for models that were loaded already.',
              unit: unit.bytes,
              noValue: 'No model has been unloaded yet, or exo\'s processes are not visible: see the README on memory',
            },
            [{ expr: q.unreleased, legend: '{{model}}' }],
            { steps: true },
          ),
          graphPanel(
            {
              ...third,
              title: 'Node memory',
              description:
                'Memory of each machine: all of it, and what is available. Metric: exobench_node_memory_bytes, from exo\'s own state or from the exporter\'s host.',
              unit: unit.bytes,
              noValue: nothing.exporter,
            },
            [{ expr: q.memory, legend: '{{node}} {{state}}' }],
            { least: 0 },
          ),
          graphPanel(
            {
              ...third,
              title: 'Power',
              description: 'Power drawn by each machine, as exo reports it. Metric: exobench_node_power_watts.',
              unit: unit.watts,
              noValue: nothing.sensors,
            },
            [{ expr: q.power, legend: '{{node}}' }],
            { least: 0 },
          ),
          graphPanel(
            {
              ...third,
              title: 'GPU',
              description:
                'Share of time that each machine\'s GPU was busy, as exo reports it. Metric: exobench_node_gpu_utilization_ratio. ' +
                'Busy between cycles means that others use the node.',
              unit: unit.ratio,
              noValue: nothing.sensors,
            },
            [{ expr: q.gpu, legend: '{{node}}' }],
            { least: 0, max: 1 },
          ),
          graphPanel(
            {
              ...third,
              title: 'Temperature',
              description: 'As exo reports it. Metric: exobench_node_temperature_celsius. A machine that is throttled for heat decodes more slowly.',
              unit: unit.celsius,
              noValue: nothing.sensors,
            },
            [{ expr: q.temperature, legend: '{{node}}' }],
          ),
          graphPanel(
            {
              ...third,
              title: 'Round trip to exo',
              description:
                'Time of a trivial request: what the way to exo costs of every figure here. Metric: exobench_exo_rtt_seconds. ' +
                'It should be far below the time to first token.',
              unit: unit.seconds,
              noValue: nothing.exporter,
            },
            [{ expr: q.rtt, legend: 'round trip' }],
            { least: 0 },
          ),
          graphPanel(
            {
              ...third,
              title: 'Cycle length against interval',
              description:
                'How long the last cycle took, and how often one starts. Metrics: exobench_cycle_duration_seconds, exobench_cycle_interval_seconds. ' +
                'A cycle longer than the interval delays the next: lengthen the interval.',
              unit: unit.seconds,
              noValue: 'No cycle has ended yet',
            },
            [
              { expr: q.duration, legend: 'cycle' },
              { expr: q.interval, legend: 'interval' },
            ],
            { steps: true, least: 0 },
          ),
        ],
      },
      {
        title: 'Exporter',
        panels: [
          tablePanel(
            {
              ...third,
              title: 'Cycles',
              description: 'How the cycles of the period ended. Metric: exobench_cycles_total.',
              unit: unit.count,
              noValue: nothing.exporter,
            },
            [{ title: 'Cycles', expr: q.cycles, unit: unit.count, decimals: 0 }],
            { row: 'outcome', rowTitle: 'Outcome', sort: 'Cycles', descending: true },
          ),
          tablePanel(
            {
              ...third,
              title: 'Token counts that disagree',
              description:
                'Requests of the period in which the server counted other than as many tokens as came. Metric: exobench_token_count_mismatches_total. ' +
                'Many of them put the rates of that model in doubt.',
              unit: unit.count,
              noValue: nothing.exporter,
            },
            [{ title: 'Requests', expr: q.mismatches, unit: unit.count, decimals: 0 }],
            { row: 'model', rowTitle: 'Model', sort: 'Requests', descending: true },
          ),
          graphPanel(
            {
              ...third,
              title: 'Scrape duration',
              description: 'Time that Prometheus takes to fetch the metrics. Metric: scrape_duration_seconds. A scrape only reads memory.',
              unit: unit.seconds,
              noValue: nothing.exporter,
            },
            [{ expr: q.scrape, legend: 'scrape' }],
            { least: 0 },
          ),
          graphPanel(
            {
              ...third,
              title: 'Exporter memory',
              description: 'Resident memory of the exporter itself. Metric: process_resident_memory_bytes.',
              unit: unit.bytes,
              noValue: nothing.exporter,
            },
            [{ expr: q.residentMemory, legend: 'RSS' }],
            { least: 0 },
          ),
          graphPanel(
            {
              ...third,
              title: 'Exporter CPU',
              description: 'Share of one core that the exporter itself takes, and so takes from the models. Metric: process_cpu_seconds_total.',
              unit: unit.ratio,
              noValue: nothing.exporter,
            },
            [{ expr: q.cpu, legend: 'CPU' }],
            { least: 0 },
          ),
          graphPanel(
            {
              ...third,
              title: 'Series and goroutines',
              description:
                'Samples in a scrape and goroutines of the exporter. Metrics: scrape_samples_scraped, go_goroutines. Both are level; growth is a leak.',
              unit: unit.count,
              noValue: nothing.exporter,
            },
            [
              { expr: q.series, legend: 'samples' },
              { expr: q.goroutines, legend: 'goroutines' },
            ],
            { least: 0, decimals: 0 },
          ),
        ],
      },
      {
        title: 'Runbook',
        panels: [
          // The alert about a dead exporter, which serves the rest of the runbook, leads here by this id.
          textPanel({ title: 'When the exporter is down', id: 1000, width: 24, height: 6 }, section('ExoBenchExporterDown')),
        ],
      },
    ],
  });
}
