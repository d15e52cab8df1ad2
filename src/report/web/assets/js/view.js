// From all rows to the rows of the view: filtered and ordered as was asked.

const HOP_CLASSES = { high: (n) => n > 50, medium: (n) => n >= 10 && n <= 50, low: (n) => n < 10 };
const COVERAGES = { whole: (pct) => pct >= 99, gaps: (pct) => pct < 99, poor: (pct) => pct < 50 };

// All rows in the order of one column; equal ones by name. Kept until another order is asked for.
function ordered(day, sort) {
  if (day.order?.sort === sort) return day.order.rows;
  const keys = columnOf(sort).sort(day);
  const sign = sort.startsWith('-') ? -1 : 1;
  const { places } = day;
  const rows = Uint32Array.from({ length: day.rows }, (_, i) => i).sort((a, b) => {
    const [x, y] = [keys[a], keys[b]];
    if (x === y) return places[a] - places[b];
    if (x === null) return 1;
    if (y === null) return -1;
    return sign * (x - y) || places[a] - places[b];
  });
  day.order = { sort, rows };
  return rows;
}

const MOST_STARS = 4;

// What a term of the search finds in a text: the term itself anywhere, or with * and ? a whole name or a whole
// word of it, as --cmts does.
function finder(term) {
  const stars = term.replace(/\*+/g, '*');
  if (!/[*?]/.test(stars) || stars.split('*').length - 1 > MOST_STARS) return (text) => text.includes(term);
  const pattern = stars
    .replace(/[.+^${}()|[\]\\/-]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const whole = new RegExp(`(?:^|\\s)${pattern}(?:$|\\s)`, 'su');
  return (text) => whole.test(text);
}

const hitsOf = (texts, find) => Uint8Array.from(texts, (text) => (find(text) ? 1 : 0));

// Each word of the search must stand in the CMTS, the upstream, the description, the node or the hub.
function searchTest(day, query) {
  const terms = folded(query).split(/\s+/).filter(Boolean).map(finder);
  if (!terms.length) return null;
  const fields = Object.keys(day.folded)
    .filter((key) => day.folded[key].length)
    .map((key) => ({ column: day.of[key], hits: terms.map((find) => hitsOf(day.folded[key], find)) }));
  return (row) => terms.every((_, n) => fields.some(({ column, hits }) => hits[n][column[row]] === 1));
}

// Rows with this word, or without any.
function wordTest(day, key, wanted) {
  if (!wanted) return null;
  if (wanted === '-') return (row) => word(day, key, row) === '';
  const at = (day.words[key] ?? []).indexOf(wanted);
  return (row) => at >= 0 && day.of[key][row] === at;
}

// Rows of a node by its name or a pattern.
function nodeTest(day, wanted) {
  if (!wanted || wanted === '-') return wordTest(day, 'node', wanted);
  const term = folded(wanted);
  const find = /[*?]/.test(term) ? finder(term) : (text) => text === term;
  const hits = hitsOf(day.folded.node, find);
  return (row) => hits[day.of.node[row]] === 1;
}

function tests(day, state) {
  const asked = [
    searchTest(day, state.q),
    wordTest(day, 'platform', state.family),
    wordTest(day, 'hub', state.hub),
    nodeTest(day, state.node),
  ];
  const isHops = Object.hasOwn(HOP_CLASSES, state.hops) && HOP_CLASSES[state.hops];
  if (isHops) asked.push((row) => isHops(day.of.hops[row]));
  if (state.mod) {
    const counted = day.seen.includes(MODULATIONS.indexOf(state.mod)) ? day.of[`counts_${state.mod}`] : null;
    asked.push((row) => counted?.[row] > 0);
  }
  for (const wanted of [state.why, state.view]) {
    if (!wanted) continue;
    const has = day.reasons.map((all) => all.includes(wanted));
    asked.push((row) => has[day.of.why[row]] === true);
  }
  const isCovered = Object.hasOwn(COVERAGES, state.cov) && COVERAGES[state.cov];
  if (isCovered) asked.push((row) => isCovered(day.of.coverage_pct[row]));
  return asked.filter(Boolean);
}

function view(day, state) {
  const asked = tests(day, state);
  const all = ordered(day, sortOf(state.sort));
  return asked.length ? all.filter((row) => asked.every((test) => test(row))) : all;
}
