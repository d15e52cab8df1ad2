// From all rows to those of the view: filtered by what was asked, in the order that was asked.

const HOP_CLASSES = { high: (n) => n > 50, medium: (n) => n >= 10 && n <= 50, low: (n) => n < 10 };
const COVERAGES = { whole: (pct) => pct >= 99, gaps: (pct) => pct < 99, poor: (pct) => pct < 50 };

// What each column sorts by; null comes last in either direction.
const SORTS = {
  cmts: { label: 'CMTS', of: (day) => day.places, first: '' },
  upstream: {
    label: 'Upstream',
    of: (day) => {
      const size = day.words.upstream.length;
      return day.places.map((place) => place % size);
    },
    first: '',
  },
  why: { label: 'Why', of: (day) => day.of.why.map((mask) => mask || null), first: '-' },
  hours: {
    label: 'Hours of the day',
    of: (day) => day.of.hours.map((_, i) => hoursBelow(day, i)),
    first: '-',
  },
  mbps: { label: 'Lost Mbit/s', of: (day) => day.score, first: '-' },
  lost: { label: 'Lost %', of: (day) => day.of.lost_pct, first: '-' },
  degraded: { label: 'Degraded', of: (day) => day.of.degraded_s, first: '-' },
  hops: { label: 'Hops', of: (day) => day.of.hops, first: '-' },
  share: { label: 'Measured', of: (day) => day.below, first: '-' },
  last: { label: 'Last, expected', of: (day) => day.of.last.map((m) => (m < 0 ? null : m)), first: '' },
  coverage: { label: 'Coverage', of: (day) => day.of.coverage_pct, first: '' },
  delta: { label: 'Day before', of: (day) => day.of.delta_lost_pct, first: '-' },
};

function hoursBelow(day, row) {
  let hours = 0;
  for (const letter of word(day, 'hours', row)) if (isBelow(ofHour(letter), day.of.expected[row])) hours++;
  return hours;
}

const sortOf = (sort) => (Object.hasOwn(SORTS, sort.replace(/^-/, '')) ? sort : DEFAULTS.sort);

// All rows in the order of one column; equal ones by name. Kept until another order is asked for.
function ordered(day, sort) {
  if (day.order?.sort === sort) return day.order.rows;
  const keys = SORTS[sort.replace(/^-/, '')].of(day);
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

function hitsOf(texts, term) {
  const hits = new Uint8Array(texts.length);
  for (let i = 0; i < texts.length; i++) if (texts[i].includes(term)) hits[i] = 1;
  return hits;
}

// Each word of the search must stand in the CMTS, the upstream or the description.
function searchTest(day, query) {
  const terms = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!terms.length) return null;
  const fields = ['cmts', 'upstream', 'description'].map((key) => ({
    column: day.of[key],
    hits: terms.map((term) => hitsOf(day.lower[key], term)),
  }));
  return (row) => terms.every((_, t) => fields.some(({ column, hits }) => hits[t][column[row]] === 1));
}

function tests(day, state) {
  const asked = [searchTest(day, state.q)];
  const family = day.words.platform.indexOf(state.family);
  if (state.family)
    asked.push((row) =>
      state.family === 'unknown' ? day.of.platform[row] < 0 : day.of.platform[row] === family,
    );
  const isHops = HOP_CLASSES[state.hops];
  if (isHops) asked.push((row) => isHops(day.of.hops[row]));
  const seen = day.counts.get(MODULATIONS.indexOf(state.mod));
  if (state.mod) asked.push((row) => seen?.[row] > 0);
  const bit = day.words.why.indexOf(state.why);
  if (state.why) asked.push((row) => bit >= 0 && (day.of.why[row] & (1 << bit)) !== 0);
  const isCovered = COVERAGES[state.cov];
  if (isCovered) asked.push((row) => isCovered(day.of.coverage_pct[row]));
  return asked.filter(Boolean);
}

function view(day, state) {
  const asked = tests(day, state);
  const all = ordered(day, sortOf(state.sort));
  return asked.length ? all.filter((row) => asked.every((test) => test(row))) : all;
}
