import { grown, last, ofModel } from './queries';

/** How it was while a turn's requests ran: on the exporter's machine, or on those that hold the model. */
const ofTurn = (name: string, by = 'model') => last(`exobench_model_${name}`, by, ofModel);

/** Of every machine of the job: memory agents, which are instances of their own, tell of theirs. */
const ofJob = (name: string) => `exobench_node_${name}{job=~"$job"}`;

/** What is so at any time, by machine. */
const now = (name: string) => `max by (node) (${ofJob(name)})`;

/** How much a counter of a machine grows in a second. */
const rate = (name: string, by: string) => `max by (${by}) (rate(${ofJob(name)}[$__rate_interval]))`;

/** Requests of the chosen model that were marked, at the moments at which they were counted. */
const marked = (name: string) => `sum(${grown(`exobench_${name}_requests_total`, ofModel)})`;

export const why = {
  waiting: ofTurn('pressure_waiting_ratio', 'resource'),
  stalled: ofTurn('pressure_stalled_ratio', 'resource'),
  thermal: ofTurn('thermal_pressure_peak'),
  memory: ofTurn('memory_pressure_peak'),
  cores: ofTurn('cpu_core_throttles'),
  packages: ofTurn('cpu_package_throttles'),
  limit: ofTurn('cpu_frequency_limit_min_ratio'),
  temperature: ofTurn('temperature_peak_celsius'),
  gpu: ofTurn('gpu_utilization_ratio'),
  power: ofTurn('power_watts'),
  contended: marked('contended'),
  starved: marked('starved'),
};

export const conditions = {
  waiting: rate('pressure_waiting_seconds_total', 'node, resource'),
  stalled: rate('pressure_stalled_seconds_total', 'node, resource'),
  thermal: now('thermal_pressure'),
  memory: now('memory_pressure'),
  cores: `60 * ${rate('cpu_core_throttles_total', 'node')}`,
  packages: `60 * ${rate('cpu_package_throttles_total', 'node')}`,
  limit: now('cpu_frequency_limit_ratio'),
};
