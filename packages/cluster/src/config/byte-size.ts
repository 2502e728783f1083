const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1_024, m: 1_024 ** 2, g: 1_024 ** 3 };

/**
 * A size of memory: bytes as a number, or a text such as "600mb" or "1.5g" (powers of 1,024, as pm2 and Docker take them).
 * @returns whole bytes above 0; undefined for anything else.
 */
export function parseByteSize(value: number | string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(b|[kmg]b?)$/i.exec(String(value).trim());
  const bytes =
    typeof value === 'number' ? value : match ? Number(match[1]) * (UNITS[(match[2] as string).charAt(0).toLowerCase()] as number) : 0;
  const whole = Math.round(bytes);
  return Number.isSafeInteger(whole) && whole > 0 && (typeof value === 'string' || whole === value) ? whole : undefined;
}
