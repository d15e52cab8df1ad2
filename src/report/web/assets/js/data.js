// One day as mod-report wrote it: columns, mostly dictionary-encoded, unpacked into arrays by row.

const MODULATIONS = ['QPSK', 'QAM8', 'QAM16', 'QAM32', 'QAM64', 'QAM128', 'QAM256', 'OFDMA', 'UNKNOWN'];
// Bits per symbol; OFDMA and UNKNOWN have none.
const BITS = [2, 3, 4, 5, 6, 7, 8, null, null];
const UNSEEN = -1;
// Width of the channels whose width is not known, for their rank only.
const USUAL_WIDTH_HZ = 6.4e6;

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

function decode(raw) {
  if (raw.v !== 1 || raw.kind !== 'modtools-day')
    throw new Error('this is no data of a modulation report that this page can read');
  const rows = raw.rows;
  const of = {};
  for (const [key, column] of Object.entries(raw.columns)) of[key] = unpack(column, rows);
  const counts = new Map(
    raw.counts.map(({ modulation, column }) => [MODULATIONS.indexOf(modulation), unpack(column, rows)]),
  );
  const from = Date.parse(raw.report.from);
  const to = Date.parse(raw.report.to);
  const day = {
    report: raw.report,
    rows,
    of,
    counts,
    words: raw.words,
    shares: raw.shares,
    stepMs: raw.step_s * 1000,
    from,
    to,
    end: Math.min(to, Math.max(from, Date.parse(raw.report.generated_at))),
    clock: clock(raw.report.tz),
  };
  day.measurements = sums(rows, [...counts.values()]);
  day.below = shareBelow(day);
  day.score = scores(day);
  day.places = places(day);
  // Flapping is told of every row, whether or not anybody asked why.
  const flapping = 1 << day.words.why.indexOf('flapping');
  of.why = of.why.map((mask, row) => (of.flapping[row] ? mask | flapping : mask));
  day.has = {
    why: of.why.some((mask) => mask !== 0),
    delta: of.delta_hops.some((hops) => hops !== null),
    hours: day.words.hours.length > 0,
  };
  day.lower = {};
  for (const key of ['cmts', 'upstream', 'description'])
    day.lower[key] = day.words[key].map((word) => word.toLowerCase());
  return day;
}

function sums(rows, columns) {
  const total = new Array(rows).fill(0);
  for (const column of columns) for (let i = 0; i < rows; i++) total[i] += column[i];
  return total;
}

// Percent of the measurements that were below the expected modulation.
function shareBelow(day) {
  const below = new Array(day.rows).fill(0);
  for (const [modulation, column] of day.counts) {
    for (let i = 0; i < day.rows; i++)
      if (column[i] && isBelow(modulation, day.of.expected[i])) below[i] += column[i];
  }
  return below.map((n, i) => (n ? (100 * n) / day.measurements[i] : 0));
}

// What the ranking goes by: Mbit/s lost, reckoned with the usual width where the width is not known.
function scores(day) {
  const { lost_mbps: mbps, lost_pct: pct, expected } = day.of;
  return mbps.map(
    (lost, i) => lost ?? (pct[i] ? ((pct[i] / 100) * USUAL_WIDTH_HZ * BITS[expected[i]]) / 1.25e6 : null),
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
  const [cmts, upstream] = [rank(day.words.cmts), rank(day.words.upstream)];
  return day.of.cmts.map((word, i) => cmts[word] * day.words.upstream.length + upstream[day.of.upstream[i]]);
}

const word = (day, key, row) => day.words[key][day.of[key][row]] ?? '';
const keyOf = (day, row) => `${word(day, 'cmts', row)} ${word(day, 'upstream', row)}`;
const reasons = (day, row) => day.words.why.filter((_, bit) => day.of.why[row] & (1 << bit));
const familyOf = (day, row) => word(day, 'platform', row) || 'unknown';

const HOUR_MS = 3_600_000;
// A letter of the strip of hours, as a modulation.
const ofHour = (letter) =>
  letter === 'O' ? 7 : letter === '?' ? 8 : letter === '-' ? UNSEEN : BITS.indexOf(Number(letter));

// The stretches of equal modulation of a row, [{from, to, modulation}] in ms: by scans where the file tells
// them, else by hours.
function runs(day, row, coarse = false) {
  const steps = coarse ? '' : word(day, 'steps', row);
  const pieces = steps
    ? [...steps.matchAll(/([a-i-])(\d*)/g)].map(([, letter, n]) => [
        letter === '-' ? UNSEEN : letter.charCodeAt(0) - 97,
        Number(n || 1),
      ])
    : [...word(day, 'hours', row)].map((letter) => [ofHour(letter), 1]);
  const length = steps ? day.stepMs : HOUR_MS;
  const found = [];
  let at = day.from;
  for (const [modulation, n] of pieces) {
    const last = found.at(-1);
    const to = Math.min(at + n * length, day.to);
    if (last?.modulation === modulation) last.to = to;
    else found.push({ from: at, to, modulation });
    at = to;
  }
  if (found.length && found.at(-1).to > day.end) found.at(-1).to = Math.max(day.end, found.at(-1).from);
  return found;
}

// The stretches below expectation that no moment above it parts; time without data parts nothing.
function spells(day, row) {
  const expected = day.of.expected[row];
  const found = [];
  let open = false;
  for (const run of runs(day, row)) {
    if (isBelow(run.modulation, expected)) {
      if (open) {
        const spell = found.at(-1);
        spell.to = run.to;
        if (BITS[run.modulation] < BITS[spell.modulation]) spell.modulation = run.modulation;
      } else found.push({ ...run });
      open = true;
    } else if (run.modulation !== UNSEEN) open = false;
  }
  return found;
}
