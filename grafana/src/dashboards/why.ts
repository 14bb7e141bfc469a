// Under which conditions the figures were measured: what explains a slow cycle.
import type * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

import { graphPanel } from './graphs';
import { nothing, unit } from './panels';
import { nodeAndExporter } from './queries_node';
import { conditions, why } from './queries_why';

const third = { width: 8, height: 8 };

const untold = 'The exporter\'s machine told nothing of it in this period, or exo is on another one';

const resources = { cpu: '#5794F2', memory: '#F2495C', io: '#FF9830', 'memory, all': '#FF7383', 'io, all': '#FFCB7D' };

const levels = 'Thermal pressure: 0 nominal, 1 moderate, 2 heavy, 3 trapping, 4 sleeping. Memory pressure: 1 normal, 2 warning, 4 critical.';

const pressure =
  'Share of the time in which a task waited for the processor, for memory or for the disk; "all": in which all that had something to do ' +
  'waited. Linux tells it (PSI). exo competes with whatever waits for the processor; waiting for memory is swapping.';

const everywhere = 'Of every machine that the job scrapes.';

const throttling = 'Linux tells it on Intel\'s processors, but not to a container.';

const limiting = 'The lowest share of its maximum at which a CPU was allowed to run: below 100 % heat, power or a setting holds it back. Linux tells it.';

const bySensors =
  'while its requests ran, by what exo shows of them once a second: nothing where it shows none, where answers came as one document, or ' +
  'where no request took long enough for a reading.';

/** Beside the speed of the chosen model, turn by turn, what may have slowed it down. */
export function whyPanels(speed: timeseries.PanelBuilder): timeseries.PanelBuilder[] {
  return [
    speed,
    graphPanel(
      {
        ...third,
        title: 'Waiting for the machine',
        description:
          `${pressure} While the requests of each turn were measured. Metrics: exobench_model_pressure_waiting_ratio, ` +
          'exobench_model_pressure_stalled_ratio.',
        unit: unit.ratio,
        noValue: untold,
      },
      [{ expr: why.waiting, legend: '{{resource}}' }, { expr: why.stalled, legend: '{{resource}}, all' }],
      { steps: true, least: 0, most: 0.05, colors: resources },
    ),
    graphPanel(
      {
        ...third,
        title: 'Pressure, as macOS calls it',
        description:
          `${levels} The highest while the requests of each turn were measured. Metrics: exobench_model_thermal_pressure_peak, ` +
          'exobench_model_memory_pressure_peak.',
        unit: unit.count,
        noValue: untold,
      },
      [{ expr: why.thermal, legend: 'thermal' }, { expr: why.memory, legend: 'memory' }],
      { steps: true, least: 0, most: 4 },
    ),
    graphPanel(
      {
        ...third,
        title: 'Slowed down for heat',
        description:
          `How often in each turn cores, and processors as a whole, slowed down for heat. ${throttling} Metrics: ` +
          'exobench_model_cpu_core_throttles, exobench_model_cpu_package_throttles.',
        unit: unit.count,
        noValue: untold,
      },
      [{ expr: why.cores, legend: 'cores' }, { expr: why.packages, legend: 'processors' }],
      { steps: true, least: 0, most: 1 },
    ),
    graphPanel(
      {
        ...third,
        title: 'Limit of the processor\'s frequency',
        description: `${limiting} In each turn. Metric: exobench_model_cpu_frequency_limit_min_ratio.`,
        unit: unit.ratio,
        noValue: untold,
      },
      [{ expr: why.limit, legend: 'limit' }],
      { steps: true, least: 0, max: 1 },
    ),
    graphPanel(
      {
        ...third,
        title: 'Requests beside other work',
        description:
          'Requests that other people\'s work on exo ran beside (contended), or during which the exporter did not get the processor ' +
          '(starved). They are in no figure; where they are many, the others are not undisturbed either. Metrics: ' +
          'exobench_contended_requests_total, exobench_starved_requests_total.',
        unit: unit.count,
        noValue: nothing.exporter,
      },
      [{ expr: why.contended, legend: 'contended' }, { expr: why.starved, legend: 'starved' }],
      { bars: true, least: 0, most: 1 },
    ),
    ...sensorPanels(),
    graphPanel(
      {
        width: 12,
        height: 8,
        title: 'Temperature',
        description: 'Of each machine\'s GPU, as exo reports it. Metric: exobench_node_temperature_celsius.',
        unit: unit.celsius,
        noValue: nothing.sensors,
      },
      [{ expr: nodeAndExporter.temperature, legend: '{{node}}' }],
    ),
    graphPanel(
      {
        width: 12,
        height: 8,
        title: 'Power',
        description:
          'Drawn by each machine, as exo reports it: less than usual at work is a limit, of heat, of low-power mode or of the power supply. ' +
          'Metric: exobench_node_power_watts.',
        unit: unit.watts,
        noValue: nothing.sensors,
      },
      [{ expr: nodeAndExporter.power, legend: '{{node}}' }],
      { least: 0 },
    ),
  ];
}

/** What exo itself shows of the machines that hold the chosen model, wherever they are, turn by turn. */
function sensorPanels(): timeseries.PanelBuilder[] {
  return [
    graphPanel(
      {
        ...third,
        title: 'Temperature in each turn',
        description:
          `The highest of the GPUs of the machines that hold the model ${bySensors} Metric: ` +
          'exobench_model_temperature_peak_celsius.',
        unit: unit.celsius,
        noValue: nothing.turn,
      },
      [{ expr: why.temperature, legend: 'highest' }],
      { steps: true, least: 40, most: 80 },
    ),
    graphPanel(
      {
        ...third,
        title: 'GPU in use in each turn',
        description:
          `The mean of the machines that hold the model ${bySensors} Slower with less of the GPU in use than usual points to something ` +
          'else that exo waits for. Metric: exobench_model_gpu_utilization_ratio.',
        unit: unit.ratio,
        noValue: nothing.turn,
      },
      [{ expr: why.gpu, legend: 'GPU' }],
      { steps: true, least: 0, max: 1 },
    ),
    graphPanel(
      {
        ...third,
        title: 'Power in each turn',
        description:
          `The mean of the machines that hold the model, all together, ${bySensors} Slower, hotter and at less power than usual points ` +
          'to heat. Metric: exobench_model_power_watts.',
        unit: unit.watts,
        noValue: nothing.turn,
      },
      [{ expr: why.power, legend: 'power' }],
      { steps: true, least: 0 },
    ),
  ];
}

/** The same at any time of each machine of the job, memory agents' included. */
export function conditionPanels(): timeseries.PanelBuilder[] {
  const half = { width: 12, height: 7 };
  return [
    graphPanel(
      {
        ...half,
        title: 'Waiting for each machine',
        description:
          `${pressure} ${everywhere} Metrics: exobench_node_pressure_waiting_seconds_total, exobench_node_pressure_stalled_seconds_total.`,
        unit: unit.ratio,
        noValue: untold,
      },
      [{ expr: conditions.waiting, legend: '{{node}} {{resource}}' }, { expr: conditions.stalled, legend: '{{node}} {{resource}}, all' }],
      { least: 0, most: 0.05 },
    ),
    graphPanel(
      {
        ...half,
        title: 'Pressure of each Mac',
        description: `${levels} ${everywhere} Metrics: exobench_node_thermal_pressure, exobench_node_memory_pressure.`,
        unit: unit.count,
        noValue: untold,
      },
      [{ expr: conditions.thermal, legend: '{{node}} thermal' }, { expr: conditions.memory, legend: '{{node}} memory' }],
      { steps: true, least: 0, most: 4 },
    ),
    graphPanel(
      {
        ...half,
        title: 'Each machine slowed down for heat',
        description:
          `How often in a minute cores, and processors as a whole, slowed down for heat. ${throttling} ${everywhere} Metrics: ` +
          'exobench_node_cpu_core_throttles_total, exobench_node_cpu_package_throttles_total.',
        unit: unit.count,
        noValue: untold,
      },
      [{ expr: conditions.cores, legend: '{{node}} cores' }, { expr: conditions.packages, legend: '{{node}} processors' }],
      { least: 0, most: 1 },
    ),
    graphPanel(
      {
        ...half,
        title: 'Limit of each machine\'s frequency',
        description: `${limiting} ${everywhere} Metric: exobench_node_cpu_frequency_limit_ratio.`,
        unit: unit.ratio,
        noValue: untold,
      },
      [{ expr: conditions.limit, legend: '{{node}}' }],
      { steps: true, least: 0, max: 1 },
    ),
  ];
}
