// The pictures. Each of them can be read without its colours: by height, by number, or as a table.

// Heights in percent: more bits per symbol are higher, so that no colour is needed to tell them apart.
const HEIGHTS = [28, 40, 52, 64, 76, 88, 100, 100, 15];

// Stretches as a picture as wide as the day: one path per modulation, hatched where nothing was measured.
function stretches(day, pieces) {
  const paths = new Map();
  for (const { from, to, modulation } of pieces) {
    const height = HEIGHTS[modulation] ?? 100;
    const [x, width] = [from - day.from, to - from].map((ms) => ms / 60_000);
    paths.set(
      modulation,
      `${paths.get(modulation) ?? ''}M${x} ${100 - height}h${width}v${height}h${-width}z`,
    );
  }
  return svg(
    'svg',
    {
      viewBox: `0 0 ${(day.to - day.from) / 60_000} 100`,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    },
    ...[...paths].map(([modulation, d]) =>
      svg('path', { class: `m ${modulationName(modulation) || 'none'}`, d }),
    ),
  );
}

// The strip of hours of a row.
function strip(day, row) {
  const pieces = runs(day, row, true);
  if (!pieces.length) return null;
  const { time } = day.clock;
  const spoken = pieces
    .map((piece) => `${time(piece.from)} ${modulationName(piece.modulation) || 'nothing measured'}`)
    .join(', ');
  return el(
    'span',
    { class: 'strip', role: 'img', 'aria-label': `by hour: ${spoken}`, title: spoken },
    stretches(day, pieces),
  );
}

// Shares as one bar: [modulation, percent][].
function shareBar(shares) {
  const known = shares.filter(([, pct]) => pct > 0);
  const words = known.map(([modulation, pct]) => `${modulationName(modulation)} ${figure(pct)} %`).join(', ');
  return el(
    'span',
    { class: 'bar', role: 'img', 'aria-label': words || 'nothing measured', title: words },
    ...known.map(([modulation, pct]) => el('i', { class: `m ${modulationName(modulation)}`, '--span': pct })),
  );
}

const sharesOf = (day, row) =>
  [...day.counts].map(([modulation, counted]) => [
    modulation,
    day.measurements[row] ? (100 * counted[row]) / day.measurements[row] : 0,
  ]);

const legendOf = (modulations) =>
  modulations.map((modulation) =>
    el(
      'span',
      { class: 'key' },
      el('i', { class: `m ${modulationName(modulation)}` }),
      modulationName(modulation),
    ),
  );

// Marks below a picture of the day, each three hours; by the hours that really passed when clocks change.
function hourAxis(day) {
  const marks = [];
  for (let at = day.from; at < day.to; at += 3 * HOUR_MS) {
    marks.push(el('span', { '--at': (100 * (at - day.from)) / (day.to - day.from) }, day.clock.time(at)));
  }
  return el('div', { class: 'axis', 'aria-hidden': 'true' }, ...marks);
}

// A band of a stacked picture, from the heights of its lower to those of its upper edge.
function band(lower, upper) {
  const along = (edge, i) => `L${i} ${(100 - edge[i]).toFixed(2)}L${i + 1} ${(100 - edge[i]).toFixed(2)}`;
  const back = (edge, i) => `L${i + 1} ${(100 - edge[i]).toFixed(2)}L${i} ${(100 - edge[i]).toFixed(2)}`;
  const slots = upper.map((_, i) => i);
  return `M0 ${(100 - lower[0]).toFixed(2)}${slots.map((i) => along(upper, i)).join('')}${slots
    .reverse()
    .map((i) => back(lower, i))
    .join('')}Z`;
}

function sharesPicture(day, isZoomed) {
  const slots = day.shares[0]?.counts.length ?? 0;
  if (!slots) return [el('p', { class: 'hint' }, 'There is no picture of this window: it is not one day.')];
  const all = day.shares.map(({ modulation, counts }) => ({
    modulation: MODULATIONS.indexOf(modulation),
    counts,
  }));
  const weight = ({ counts }) => counts.reduce((sum, n) => sum + n, 0);
  const usual = all.reduce((a, b) => (weight(b) > weight(a) ? b : a));
  const shown = isZoomed ? all.filter((band) => band !== usual) : all;
  const totals = usual.counts.map((_, i) => all.reduce((sum, { counts }) => sum + counts[i], 0));
  const heights = usual.counts.map((_, i) => shown.reduce((sum, { counts }) => sum + counts[i], 0));
  const top = Math.max(1, ...(isZoomed ? heights : totals));
  const width = Math.round((day.to - day.from) / day.stepMs);
  const picture = svg('svg', {
    viewBox: `0 0 ${width} 100`,
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
  });
  let lower = new Array(slots).fill(0);
  for (const { modulation, counts } of shown) {
    const upper = counts.map((n, i) => lower[i] + (100 * n) / top);
    picture.append(svg('path', { class: `m ${modulationName(modulation)}`, d: band(lower, upper) }));
    lower = upper;
  }
  const most = Math.max(1, ...totals);
  const scale = [1, 0.5, 0].map((part) =>
    el('span', {}, `${Number(((100 * part * top) / most).toPrecision(2))} %`),
  );
  return [
    el(
      'div',
      { class: 'plot' },
      el('div', { class: 'scale', 'aria-hidden': 'true' }, ...scale),
      el('div', { class: 'field' }, picture),
    ),
    hourAxis(day),
    el(
      'p',
      { class: 'legend' },
      ...legendOf(shown.map(({ modulation }) => modulation)),
      el(
        'span',
        { class: 'hint' },
        isZoomed ? `Without ${modulationName(usual.modulation)}. ` : '',
        `100 % = ${count(most, 'upstream')}; hatched: not measured.`,
      ),
    ),
    sharesTable(day, all),
  ];
}

// The same by hour, for those who cannot see the picture or want its numbers.
function sharesTable(day, all) {
  const perHour = Math.max(1, Math.round(HOUR_MS / day.stepMs));
  const rows = [];
  for (let at = 0; at < all[0].counts.length; at += perHour) {
    const sums = all.map(({ counts }) => counts.slice(at, at + perHour).reduce((sum, n) => sum + n, 0));
    const total = sums.reduce((sum, n) => sum + n, 0);
    rows.push(
      el(
        'tr',
        {},
        el('th', { scope: 'row' }, day.clock.time(day.from + at * day.stepMs)),
        ...sums.map((n) => el('td', { class: 'n' }, total ? figure((100 * n) / total) : '–')),
      ),
    );
  }
  const head = ['Hour', ...all.map(({ modulation }) => `${modulationName(modulation)} %`)].map((text) =>
    el('th', { scope: 'col' }, text),
  );
  return el(
    'details',
    {},
    el('summary', {}, 'As a table'),
    el(
      'div',
      { class: 'scroll' },
      el(
        'table',
        { class: 'small' },
        el('caption', { class: 'unseen' }, 'Share of each modulation by hour'),
        el('thead', {}, el('tr', {}, ...head)),
        el('tbody', {}, ...rows),
      ),
    ),
  );
}

// Of each CMTS and hour: how many upstreams were measured, and how many of them below expectation.
function heat(day) {
  const hours = Math.round((day.to - day.from) / HOUR_MS);
  const strips = day.words.hours.map((letters) => [...letters].map(ofHour));
  const table = day.words.cmts.map((_, cmts) => ({
    cmts,
    measured: new Array(hours).fill(0),
    below: new Array(hours).fill(0),
    lost: 0,
  }));
  for (let row = 0; row < day.rows; row++) {
    const of = table[day.of.cmts[row]];
    of.lost += day.score[row] ?? 0;
    const expected = day.of.expected[row];
    (strips[day.of.hours[row]] ?? []).forEach((modulation, hour) => {
      if (modulation === UNSEEN || hour >= hours) return;
      of.measured[hour]++;
      if (isBelow(modulation, expected)) of.below[hour]++;
    });
  }
  return table.sort((a, b) => b.lost - a.lost || a.cmts - b.cmts);
}

function heatCell({ measured, below }, hour) {
  if (!measured[hour])
    return el('td', { class: 'nothing' }, el('span', { class: 'unseen' }, 'nothing measured'));
  const pct = (100 * below[hour]) / measured[hour];
  const words = `${below[hour]} of ${count(measured[hour], 'upstream')}`;
  return el(
    'td',
    { class: 'n', '--heat': pct > 0 ? Math.min(100, 6 + pct * 1.5) : 0, title: words },
    pct === 0 ? '' : pct < 1 ? '<1' : number(pct),
  );
}

function heatPicture(day, limit, choose) {
  const all = heat(day);
  const shown = all.slice(0, limit);
  const hours = all[0]?.measured.map((_, hour) => hour) ?? [];
  if (!day.has.hours || !hours.length)
    return [el('p', { class: 'hint' }, 'There is no picture of this window: it is not one day.')];
  const rows = shown.map((line) =>
    el(
      'tr',
      {},
      el(
        'th',
        { scope: 'row' },
        el(
          'button',
          {
            type: 'button',
            class: 'link',
            title: 'Show its upstreams',
            onclick: () => choose(day.words.cmts[line.cmts]),
          },
          name(day.words.cmts[line.cmts]),
        ),
      ),
      ...hours.map((hour) => heatCell(line, hour)),
      el('td', { class: 'n lost' }, figure(line.lost)),
    ),
  );
  const head = hours.map((hour) =>
    el('th', { scope: 'col' }, day.clock.time(day.from + hour * HOUR_MS).slice(0, 2)),
  );
  return [
    el(
      'table',
      { class: 'heat' },
      el('caption', { class: 'unseen' }, 'Percent of the upstreams of each CMTS below expectation, by hour'),
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          el('th', { scope: 'col' }, 'CMTS'),
          ...head,
          el('th', { scope: 'col', class: 'lost' }, 'Mbit/s lost'),
        ),
      ),
      el('tbody', {}, ...rows),
    ),
    el(
      'p',
      { class: 'hint' },
      `${all.length > shown.length ? `The ${shown.length} that lose most of ` : ''}${count(all.length, 'CMTS', 'CMTSs')}, those that lose most first.`,
    ),
  ];
}
