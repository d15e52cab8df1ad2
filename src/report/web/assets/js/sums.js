// Sums by family, CMTS, node or hub: what has none is a group of its own, so that the groups add up to the total.

const SUMS_ROWS = 15;
const SUM_KEYS = ['platform', 'cmts', 'hub', 'node', 'area'];
const sumLabel = (key) => t(key === 'platform' ? 'family' : key);
const sumKeys = (day) => SUM_KEYS.filter((key) => key === 'platform' || hasAny(day, key));

function sumsBy(day, key) {
  const groups = new Map();
  for (let row = 0; row < day.rows; row++) {
    const id = day.of[key][row];
    if (!groups.has(id)) {
      const nothing = { upstreams: 0, below: 0, hops: 0, measurements: 0, lost: 0, isLossKnown: false, coverage: 0 };
      groups.set(id, { id, cmts: new Set(), modems: 0, counts: new Map(), ...nothing });
    }
    const of = groups.get(id);
    of.cmts.add(day.of.cmts[row]);
    of.upstreams++;
    if (day.of.degraded_s[row]) of.below++;
    of.hops += day.of.hops[row];
    of.measurements += day.of.measurements[row];
    of.coverage += day.of.coverage_pct[row];
    of.lost += day.of.lost_mbps[row] ?? 0;
    of.modems += day.of.modems?.[row] ?? 0;
    of.isLossKnown ||= day.of.lost_mbps[row] !== null;
    for (const m of day.seen)
      of.counts.set(m, (of.counts.get(m) ?? 0) + day.of[`counts_${MODULATIONS[m]}`][row]);
  }
  return [...groups.values()].sort((a, b) => b.lost - a.lost || b.below - a.below || a.id - b.id);
}

function sumsLine(day, key, of, hasModems, choose) {
  const shares = [...of.counts].map(([m, n]) => [m, of.measurements ? (100 * n) / of.measurements : 0]);
  const words = shares
    .filter(([, pct]) => pct > 0)
    .map(([m, pct]) => `${modulationName(m)} ${figure(pct)} %`)
    .join(', ');
  const label = day.words[key][of.id] ?? t(key === 'platform' ? 'unknown' : 'none_of_these');
  const figures = [of.cmts.size, of.upstreams, of.below, of.hops, of.measurements];
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, chooser(label, () => choose(key, day.words[key][of.id]))),
    ...figures.map((n) => el('td', { class: 'n' }, number(n))),
    hasModems ? el('td', { class: 'n' }, number(of.modems)) : null,
    el('td', {}, shareBar(shares), sub(words)),
    el('td', { class: 'n' }, of.isLossKnown ? figure(of.lost) : '?'),
    el('td', { class: 'n' }, `${figure(of.coverage / of.upstreams)} %`),
  );
}

function sumsTable(day, key, choose) {
  const all = sumsBy(day, key);
  const hasModems = hasAny(day, 'modems');
  const head = [
    [sumLabel(key)],
    [t('cmtss'), 'n'],
    [t('upstreams'), 'n'],
    [t('below'), 'n'],
    [t('hops'), 'n'],
    [t('measurements'), 'n'],
    ...(hasModems ? [[t('modems'), 'n']] : []),
    [t('share_of_each')],
    [t('mbps_lost'), 'n'],
    [t('coverage'), 'n'],
  ];
  const shown = all.slice(0, SUMS_ROWS);
  return [
    el(
      'table',
      { class: 'small' },
      el('caption', { class: 'unseen' }, t('sums_title')),
      el('thead', {}, el('tr', {}, ...head.map(([text, kind]) => el('th', { scope: 'col', class: kind }, text)))),
      el('tbody', {}, ...shown.map((of) => sumsLine(day, key, of, hasModems, choose))),
    ),
    all.length > shown.length
      ? el('p', { class: 'hint' }, t('sums_hint', number(shown.length), number(all.length)))
      : null,
  ].filter(Boolean);
}
