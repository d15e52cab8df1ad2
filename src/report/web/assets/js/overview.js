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
  if (made <= day.from && !day.rows) return [banner('warn', t('no_data_yet', report.date ?? both(day.from)))];
  const found = [];
  if (trouble) found.push(banner('bad', t('not_read', trouble, both(made))));
  found.push(...devices(day));
  const isNewest = newest !== undefined && newest === report.date;
  if (isNewest && report.date === date(now) && now - made > STALE_TODAY_MS) {
    found.push(banner('bad', t('stale_today', duration((now - made) / 1000), both(made))));
  } else if (isNewest && now - day.to > STALE_DAYS_MS) {
    found.push(banner('bad', t('stale', dayName(day.from))));
  } else if (made < day.to && report.date !== date(now)) {
    found.push(banner('warn', t('made_early', both(made))));
  }
  if (report.missing_days?.length) found.push(banner('bad', t('missing_days', report.missing_days.join(', '))));
  if (report.built_in) found.push(banner('quiet', tn('built_in', report.built_in)));
  if (report.upstreams === 0) found.push(banner('bad', t('nothing_measured')));
  else if (report.coverage_pct < 90) found.push(banner('warn', t('thin', figure(report.coverage_pct))));
  return found;
}

// Devices that do not answer: silent in the whole window, stopped during it, or not polled any more.
function devices(day) {
  const at = (ts) => day.clock.both(Date.parse(ts));
  const { silent, gone = [] } = day.report;
  const said = ({ cmts, since, status }) => [
    cmts,
    ` ${since ? t('since', at(since)) : t('never_good')}: ${statusWords(status)}`,
  ];
  return [
    deviceBanner('bad', 'silent', silent.map(said)),
    deviceBanner('bad', 'stopped', (day.stopped ?? []).map(({ cmts, since }) => [cmts, ` ${t('last_measured', at(since))}`])),
    deviceBanner('quiet', 'gone', gone.map(({ cmts, since }) => [cmts, ` ${t('last_polled', at(since))}`])),
  ].filter(Boolean);
}

function deviceBanner(kind, key, told) {
  if (!told.length) return null;
  const list = el('ul', {}, ...told.map(([cmts, words]) => el('li', {}, el('strong', {}, name(cmts)), words)));
  const head = tn(key, told.length);
  return told.length > 6
    ? el('details', { class: `banner ${kind}` }, el('summary', {}, head), list)
    : el('div', { class: `banner ${kind}` }, el('p', {}, head), list);
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
  const isChronic = day.reasons.map((all) => all.includes('chronic'));
  let [low, still, chronic, customers] = [0, 0, 0, 0];
  for (let row = 0; row < day.rows; row++) {
    if (day.of.degraded_s[row]) low++;
    if (isStillLow(day, row)) still++;
    if (isChronic[day.of.why[row]]) chronic++;
    customers += day.of.customer_hours?.[row] ?? 0;
  }
  day.chronic = chronic;
  const shares = day.seen.map((m) => [m, report.share_pct[MODULATIONS[m]]]);
  const keys = shares.map(([m, pct]) =>
    el(
      'span',
      { class: 'key' },
      el('i', { class: `m ${modulationName(m)}` }),
      `${modulationName(m)} ${figure(pct)} %`,
    ),
  );
  const stillWords = t('still_below', number(still));
  return [
    card(t('upstreams'), number(report.upstreams), tn('on_cmts', report.cmts)),
    card(t('below'), number(low), chronic ? `${stillWords}, ${t('chronic_count', number(chronic))}` : stillWords),
    card(
      t('capacity_lost'),
      report.lost_mbps == null ? '–' : `${figure(report.lost_mbps)} Mbit/s`,
      report.lost_gb == null ? t('no_width') : t('gb_in_all', figure(report.lost_gb)),
    ),
    hasAny(day, 'customer_hours')
      ? card(t('customer_hours'), number(customers), t('customer_hours_note'))
      : null,
    card(
      t('hops'),
      number(report.hops),
      report.upstreams ? t('per_upstream', figure(report.hops / report.upstreams)) : '',
    ),
    card(t('measurements'), number(report.measurements), t('each', duration(report.interval_s))),
    card(t('coverage'), `${figure(report.coverage_pct)} %`, t('of_time_observed')),
    el(
      'div',
      { class: 'card shares' },
      el('span', { class: 'label' }, t('share_of_each')),
      shareBar(shares),
      el('span', { class: 'legend' }, ...keys),
    ),
  ].filter(Boolean);
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
  return rows.map((row) => {
    const about = [word(day, 'description', row), word(day, 'node', row)].filter(Boolean);
    return el(
      'li',
      {},
      el(
        'button',
        { type: 'button', class: 'pick', onclick: () => open(row) },
        el(
          'span',
          { class: 'who' },
          el('strong', {}, name(word(day, 'cmts', row)), ' ', name(word(day, 'upstream', row))),
          el('span', { class: 'hint' }, ...about.flatMap((text, i) => [i ? ', ' : '', name(text)])),
          ...badges(day, row),
        ),
        el('span', { class: 'what' }, word(day, 'says', row)),
        el('span', { class: 'strips' }, hourStrip(day, row), dayStrip(day, row)),
        el(
          'span',
          { class: 'loss' },
          el('span', {}, ...parts('lost_of', el('strong', {}, lossWords(day, row)))),
          el('i', { class: 'meter', '--part': (100 * day.score[row]) / most }),
        ),
      ),
    );
  });
}

function tenHint(day) {
  const rows = [...worstTen(day)];
  if (!rows.length) return t('none_below');
  const sum = (list) => list.reduce((total, row) => total + (day.score[row] ?? 0), 0);
  const part = figure((100 * sum(rows)) / sum([...ordered(day, '-mbps')]));
  return rows.length === 1 ? t('worst_one', part) : t('worst_many', number(rows.length), part);
}

// Incidents of the same scan are one line: each of them qualifies by itself. Largest first.
function grouped(incidents) {
  const groups = new Map();
  for (const incident of incidents) {
    const key = `${incident.ts} ${incident.maintenance ? 1 : 0}`;
    if (!groups.has(key)) groups.set(key, { ts: Date.parse(incident.ts), size: 0, members: [] });
    const group = groups.get(key);
    group.size += incident.upstreams;
    group.members.push(incident);
  }
  return [...groups.values()].sort((a, b) => b.size - a.size || a.ts - b.ts);
}

const INCIDENTS = 12;
const MEMBERS = 8;

// `choose` filters by a node or a CMTS.
function incidentList(day, choose) {
  const groups = grouped(day.report.incidents);
  if (!groups.length) return [el('p', { class: 'hint' }, t('no_incidents'))];
  const time = day.report.date ? day.clock.time : day.clock.both;
  const items = groups.slice(0, INCIDENTS).map(({ ts, size, members }) => {
    const shown = members.slice(0, MEMBERS).flatMap(({ cmts, node, upstreams }, i) => [
      i ? ', ' : '',
      node ? chooser(node, () => choose('node', node)) : null,
      node ? ' ' : '',
      chooser(cmts, () => choose('cmts', cmts)),
      members.length > 1 ? ` (${number(upstreams)})` : '',
    ]);
    return el(
      'li',
      {},
      el('strong', {}, time(ts)),
      ` ${tn('down_on', size)}`,
      ...shown,
      members.length > MEMBERS ? ` ${tn('smaller_ones', members.length - MEMBERS)}` : '',
      members[0].maintenance ? el('span', { class: 'badge' }, t('worked_on')) : null,
    );
  });
  return [
    el('ol', { class: 'incidents' }, ...items),
    groups.length > INCIDENTS
      ? el('p', { class: 'hint' }, tn('smaller_ones', groups.length - INCIDENTS))
      : null,
  ].filter(Boolean);
}
