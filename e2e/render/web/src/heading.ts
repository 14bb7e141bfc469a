// Headings in Grafana's table since 12.2, of which the components have an older one that leaves them more room.

import type { View } from './view';

/** Pixels of a heading that are not its text's: padding and the line beside it; and where the table is sorted by it, an arrow and a gap. */
const around = 13;
const arrow = 24;

/** Whether a heading's text is wider than what Grafana leaves of its column for it. */
export function headingCut(heading: Element, view: View): boolean {
  const text = (heading as HTMLElement).innerText.trim();
  const sorted = (view.panel.options?.sortBy ?? []).some(({ displayName }: any) => displayName === text);
  const range = document.createRange();
  range.selectNodeContents(textOf(heading, text));
  return range.getBoundingClientRect().width + around + (sorted ? arrow : 0) > heading.getBoundingClientRect().width + 0.5;
}

/** The innermost element with the text. */
function textOf(heading: Element, text: string): Element {
  return [...heading.querySelectorAll('*')].reverse().find((e) => (e as HTMLElement).innerText?.trim() === text) ?? heading;
}
