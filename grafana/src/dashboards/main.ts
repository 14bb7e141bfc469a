// Writes the dashboards into the directory given as argument.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { compare } from './compare';
import { model } from './model';
import { node } from './node';
import { overview } from './overview';

const directory = process.argv[2];
if (!directory) throw new Error('usage: main.js DIRECTORY');

mkdirSync(directory, { recursive: true });
for (const dashboard of [overview(), model(), compare(), node()]) {
  writeFileSync(join(directory, `${dashboard.uid}.json`), `${JSON.stringify(dashboard, null, 2)}\n`);
}
