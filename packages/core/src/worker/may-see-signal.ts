const NAME = '[\\w$]+';
const PATTERN = '\\{[^=.(){}]*\\}'; // destructuring without defaults, rest or nesting
const PARAMETER = `(?:${NAME}|${PATTERN})`;
const PLAIN_HEAD = new RegExp(
  `^(?:async\\b\\s*)?(?:function\\b\\s*)?(?:${NAME}\\s*=>|(?:${NAME})?\\s*\\(\\s*(?:${PARAMETER}\\s*(?:,\\s*${PARAMETER}\\s*)?,?\\s*)?\\)\\s*(?:=>|\\{))`,
);

/**
 * Whether a processor can see its third argument, the abort signal. Making one costs a tenth of what an instant job costs in all, so it is
 * not made for a function that plainly declares at most two parameters. Whatever is not plain (defaults, rest parameters, `arguments`,
 * bound or native functions, comments among the parameters) counts as seeing it.
 */
export function maySeeSignal(processor: { readonly length: number }): boolean {
  if (processor.length > 2) return true;
  const source = Function.prototype.toString.call(processor);
  return /\barguments\b|\beval\b|\[native code\]/.test(source) || !PLAIN_HEAD.test(source);
}
