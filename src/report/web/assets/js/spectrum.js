// The second map: node or CMTS by centre frequency. Noise that enters the network at one frequency is a column.

const FEW_FREQUENCIES = 20;
const BIN_HZ = 5e6;
const SPECTRUM_ROWS = 15;

// What the map can be by: nodes where they are known.
const spectrumKeys = (day) => ['node', 'hub', 'cmts'].filter((key) => hasAny(day, key));

// The columns: each centre frequency, or bins of 5 MHz where there are many.
function frequencies(day) {
  const known = [...new Set(day.of.center_hz.filter((hz) => hz !== null))].sort((a, b) => a - b);
  if (known.length <= FEW_FREQUENCIES)
    return { bins: known, binOf: (hz) => hz, label: (hz) => megahertz(hz) };
  const binOf = (hz) => Math.floor(hz / BIN_HZ) * BIN_HZ;
  const label = (hz) => `${hz / 1e6}–${(hz + BIN_HZ) / 1e6}`;
  return { bins: [...new Set(known.map(binOf))], binOf, label };
}

// By group and frequency: the upstreams, and the sum of the percent that each lost.
function spectrum(day, key) {
  const { bins, binOf, label } = frequencies(day);
  const groups = new Map();
  for (let row = 0; row < day.rows; row++) {
    const hz = day.of.center_hz[row];
    const pct = day.of.lost_pct[row];
    if (hz === null || pct === null) continue;
    const of = day.of[key][row];
    if (!groups.has(of)) groups.set(of, { of, lost: 0, cells: new Map() });
    const group = groups.get(of);
    group.lost += day.score[row] ?? 0;
    const bin = binOf(hz);
    const cell = group.cells.get(bin) ?? { upstreams: 0, lost: 0 };
    cell.upstreams++;
    cell.lost += pct;
    group.cells.set(bin, cell);
  }
  return { bins, label, groups: [...groups.values()].sort((a, b) => b.lost - a.lost || a.of - b.of) };
}

function spectrumCell(cell) {
  if (!cell) return el('td', { class: 'future' }, '');
  const pct = cell.lost / cell.upstreams;
  const title = t('lost_pct_of', figure(pct), tn('count_upstreams', cell.upstreams));
  return el('td', { class: 'n', '--heat': heatOf(pct), title }, roughPct(pct));
}

function spectrumPicture(day, key, choose) {
  const { bins, label, groups } = spectrum(day, key);
  if (!bins.length) return [el('p', { class: 'hint' }, t('no_frequencies'))];
  const title = (of) => day.words[key][of] ?? t('none_of_these');
  const rows = groups.slice(0, SPECTRUM_ROWS).map((group) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, chooser(title(group.of), () => choose(key, day.words[key][group.of]))),
      ...bins.map((bin) => spectrumCell(group.cells.get(bin))),
      el('td', { class: 'n lost' }, figure(group.lost)),
    ),
  );
  return [
    el(
      'table',
      { class: 'heat' },
      el('caption', { class: 'unseen' }, t('spectrum_caption')),
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          el('th', { scope: 'col' }, t(key)),
          ...bins.map((bin) => el('th', { scope: 'col', class: 'bin' }, label(bin))),
          el('th', { scope: 'col', class: 'lost' }, t('mbps_lost')),
        ),
      ),
      el('tbody', {}, ...rows),
    ),
    el('p', { class: 'hint' }, t('spectrum_hint')),
  ];
}
