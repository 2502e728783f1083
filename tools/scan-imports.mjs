/**
 * Reads which modules a TypeScript source names. TypeScript 7 offers no parser to JavaScript, and a search for the word
 * `import` would find comments and strings: a scanner drops comments and tells strings, templates and regular expressions apart.
 */

/** @typedef {{ specifier: string, line: number, dynamic: boolean }} Import */

/**
 * @returns {Import[]} every module this text names in an `import`, `export ... from`, `import()` or `require()`, types included;
 * a computed `import(name)` names none.
 */
export function importsOf(text) {
  const tokens = scan(text);
  const found = [];
  tokens.forEach((token, i) => {
    if (token.kind !== 'word' || tokens[i - 1]?.text === '.') return;
    const next = tokens[i + 1];
    const isCall = next?.text === '(' && tokens[i + 2]?.kind === 'string';
    if ((token.text === 'import' || token.text === 'require') && isCall) {
      found.push({ specifier: tokens[i + 2].text, line: token.line, dynamic: token.text === 'import' });
    } else if (token.text === 'import' && next?.text !== '(' && next?.text !== '.') {
      pushStatic(token, tokens.slice(i + 1, i + 1 + clauseLength(tokens, i + 1)));
    } else if (token.text === 'export' && /^(\*|\{|type)$/.test(next?.text ?? '')) {
      pushStatic(token, tokens.slice(i + 1, i + 1 + clauseLength(tokens, i + 1)));
    }
  });
  return found;

  function pushStatic(at, clause) {
    const last = clause.at(-1);
    const isFrom = clause.length === 1 || clause.at(-2)?.text === 'from';
    if (last?.kind === 'string' && isFrom) found.push({ specifier: last.text, line: at.line, dynamic: false });
  }
}

/** How many tokens an import or export clause takes, up to and with the name of the module; names and `{ , * }` are all it has. */
function clauseLength(tokens, start) {
  let end = start;
  let braces = 0;
  while (end < tokens.length) {
    const { kind, text } = tokens[end];
    if (kind === 'string' && braces === 0) return end - start + 1;
    if (text === '{') braces++;
    if (text === '}') braces--;
    if (kind !== 'word' && kind !== 'string' && !/^[{},*]$/.test(text)) break;
    end++;
  }
  return end - start;
}

const BEFORE_REGEX = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'new',
  'else',
  'do',
  'await',
  'yield',
  'instanceof',
]);
const TOKEN = new RegExp(
  [
    /(?<space>\s+|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))/,
    /(?<string>'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*")/,
    /(?<word>[\p{ID_Start}$_#][\p{ID_Continue}$]*|\d[\w.]*)/u,
    /(?<other>[\s\S])/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'uy',
);
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const TEMPLATE_TEXT = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;

/** Splits TypeScript into words, strings and single characters, without comments, templates' texts and regular expressions. */
function scan(text) {
  const tokens = [];
  const templates = []; // for each template we are inside of: the depth of braces at its ${
  let [at, line, depth] = [0, 1, 0];
  const take = (pattern) => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return undefined;
    at = pattern.lastIndex;
    line += match[0].split('\n').length - 1;
    return match;
  };
  const templateText = () => {
    take(TEMPLATE_TEXT);
    if (text.startsWith('${', at)) templates.push(depth);
    at += text.startsWith('${', at) ? 2 : 1;
  };
  while (at < text.length) {
    const startLine = line;
    const previous = tokens.at(-1);
    const mayBeRegex =
      previous === undefined || (previous.kind === 'other' && !/[)\]}]/.test(previous.text)) || BEFORE_REGEX.has(previous.text);
    if (text[at] === '/' && !/^\/[/*]/.test(text.slice(at, at + 2)) && mayBeRegex && take(REGEX)) {
      tokens.push({ kind: 'regex', text: '', line: startLine });
      continue;
    }
    const { space, string, word, other } = take(TOKEN).groups;
    if (space !== undefined) continue;
    if (string !== undefined) tokens.push({ kind: 'string', text: string.slice(1, -1), line: startLine });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, line: startLine });
    else if (other === '`' || (other === '}' && templates.at(-1) === depth)) {
      if (other === '}') templates.pop();
      else tokens.push({ kind: 'template', text: '', line: startLine });
      templateText();
    } else {
      if (other === '{') depth++;
      if (other === '}') depth--;
      tokens.push({ kind: 'other', text: other, line: startLine });
    }
  }
  return tokens;
}
