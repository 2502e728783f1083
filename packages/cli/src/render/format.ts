/** Quantities as people read them. */

/** Two units at most: `45s`, `3m 20s`, `2h 5m`, `4d 3h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0s';
  const shown = parts.slice(first, first + 2).filter(([value]) => value > 0);
  return shown.map(([value, unit]) => `${value}${unit}`).join(' ');
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MB`;
}

/** `1 worker`, `2 workers`. */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** As many of the words as fit into `width`, and how many more there are. */
export function fitList(words: readonly string[], width: number): string {
  const all = words.join(' ');
  if (all.length <= width) return all;
  let text = '';
  for (const [i, word] of words.entries()) {
    const longer = text === '' ? word : `${text} ${word}`;
    const rest = ` +${words.length - i - 1}`;
    if (longer.length + rest.length > width) return text === '' ? `${words.length} in all` : `${text} +${words.length - i}`;
    text = longer;
  }
  return text;
}
