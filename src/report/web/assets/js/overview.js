// Above the table: is the data whole, what does the day come to, and which upstreams need somebody.

const STALE_TODAY_MS = 30 * 60_000;
const STALE_DAYS_MS = 36 * HOUR_MS;

const banner = (kind, ...children) => el('p', { class: `banner ${kind}` }, ...children);

// What must be known before any number is believed.
// `newest` is the newest date of the site, if this is a site: a file by itself grows old without being stale.
function banners(day, newest, now, trouble) {
  const {
    report,
    clock: { both, day: dayName, date },
  } = day;
  const made = Date.parse(report.generated_at);
  const found = [];
  if (trouble)
    found.push(
      banner('bad', `Newer data could not be read (${trouble}). What you see was made ${both(made)}.`),
    );
  if (report.silent.length) found.push(silentBanner(day));
  const isNewest = newest !== undefined && newest === report.date;
  if (isNewest && report.date === date(now) && now - made > STALE_TODAY_MS) {
    found.push(
      banner(
        'bad',
        `Stale: this page of today was made ${duration((now - made) / 1000)} ago, at ${both(made)}. Is the report still being run?`,
      ),
    );
  } else if (isNewest && now - day.to > STALE_DAYS_MS) {
    found.push(
      banner('bad', `Stale: the newest data is of ${dayName(day.from)}. No report has been made since.`),
    );
  } else if (made < day.to && report.date !== date(now)) {
    found.push(
      banner(
        'warn',
        `This page was made ${both(made)}, before its day had ended: what came later is missing.`,
      ),
    );
  }
  if (report.upstreams === 0) found.push(banner('bad', 'No measurement at all in this window.'));
  else if (report.coverage_pct < 90) {
    found.push(
      banner(
        'warn',
        `Only ${figure(report.coverage_pct)} % of the time was observed: hops and losses are lower bounds.`,
      ),
    );
  }
  return found;
}

function silentBanner(day) {
  const { silent } = day.report;
  const told = silent.map(({ cmts, since, status }) =>
    el(
      'li',
      {},
      el('strong', {}, name(cmts)),
      ` ${since ? `since ${day.clock.both(Date.parse(since))}` : 'no good scan of it is known'}: ${statusWords(status)}`,
    ),
  );
  const head = `${count(silent.length, 'CMTS', 'CMTSs')} silent, no good scan in this window:`;
  const list = el('ul', {}, ...told);
  return silent.length > 6
    ? el('details', { class: 'banner bad' }, el('summary', {}, head), list)
    : el('div', { class: 'banner bad' }, el('p', {}, head), list);
}

function card(label, value, note) {
  return el(
    'div',
    { class: 'card' },
    el('span', { class: 'label' }, label),
    el('strong', {}, value),
    note ? el('span', { class: 'note' }, note) : null,
  );
}

function totals(day) {
  const { report } = day;
  let low = 0;
  let still = 0;
  for (let row = 0; row < day.rows; row++) {
    if (day.of.degraded_s[row]) low++;
    if (isStillLow(day, row)) still++;
  }
  const shares = MODULATIONS.map((modulation, i) => [i, report.share_pct[modulation] ?? 0]).filter(
    ([, pct]) => pct > 0,
  );
  const keys = shares.map(([modulation, pct]) =>
    el(
      'span',
      { class: 'key' },
      el('i', { class: `m ${modulationName(modulation)}` }),
      `${modulationName(modulation)} ${figure(pct)} %`,
    ),
  );
  return [
    card('Upstreams', number(report.upstreams), `on ${count(report.cmts, 'CMTS', 'CMTSs')}`),
    card('Below expectation', number(low), `${number(still)} still so when last seen`),
    card(
      'Capacity lost',
      report.lost_mbps == null ? '–' : `${figure(report.lost_mbps)} Mbit/s`,
      report.lost_gb == null ? 'no channel width is known' : `${figure(report.lost_gb)} GB in all`,
    ),
    card(
      'Hops',
      number(report.hops),
      report.upstreams ? `${figure(report.hops / report.upstreams)} per upstream` : '',
    ),
    card('Measurements', number(report.measurements), `each ${duration(report.interval_s)}`),
    card('Coverage', `${figure(report.coverage_pct)} %`, 'of the time was observed'),
    el(
      'div',
      { class: 'card shares' },
      el('span', { class: 'label' }, 'Share of each modulation'),
      shareBar(shares),
      el('span', { class: 'legend' }, ...keys),
    ),
  ];
}

function perFamily(day) {
  const families = new Map();
  for (let row = 0; row < day.rows; row++) {
    const id = day.of.platform[row];
    if (!families.has(id))
      families.set(id, {
        cmts: new Set(),
        upstreams: 0,
        hops: 0,
        measurements: 0,
        lost: 0,
        isLossKnown: false,
        coverage: 0,
        counts: new Map(),
      });
    const of = families.get(id);
    of.cmts.add(day.of.cmts[row]);
    of.upstreams++;
    of.hops += day.of.hops[row];
    of.measurements += day.measurements[row];
    of.coverage += day.of.coverage_pct[row];
    of.lost += day.of.lost_mbps[row] ?? 0;
    of.isLossKnown ||= day.of.lost_mbps[row] !== null;
    for (const [modulation, counted] of day.counts)
      of.counts.set(modulation, (of.counts.get(modulation) ?? 0) + counted[row]);
  }
  return [...families]
    .map(([id, of]) => ({ name: day.words.platform[id] ?? 'unknown', ...of }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function familiesTable(day, choose) {
  const head = [
    'Family',
    'CMTSs',
    'Upstreams',
    'Hops',
    'Measurements',
    'Share of each modulation',
    'Mbit/s lost',
    'Coverage',
  ];
  const lines = perFamily(day).map((of) => {
    const shares = [...of.counts].map(([modulation, n]) => [
      modulation,
      of.measurements ? (100 * n) / of.measurements : 0,
    ]);
    const words = shares
      .filter(([, pct]) => pct > 0)
      .map(([modulation, pct]) => `${modulationName(modulation)} ${figure(pct)} %`)
      .join(', ');
    return el(
      'tr',
      {},
      el(
        'th',
        { scope: 'row' },
        el(
          'button',
          { type: 'button', class: 'link', title: 'Show its upstreams', onclick: () => choose(of.name) },
          name(of.name),
        ),
      ),
      ...[of.cmts.size, of.upstreams, of.hops, of.measurements].map((n) =>
        el('td', { class: 'n' }, number(n)),
      ),
      el('td', {}, shareBar(shares), sub(words)),
      el('td', { class: 'n' }, of.isLossKnown ? figure(of.lost) : '?'),
      el('td', { class: 'n' }, `${figure(of.coverage / of.upstreams)} %`),
    );
  });
  return el(
    'table',
    { class: 'small' },
    el('caption', { class: 'unseen' }, 'Totals by device family'),
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        ...head.map((text, i) => el('th', { scope: 'col', class: i > 0 && i !== 5 ? 'n' : '' }, text)),
      ),
    ),
    el('tbody', {}, ...lines),
  );
}

const TEN = 10;

// The upstreams that lose most: what a technician should look at.
const worstTen = (day) =>
  ordered(day, '-mbps')
    .slice(0, TEN)
    .filter((row) => day.score[row] > 0);

function tenList(day, open) {
  const rows = [...worstTen(day)];
  const most = day.score[rows[0]];
  return rows.map((row) =>
    el(
      'li',
      {},
      el(
        'button',
        { type: 'button', class: 'pick', onclick: () => open(row) },
        el(
          'span',
          { class: 'who' },
          el('strong', {}, name(word(day, 'cmts', row)), ' ', name(word(day, 'upstream', row))),
          el(
            'span',
            { class: 'hint' },
            word(day, 'description', row) ? name(word(day, 'description', row)) : null,
          ),
          ...badges(day, row),
        ),
        el('span', { class: 'what' }, sentence(day, row)),
        strip(day, row),
        el(
          'span',
          { class: 'loss' },
          el('span', {}, el('strong', {}, lossWords(day, row)), ' lost'),
          el('i', { class: 'meter', '--part': (100 * day.score[row]) / most }),
        ),
      ),
    ),
  );
}

function tenHint(day) {
  const rows = [...worstTen(day)];
  if (!rows.length) return 'No upstream was below its expected modulation.';
  const sum = (list) => list.reduce((total, row) => total + (day.score[row] ?? 0), 0);
  const part = (100 * sum(rows)) / sum([...ordered(day, '-mbps')]);
  return `The ${rows.length === 1 ? 'upstream that loses' : `${rows.length} upstreams that lose`} most capacity: ${figure(part)} % of all that was lost. Each opens in the table below.`;
}

// Incidents that follow each other within two scans are told together: they may share one cause.
function grouped(incidents, gapMs) {
  const groups = [];
  for (const incident of incidents) {
    const at = Date.parse(incident.ts);
    const last = groups.at(-1);
    if (last && at - last.to <= gapMs) {
      last.to = at;
      last.members.push(incident);
    } else groups.push({ from: at, to: at, members: [incident] });
  }
  return groups;
}

function incidentList(day, choose) {
  const groups = grouped(day.report.incidents, 2 * day.report.interval_s * 1000);
  if (!groups.length)
    return [
      el(
        'p',
        { class: 'hint' },
        'Nowhere did five or more upstreams of one CMTS step down in the same scan.',
      ),
    ];
  const time = day.report.date ? day.clock.time : day.clock.both;
  const size = (group) => group.members.reduce((sum, { upstreams }) => sum + upstreams, 0);
  groups.sort((a, b) => size(b) - size(a));
  const SHOWN = 12;
  const items = groups.slice(0, SHOWN).map((group) => {
    const byCmts = new Map();
    for (const { cmts, upstreams } of group.members) byCmts.set(cmts, (byCmts.get(cmts) ?? 0) + upstreams);
    const when = group.from === group.to ? time(group.from) : `${time(group.from)} to ${time(group.to)}`;
    const devices = [...byCmts].flatMap(([cmts, n], i) => [
      i ? ', ' : '',
      el(
        'button',
        { type: 'button', class: 'link', title: 'Show its upstreams', onclick: () => choose(cmts) },
        name(cmts),
      ),
      byCmts.size > 1 ? ` (${number(n)})` : '',
    ]);
    const what = group.members.length === 1 ? count(size(group), 'upstream') : count(size(group), 'step');
    return el(
      'li',
      {},
      el('strong', {}, when),
      ` ${what} down on ${byCmts.size === 1 ? '' : `${number(byCmts.size)} CMTSs: `}`,
      ...devices,
    );
  });
  return [
    el('ol', { class: 'incidents' }, ...items),
    groups.length > SHOWN
      ? el('p', { class: 'hint' }, `and ${count(groups.length - SHOWN, 'smaller one')}.`)
      : null,
  ].filter(Boolean);
}
