import { readFileSync } from 'node:fs';

const file = '../../prometheus/RUNBOOK.md';

/** What the runbook says about an alert, in Markdown. */
export function section(alert: string): string {
  const found = readFileSync(file, 'utf8')
    .split(/^## /m)
    .find((text) => text.startsWith(`${alert}\n`));
  if (!found) throw new Error(`${file} has no section ${alert}`);
  return found.slice(alert.length).trim();
}
