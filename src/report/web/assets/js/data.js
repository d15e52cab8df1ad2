// One day as mod-report wrote it: columns, mostly dictionary-encoded, unpacked into arrays by row. What they mean
// was reckoned there; here it is only looked up.

const MODULATIONS = WORDS.modulations.map(({ word }) => word);
// Bits per symbol; OFDMA and UNKNOWN have none.
const BITS = WORDS.modulations.map(({ bits }) => bits);
const UNSEEN = -1;
// Width of the channels whose width is not known, for their rank only.
const USUAL_WIDTH_HZ = 6.4e6;

const modulationName = (modulation) => MODULATIONS[modulation] ?? '';
const isBelow = (modulation, expected) =>
  modulation >= 0 && expected >= 0 && BITS[modulation] !== null && BITS[modulation] < BITS[expected];

// A column is an array, or its most frequent value and the places (as distances) and values of all others.
function unpack(column, rows) {
  if (Array.isArray(column)) return column;
  const values = new Array(rows).fill(column.usual);
  let at = -1;
  column.gaps.forEach((gap, i) => {
    values[(at += gap)] = column.values[i];
  });
  return values;
}

const TEXTS = ['cmts', 'upstream', 'platform', 'description', 'node', 'hub', 'area', 'hours', 'why', 'says'].concat(
  ['last', 'worst', 'expected', 'since', 'best_seen'],
);
const NO_WORDS = { words: [], at: { usual: -1, gaps: [], values: [] } };

// Columns by name: `of` has the numbers, and of words their places in `words`.
function decode(raw) {
  if (raw.kind !== 'modtools-day' || raw.v !== 2) throw new Error(t('not_ours', raw.report?.date ?? 'DATE'));
  const { rows } = raw;
  const [of, words, own] = [{}, {}, new Set()];
  const take = (key, column) => {
    if (column?.words) {
      words[key] = column.words;
      of[key] = unpack(column.at, rows);
      if (column.own) own.add(key);
    } else if (column) of[key] = unpack(column, rows);
  };
  for (const [key, column] of Object.entries(raw.columns)) take(key, column);
  // A column of words that no row has came as one of numbers.
  for (const key of TEXTS) if (!words[key]) take(key, NO_WORDS);
  take('steps', raw.steps);
  take('tops', raw.tops);
  const from = Date.parse(raw.report.from);
  const to = Date.parse(raw.report.to);
  const day = {
    report: raw.report,
    names: Object.keys(raw.columns),
    own,
    rows,
    of,
    words,
    shares: raw.shares,
    stopped: raw.stopped,
    pageUrl: raw.page_url,
    stepMs: raw.step_s * 1000,
    from,
    to,
    end: Math.min(to, Math.max(from, Date.parse(raw.report.generated_at))),
    clock: clock(raw.report.tz),
  };
  day.seen = MODULATIONS.map((_, m) => m).filter((m) => raw.report.share_pct[MODULATIONS[m]] > 0);
  for (const key of ['last', 'expected', 'worst']) day[key] = asModulations(day, key);
  day.reasons = (words.why ?? []).map((text) => text.split(' ').filter(Boolean));
  day.score = scores(day);
  day.places = places(day);
  day.folded = {};
  for (const key of ['cmts', 'upstream', 'description', 'node', 'hub'])
    day.folded[key] = (words[key] ?? []).map(folded);
  return day;
}

// A column of words as numbers of modulations.
function asModulations(day, key) {
  const numbers = day.words[key].map((word) => MODULATIONS.indexOf(word));
  return day.of[key].map((at) => numbers[at] ?? UNSEEN);
}

// Whether any row has something in a column.
const hasAny = (day, key) =>
  day.of[key]?.some((value) => value !== null && !(day.words[key] && value < 0)) ?? false;

// What the ranking goes by: Mbit/s lost, reckoned with the usual width where the width is not known.
function scores(day) {
  const { lost_mbps: mbps, lost_pct: pct } = day.of;
  return mbps.map(
    (lost, i) =>
      lost ?? (pct[i] ? ((pct[i] / 100) * USUAL_WIDTH_HZ * BITS[day.expected[i]]) / 1.25e6 : null),
  );
}

// The place of each row in the order of names; digits in names count as numbers.
function places(day) {
  const { compare } = new Intl.Collator('en', { numeric: true });
  const rank = (words) => {
    const ranks = new Array(words.length);
    words
      .map((_, i) => i)
      .sort((a, b) => compare(words[a], words[b]))
      .forEach((word, i) => {
        ranks[word] = i;
      });
    return ranks;
  };
  if (!day.rows) return [];
  const [cmts, upstream] = [rank(day.words.cmts), rank(day.words.upstream)];
  return day.of.cmts.map((word, i) => cmts[word] * day.words.upstream.length + upstream[day.of.upstream[i]]);
}

const word = (day, key, row) => day.words[key]?.[day.of[key][row]] ?? '';
const keyOf = (day, row) => `${word(day, 'cmts', row)} ${word(day, 'upstream', row)}`;
const reasons = (day, row) => day.reasons[day.of.why[row]] ?? [];
const sharesOf = (day, row) => day.seen.map((m) => [m, day.of[`share_pct_${MODULATIONS[m]}`][row]]);

// Whether it was still below expectation when last measured.
const isStillLow = (day, row) => isBelow(day.last[row], day.expected[row]);

// The row with this key, -1 if there is none.
function rowOf(day, key) {
  for (let row = 0; row < day.rows; row++) if (keyOf(day, row) === key) return row;
  return -1;
}

// The address of a row: that of --page-url, else of this page.
function urlOf(day, row) {
  const here = location.protocol.startsWith('http') ? location.href.split('#')[0] : null;
  const page = day.pageUrl ?? here;
  if (!page) return '';
  const key = encodeURIComponent(keyOf(day, row)).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${page.replace(/#+$/, '')}#date=${day.clock.date(day.from)}&open=${key}`;
}

const HOUR_MS = 3_600_000;
// A letter of the strip of hours, as a modulation.
const ofHour = (letter) =>
  letter === 'O' ? 7 : letter === '?' ? 8 : letter === '-' ? UNSEEN : BITS.indexOf(Number(letter));

// Letters with how many of each, as numbers of modulations.
const pieces = (text) =>
  [...text.matchAll(/([a-i-])(\d*)/g)].map(([, letter, n]) => [
    letter === '-' ? UNSEEN : letter.charCodeAt(0) - 97,
    Number(n || 1),
  ]);
const spread = (text) => pieces(text).flatMap(([modulation, n]) => new Array(n).fill(modulation));

// The stretches of equal modulation of a row, [{from, to, modulation}] in ms: by scans where the file has them,
// else by hours. Time that nothing was measured in is a stretch of its own.
function runs(day, row) {
  const steps = word(day, 'steps', row);
  const found = [];
  const length = steps ? day.stepMs : HOUR_MS;
  const known = steps ? pieces(steps) : [...word(day, 'hours', row)].map((letter) => [ofHour(letter), 1]);
  let at = day.from;
  for (const [modulation, n] of known) {
    const last = found.at(-1);
    const to = Math.min(at + n * length, day.to);
    if (last?.modulation === modulation) last.to = to;
    else found.push({ from: at, to, modulation });
    at = to;
  }
  if (found.length && found.at(-1).to > day.end) found.at(-1).to = Math.max(day.end, found.at(-1).from);
  return found;
}

// The last days of every upstream, of data/history.json: finished days only.
function decodeHistory(raw) {
  if (raw?.kind !== 'modtools-history' || raw.v !== 1) return null;
  const strips = new Map();
  for (const [cmts, upstreams, texts] of raw.rows)
    upstreams.forEach((upstream, i) => strips.set(`${cmts} ${upstream}`, texts[i]));
  return { days: new Map(raw.days.map(({ date }, at) => [date, at])), strips };
}

const STRIP_DAYS = 30;

// The last day of a strip: that of the page if it is over, else the one before.
const lastDayOf = (day) => {
  const date = day.clock.date(day.to - 1);
  return day.end >= day.to ? date : dateAfter(date, -1);
};

// The modulations of the 30 finished days up to the one that is looked at; null when nothing is known of them.
function daysOf(day, history, row) {
  const text = history?.strips.get(keyOf(day, row));
  if (text === undefined) return null;
  const known = spread(text);
  const last = lastDayOf(day);
  const found = Array.from({ length: STRIP_DAYS }, (_, i) => {
    const date = dateAfter(last, i + 1 - STRIP_DAYS);
    return { date, modulation: known[history.days.get(date)] ?? UNSEEN };
  });
  return found.some(({ modulation }) => modulation >= 0) ? found : null;
}
