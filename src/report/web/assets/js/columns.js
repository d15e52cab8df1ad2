// The columns of the table, each once: its name, what its cells show, what it sorts by (null comes last in either
// direction), its width in rem, and when it is there without being asked for.

const WIDE_PX = 1200;

const plainNumber = (key) => (day) => day.of[key] ?? new Array(day.rows).fill(null);
const shown = (key, words) => (day, row) => {
  const value = day.of[key]?.[row] ?? null;
  return [value === null ? '–' : words(value)];
};
// Words in the order of their letters, rows without one last.
const byWords = (key) => (day) => {
  const words = day.words[key] ?? [];
  const { compare } = new Intl.Collator('en', { numeric: true });
  const order = words.map((_, i) => i).sort((a, b) => compare(words[a], words[b]));
  const rank = new Array(words.length);
  order.forEach((at, i) => {
    rank[at] = i;
  });
  return day.of[key].map((at) => (at < 0 ? null : rank[at]));
};
const shownWord = (key) => (day, row) => [word(day, key, row) ? name(word(day, key, row)) : '–'];

function hoursBelow(day) {
  const of = new Map();
  return day.of.hours.map((at, row) => {
    const expected = day.expected[row];
    const key = at * 16 + expected;
    if (!of.has(key)) {
      const letters = [...(day.words.hours[at] ?? '')];
      of.set(key, letters.filter((letter) => isBelow(ofHour(letter), expected)).length);
    }
    return of.get(key);
  });
}

function lossCell(day, row) {
  const { lost_mbps: mbps, lost_gb: gb } = day.of;
  if (mbps[row] === null) return [el('span', { class: 'hint', title: t('unknown_width') }, '?')];
  return [figure(mbps[row]), sub(`${figure(gb[row])} GB`)];
}

function lastTag(day, row) {
  const last = modulationName(day.last[row]);
  return el('span', { class: `tag ${last}${isStillLow(day, row) ? ' low' : ''}` }, last);
}

const COLUMNS = [
  {
    id: 'cmts',
    label: 'cmts',
    width: 6,
    first: '',
    sort: (day) => day.places,
    cell: (day, row) => [name(word(day, 'cmts', row)), sub(name(word(day, 'platform', row) || t('unknown')))],
  },
  {
    id: 'upstream',
    label: 'upstream',
    width: 9.5,
    first: '',
    sort: byWords('upstream'),
    cell: (day, row) => {
      const about = [word(day, 'description', row), word(day, 'node', row)].filter(Boolean);
      return [name(word(day, 'upstream', row)), ...about.map((text) => sub(name(text)))];
    },
  },
  {
    id: 'why',
    label: 'why',
    width: 6.8,
    first: '-',
    sort: (day) => day.of.why.map((at) => WHY_ORDER(day.reasons[at])),
    cell: (day, row) => badges(day, row),
    has: (day) => day.reasons.some((all) => all.length),
  },
  {
    id: 'hours',
    label: 'hours',
    width: 7.6,
    first: '-',
    sort: hoursBelow,
    cell: (day, row) => [hourStrip(day, row)],
    has: (day) => day.words.hours.length > 0,
  },
  {
    id: 'days',
    label: 'days_strip',
    width: 8,
    first: '-',
    on: (state) => state.view === 'chronic',
    sort: plainNumber('chronic_days'),
    cell: (day, row) => [dayStrip(day, row)],
    has: () => past !== null,
  },
  {
    id: 'since',
    label: 'since_label',
    width: 6.6,
    first: '',
    on: (state) => state.view === 'chronic',
    sort: byWords('since'),
    cell: (day, row) => [sinceWords(day, row) || '–'],
  },
  {
    id: 'chronic',
    label: 'chronic_days',
    width: 4.6,
    n: true,
    first: '-',
    on: (state) => state.view === 'chronic',
    sort: plainNumber('chronic_days'),
    cell: shown('chronic_days', number),
  },
  {
    id: 'best',
    label: 'best_seen',
    width: 5,
    first: '',
    on: (state) => state.view === 'chronic',
    sort: byWords('best_seen'),
    cell: (day, row) => [shortDate(word(day, 'best_seen', row)) || '–'],
  },
  { id: 'mbps', label: 'lost_mbps', width: 5, n: true, first: '-', sort: (day) => day.score, cell: lossCell },
  {
    id: 'lost',
    label: 'lost_pct',
    width: 3.6,
    n: true,
    first: '-',
    sort: plainNumber('lost_pct'),
    cell: (day, row) => [figure(day.of.lost_pct[row])],
  },
  {
    id: 'degraded',
    label: 'degraded',
    width: 6.2,
    n: true,
    first: '-',
    sort: plainNumber('degraded_s'),
    cell: (day, row) =>
      day.of.degraded_s[row]
        ? [duration(day.of.degraded_s[row]), sub(duration(day.of.longest_degraded_s[row]))]
        : ['–'],
  },
  {
    id: 'hops',
    label: 'hops',
    width: 4,
    n: true,
    first: '-',
    sort: plainNumber('hops'),
    cell: (day, row) => [
      number(day.of.hops[row]),
      day.of.hops[row] ? sub(`↓${day.of.hops_down[row]} ↑${day.of.hops_up[row]}`) : null,
    ],
  },
  {
    id: 'share',
    label: 'measured',
    width: 6.4,
    first: '-',
    on: (state, isWide) => !isWide && state.view !== 'chronic',
    sort: plainNumber('measurements'),
    cell: (day, row) => [shareBar(sharesOf(day, row)), sub(tn('count_measurements', day.of.measurements[row]))],
  },
  ...MODULATIONS.map((modulation, m) => ({
    id: `share_${modulation}`,
    text: modulation,
    unit: ' %',
    width: 4.2,
    n: true,
    first: '-',
    on: (state, isWide) => isWide && state.view !== 'chronic',
    sort: plainNumber(`share_pct_${modulation}`),
    cell: (day, row) => {
      const pct = day.of[`share_pct_${modulation}`][row];
      return [pct ? el('span', { class: pct === 100 ? 'whole' : '' }, figure(pct)) : ''];
    },
    has: (day) => day.seen.includes(m),
  })),
  {
    id: 'measurements',
    label: 'measurements',
    width: 6.8,
    n: true,
    first: '-',
    on: (state, isWide) => isWide && state.view !== 'chronic',
    sort: plainNumber('measurements'),
    cell: shown('measurements', number),
  },
  {
    id: 'last',
    label: 'last_expected',
    width: 5.6,
    first: '',
    sort: (day) => day.last.map((m) => (m < 0 ? null : m)),
    cell: (day, row) => [
      lastTag(day, row),
      sub(day.expected[row] < 0 ? t('nothing_expected') : t('expected_of', modulationName(day.expected[row]))),
    ],
  },
  {
    id: 'coverage',
    label: 'coverage',
    width: 4.6,
    n: true,
    first: '',
    sort: plainNumber('coverage_pct'),
    cell: (day, row) => [
      el(
        'span',
        { class: day.of.coverage_pct[row] < 90 ? 'warn' : '' },
        `${figure(day.of.coverage_pct[row])} %`,
      ),
    ],
  },
  {
    id: 'delta',
    label: 'day_before',
    width: 5.4,
    n: true,
    first: '-',
    on: (state) => state.view !== 'chronic',
    sort: plainNumber('delta_lost_pct'),
    cell: (day, row) => [deltaLost(day, row) ?? '', sub(deltaHops(day, row))],
    has: (day) => hasAny(day, 'delta_hops'),
  },
  ...['node', 'hub', 'area'].map((key) => ({
    id: key,
    label: key,
    width: 6.4,
    first: '',
    on: () => false,
    sort: byWords(key),
    cell: shownWord(key),
    has: (day) => hasAny(day, key),
  })),
  ...[
    ['center', 'center_hz', 'center', megahertz],
    ['width', 'width_hz', 'width', megahertz],
    ['snr', 'snr_db_median', 'snr', (value) => number(value, 1)],
    ['modems', 'modems', 'modems', number],
    ['customers', 'customer_hours', 'customer_hours', figure],
  ].map(([id, key, label, words]) => ({
    id,
    label,
    width: 5.4,
    n: true,
    first: '-',
    on: () => false,
    sort: plainNumber(key),
    cell: shown(key, (value) => words(value)),
    has: (day) => hasAny(day, key),
  })),
  {
    id: 'link',
    label: 'link',
    width: 3.6,
    first: '',
    on: () => false,
    sort: (day) => day.places,
    cell: (day, row) => [linkOf(day, row)],
  },
];

// More reasons of more weight come first when sorted downwards.
const REASONS = Object.keys(WORDS.why);
const WHY_ORDER = (all) =>
  all?.length ? all.reduce((sum, reason) => sum + 2 ** (REASONS.length - REASONS.indexOf(reason)), 0) : null;

function linkOf(day, row) {
  const url = urlOf(day, row);
  // Only what is an address, and no script.
  return /^https?:\/\//.test(url) ? el('a', { href: url }, '#') : el('span', {}, '–');
}

const columnLabel = ({ label, text, unit = '' }) => (text ? text + unit : t(label));
const columnOf = (sort) => COLUMNS.find(({ id }) => id === sort.replace(/^-/, ''));
const sortOf = (sort) => (columnOf(sort) ? sort : DEFAULTS.sort);

// The columns that can be there: one that no row has anything in takes no room. Kept, for a day does not change.
function offered(day) {
  const isKnown = past !== null;
  if (day.offered?.isKnown !== isKnown)
    day.offered = { isKnown, columns: COLUMNS.filter(({ has }) => has?.(day) ?? true) };
  return day.offered.columns;
}

const usualColumns = (day, state) =>
  offered(day).filter(({ on }) => on?.(state, innerWidth >= WIDE_PX) ?? true);

// The columns that are there: those that were chosen, else the usual ones.
function columnsOf(day, state) {
  if (!state.cols) return usualColumns(day, state);
  const chosen = new Set(state.cols.split('.'));
  return offered(day).filter(({ id }) => chosen.has(id) || id === 'cmts' || id === 'upstream');
}

// The choice of columns, as boxes; `choose` takes the new state of the address.
function columnBoxes(day, state, choose) {
  const there = new Set(columnsOf(day, state).map(({ id }) => id));
  const boxes = offered(day)
    .filter(({ id }) => id !== 'cmts' && id !== 'upstream')
    .map((column) => {
      const box = el('input', { type: 'checkbox', value: column.id });
      box.checked = there.has(column.id);
      box.addEventListener('change', () => {
        if (box.checked) there.add(column.id);
        else there.delete(column.id);
        choose([...there].filter((id) => id !== 'cmts' && id !== 'upstream').join('.') || 'cmts');
      });
      return el('label', {}, box, ` ${columnLabel(column)}`);
    });
  const usual = el('button', { type: 'button', onclick: () => choose('') }, t('default_columns'));
  return [...boxes, usual];
}
