/**
 * The id of a panel, by which links open it alone (viewPanel): made from its title, so that it stays what it is when
 * panels come, go or move. 32-bit FNV-1a, folded to a million; exporter/rules makes the same of the titles that alerts lead to.
 */
export function panelId(title: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(title)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return (hash % 1_000_000) + 1;
}
