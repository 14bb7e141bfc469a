// What the models really ran on.
import type * as table from '@grafana/grafana-foundation-sdk/table';

import { none, nothing, unit, words } from './panels';
import { machines } from './queries';
import { labelsPanel } from './tables';

export function machinesPanel(size: { width: number; height: number }): table.PanelBuilder {
  return labelsPanel(
    {
      ...size,
      title: 'Machines',
      description:
        'What exo says of its machines: model, chip, system and memory. On Linux exo does not know the first two. Metrics: ' +
        'exobench_node_info, exobench_node_memory_bytes.',
      unit: unit.none,
      noValue: nothing.machines,
    },
    machines,
    {
      node: { title: 'Node', width: 110 },
      os: { title: 'System', width: 70 },
      machine: { title: 'Machine', width: 160 },
      chip: { title: 'Chip', width: 160 },
      Value: { title: 'Memory', unit: unit.bytes, decimals: 0, mappings: words({ '0': { text: none, color: 'text' } }) },
    },
    'Node',
  );
}
