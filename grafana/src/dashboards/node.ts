import * as common from '@grafana/grafana-foundation-sdk/common';
import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';

import { build, uid } from './common';
import { graphPanel, hour, roleColors, timelinePanel } from './graphs';
import { machinesPanel } from './machines';
import { noData, nothing, textPanel, unit, unknown, upOrDown, words } from './panels';
import { status } from './queries';
import { nodeAndExporter as q } from './queries_node';
import { section } from './runbook';
import { statPanel } from './stats';
import { labelsPanel, tablePanel } from './tables';
import { conditionPanels } from './why';

const third = { width: 8, height: 8 };
const small = { width: 3, height: 3, noValue: noData };

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
            [{ expr: status.scraped, legend: 'exporter' }],
            { filled: true, mappings: words(upOrDown, { text: 'not scraped', color: 'red' }) },
          ),
          statPanel(
            { ...small, title: 'exo', description: 'Whether exo answered when last asked. Metric: exobench_exo_up.', unit: unit.none },
            [{ expr: q.exo, legend: 'exo' }],
            { filled: true, mappings: words(upOrDown, unknown) },
          ),
          statPanel(
            {
              ...small,
              title: 'Cycle',
              description: 'Whether a cycle runs at this moment. Metric: exobench_cycle_running.',
              unit: unit.none,
            },
            [{ expr: q.running, legend: 'cycle' }],
            { mappings: words({ '0': { text: 'waiting', color: 'text' }, '1': { text: 'running', color: 'blue' } }, unknown) },
          ),
          statPanel(
            {
              ...small,
              title: 'Config',
              description: 'Whether the last attempt to load the configuration succeeded. Metric: exobench_config_last_reload_successful.',
              unit: unit.none,
            },
            [{ expr: q.reloadOK, legend: 'configuration' }],
            { mappings: words({ '0': { text: 'refused', color: 'red' }, '1': { text: 'loaded', color: 'green' } }, unknown) },
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
            { label: 'version', mappings: words({}, unknown) },
          ),
          statPanel(
            {
              ...small,
              title: 'Workload',
              description:
                'Version of the prompts that are put to the models. Metric: exobench_workload_info. Figures of two workloads cannot ' +
                'be compared.',
              unit: unit.none,
            },
            [{ expr: q.workload, legend: '{{version}}' }],
            { label: 'version', mappings: words({}, unknown) },
          ),
          statPanel(
            {
              ...small,
              title: 'Agents',
              description:
                'Whether the memory agents of the same job, on further machines of a cluster, know whose turn it is. Metric: ' +
                'exobench_agent_driver_up.',
              unit: unit.none,
              noValue: 'none seen',
            },
            [{ expr: q.agents, legend: '{{instance}}' }],
            {
              text: common.BigValueTextMode.ValueAndName,
              mappings: words({ '0': { text: 'no driver', color: 'red' }, '1': { text: 'in touch', color: 'green' } }),
            },
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
                'RSS of exo\'s main process and of its runners together, and PSS, in which a page that processes share counts in parts. ' +
                'Metrics: exobench_exo_resident_memory_bytes, exobench_exo_proportional_memory_bytes. ' +
                'It should fall back to the same level between models.',
              unit: unit.bytes,
              noValue: nothing.processes,
            },
            [
              { expr: q.rss, legend: '{{role}}' },
              { expr: q.pss, legend: '{{role}}, PSS' },
            ],
            { least: 0, colors: roleColors },
          ),
          graphPanel(
            {
              ...third,
              title: 'exo\'s processes',
              description:
                'Processes of exo on this node: its main process, and one runner for each loaded model. Metric: ' +
                'exobench_exo_processes.',
              unit: unit.count,
              noValue: nothing.processes,
            },
            [{ expr: q.processes, legend: '{{role}}' }],
            { least: 0, most: 2, colors: roleColors },
          ),
          graphPanel(
            {
              ...third,
              title: 'Memory not given back',
              description:
                'What exo kept after a model was unloaded, against before it was loaded. Metric: exobench_model_unreleased_memory_bytes. ' +
                'Growing from cycle to cycle it ends in swapping (exo issue 752). Absent for models that were loaded ' +
                'already, and where exo\'s processes are not visible.',
              unit: unit.bytes,
              noValue: nothing.turn,
            },
            [{ expr: q.unreleased, legend: '{{model}}' }],
            { steps: true, least: 0, most: 1 },
          ),
          graphPanel(
            {
              ...third,
              title: 'Node memory',
              description:
                'Memory of each machine: all of it, and what is available. Metric: exobench_node_memory_bytes, from exo\'s own state ' +
                'or from the exporter\'s host.',
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
              description:
                'As exo reports it. Metric: exobench_node_temperature_celsius. A machine that is throttled for heat decodes more ' +
                'slowly.',
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
                'How long the last cycle took, and how often one starts. Metrics: exobench_cycle_duration_seconds, ' +
                'exobench_cycle_interval_seconds. ' +
                'A cycle longer than the interval delays the next: lengthen the interval.',
              unit: unit.minutes,
              noValue: nothing.exporter,
            },
            [
              { expr: q.duration, legend: 'cycle' },
              { expr: q.interval, legend: 'interval' },
            ],
            { steps: true, least: 0 },
          ),
        ],
      },
      { title: 'Conditions of the machines', collapsed: true, panels: conditionPanels() },
      {
        title: 'History and method',
        panels: [
          timelinePanel(
            {
              width: 12,
              height: 5,
              title: 'Exporter and exo, up and down',
              description:
                'Whether the exporter was scraped and exo answered. Metrics: up, exobench_exo_up. A gap is a time of which nothing ' +
                'is known.',
              unit: unit.none,
              noValue: nothing.exporter,
            },
            [
              { expr: q.scrapedOverTime, legend: 'exporter' },
              { expr: q.exoOverTime, legend: 'exo' },
            ],
            words(upOrDown),
          ),
          graphPanel(
            {
              width: 12,
              height: 5,
              title: 'Age of the newest result',
              description:
                'In cycle intervals: a saw up to 1 is right; beyond 2 a whole cycle brought nothing. Metrics: ' +
                'exobench_last_success_timestamp_seconds, ' +
                'exobench_cycle_interval_seconds.',
              unit: unit.intervals,
              noValue: nothing.exporter,
            },
            [{ expr: status.age, legend: 'age' }],
            { least: 0, most: 2.5, mark: [{ color: 'text', from: null }, { color: 'red', from: 2 }] },
          ),
          machinesPanel({ width: 24, height: 5 }),
          labelsPanel(
            {
              width: 24,
              height: 5,
              title: 'Method',
              description:
                'By which method the latest good results were measured: API, route, engine and its version, and the hash of the ' +
                'workload. Figures of different ' +
                'epochs are never compared. Metric: exobench_epoch_info.',
              unit: unit.none,
              noValue: nothing.method,
            },
            q.method,
            {
              dialect: { title: 'API', width: 90 },
              endpoint: { title: 'Route', width: 230 },
              engine: { title: 'Engine', width: 110 },
              version: { title: 'Version', width: 150 },
              epoch: { title: 'Epoch', width: 150 },
              sha256: { title: 'Workload' },
            },
            'API',
            540,
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
              title: 'Dropped',
              description:
                'What came from outside in the period and was beyond a bound: series (of machines or models too many), strings ' +
                '(texts that were cut), ' +
                'records (of results that could not be kept). Metric: exobench_dropped_total.',
              unit: unit.count,
              noValue: nothing.exporter,
            },
            [{ title: 'Dropped', expr: q.dropped, unit: unit.count, decimals: 0 }],
            { row: 'what', rowTitle: 'What' },
          ),
          graphPanel(
            {
              ...third,
              title: 'Lateness of the exporter\'s stamps',
              description:
                'How much later than the kernel the exporter read what came: its own part in every time. A turn has a sample for ' +
                'each read; p99 is left out ' +
                'below 100. Metric: exobench_stamp_lateness_seconds.',
              unit: unit.seconds,
              noValue: nothing.lateness,
            },
            [
              { expr: q.lateness50, legend: 'p50' },
              { expr: q.lateness99, legend: 'p99' },
            ],
            { least: 0, join: hour },
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
              description:
                'Share of one core that the exporter itself takes, and so takes from the models. Metric: process_cpu_seconds_total.',
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
                'Samples in a scrape and goroutines of the exporter. Metrics: scrape_samples_scraped, go_goroutines. Both are level; ' +
                'growth is a leak.',
              unit: unit.count,
              noValue: nothing.exporter,
            },
            [
              { expr: q.series, legend: 'samples' },
              { expr: q.goroutines, legend: 'goroutines' },
            ],
            { least: 0 },
          ),
        ],
      },
      {
        title: 'Runbook',
        panels: [
          // The alert about a dead exporter, which serves the rest of the runbook, leads here.
          textPanel({ title: 'When the exporter is down', width: 24, height: 6 }, section('ExoBenchExporterDown')),
        ],
      },
    ],
  });
}
