// The pictures. Each of them can be read without its colours: by height, by number, or as a table.

// Heights in percent: more bits per symbol are higher, so that no colour is needed to tell them apart.
const HEIGHTS = [28, 40, 52, 64, 76, 88, 100, 100, 15];
const heightOf = (modulation) => HEIGHTS[modulation] ?? 100;

// Pieces, [{x, width, modulation, top}], as a picture so many units wide: one path per modulation, hatched where
// nothing was measured, pale from the lowest up to `top`.
function stretches(units, pieces) {
  const paths = new Map();
  const draw = (kind, x, width, from, to) =>
    paths.set(kind, `${paths.get(kind) ?? ''}M${x} ${100 - to}h${width}v${to - from}h${-width}z`);
  for (const { x, width, modulation, top } of pieces) {
    const height = heightOf(modulation);
    draw(modulationName(modulation) || 'none', x, width, 0, height);
    if (top >= 0 && modulation >= 0 && heightOf(top) > height)
      draw(`${modulationName(top)} pale`, x, width, height, heightOf(top));
  }
  return svg(
    'svg',
    { viewBox: `0 0 ${units} 100`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    ...[...paths].map(([kind, d]) => svg('path', { class: `m ${kind}`, d })),
  );
}

// Stretches of time as a picture as wide as the day: what is still to come stays empty.
const dayPicture = (day, found) =>
  stretches(
    (day.to - day.from) / 60_000,
    found.map(({ from, to, modulation }) => ({
      x: (from - day.from) / 60_000,
      width: (to - from) / 60_000,
      modulation,
    })),
  );

// Neighbours that are alike as one, for the words of a strip.
function joined(items, same) {
  const found = [];
  for (const item of items) {
    if (found.length && same(found.at(-1), item)) found.at(-1).until = item;
    else found.push({ ...item, until: item });
  }
  return found;
}

// The strip of hours of a row: of each hour the lowest, and pale how high it came.
function hourStrip(day, row) {
  const letters = [...word(day, 'hours', row)];
  if (!letters.length) return null;
  const tops = spread(word(day, 'tops', row));
  const hours = letters.map((letter, hour) => ({
    x: hour,
    width: 1,
    modulation: ofHour(letter),
    top: tops[hour] ?? UNSEEN,
  }));
  const { time } = day.clock;
  const said = joined(hours, (a, b) => a.modulation === b.modulation && a.top === b.top).map((hour) => {
    const low = modulationName(hour.modulation) || t('unmeasured');
    const both = hour.top >= 0 && hour.top !== hour.modulation ? `${low}–${modulationName(hour.top)}` : low;
    return `${time(day.from + hour.x * HOUR_MS)} ${both}`;
  });
  const all = Math.round((day.to - day.from) / HOUR_MS);
  if (letters.length < all) said.push(`${time(day.from + letters.length * HOUR_MS)} ${t('to_come')}`);
  const spoken = said.join(', ');
  return el(
    'span',
    { class: 'strip', role: 'img', 'aria-label': t('by_hour', spoken), title: spoken },
    stretches(all, hours),
    el('span', { class: 'ticks', 'aria-hidden': 'true' }, ...['0', '6', '12', '18'].map((hour) => el('i', {}, hour))),
  );
}

// The strip of the last finished days of a row; null when nothing is known of them.
function dayStrip(day, row) {
  const days = daysOf(day, past, row);
  if (!days) return null;
  const spoken = joined(days, (a, b) => a.modulation === b.modulation)
    .map(({ date, modulation }) => `${shortDate(date)} ${modulationName(modulation) || t('unknown')}`)
    .join(', ');
  return el(
    'span',
    { class: 'strip month', role: 'img', 'aria-label': t('by_day', spoken), title: spoken },
    stretches(
      STRIP_DAYS,
      days.map(({ modulation }, x) => ({ x: x + 0.06, width: 0.88, modulation })),
    ),
  );
}

// Shares as one bar: [modulation, percent][].
function shareBar(shares) {
  const known = shares.filter(([, pct]) => pct > 0);
  const words = known.map(([modulation, pct]) => `${modulationName(modulation)} ${figure(pct)} %`).join(', ');
  return el(
    'span',
    { class: 'bar', role: 'img', 'aria-label': words || t('unmeasured'), title: words },
    ...known.map(([modulation, pct]) => el('i', { class: `m ${modulationName(modulation)}`, '--span': pct })),
  );
}

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

const noPicture = () => [el('p', { class: 'hint' }, t('not_one_day'))];

function sharesPicture(day, isZoomed) {
  const slots = day.shares[0]?.counts.length ?? 0;
  if (!slots) return noPicture();
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
  const passed = Math.min(100, (100 * (day.end - day.from)) / (day.to - day.from));
  return [
    el(
      'div',
      { class: 'plot' },
      el('div', { class: 'scale', 'aria-hidden': 'true' }, ...scale),
      el('div', { class: 'field' }, el('i', { class: 'unmeasured', '--part': passed }), picture),
    ),
    hourAxis(day),
    el(
      'p',
      { class: 'legend' },
      ...legendOf(shown.map(({ modulation }) => modulation)),
      el(
        'span',
        { class: 'hint' },
        isZoomed ? `${t('without', modulationName(usual.modulation))} ` : '',
        tn('shares_hint', most),
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
  const head = [t('hour'), ...all.map(({ modulation }) => `${modulationName(modulation)} %`)].map((text) =>
    el('th', { scope: 'col' }, text),
  );
  return el(
    'details',
    {},
    el('summary', {}, t('as_table')),
    el(
      'div',
      { class: 'scroll' },
      el(
        'table',
        { class: 'small' },
        el('caption', { class: 'unseen' }, t('shares_caption')),
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
    const expected = day.expected[row];
    (strips[day.of.hours[row]] ?? []).forEach((modulation, hour) => {
      if (modulation === UNSEEN || hour >= hours) return;
      of.measured[hour]++;
      if (isBelow(modulation, expected)) of.below[hour]++;
    });
  }
  return table.sort((a, b) => b.lost - a.lost || a.cmts - b.cmts);
}

const heatOf = (pct) => (pct > 0 ? Math.min(100, 6 + pct * 1.5) : 0);
const roughPct = (pct) => (pct === 0 ? '' : pct < 1 ? '<1' : number(pct));

function heatCell(day, { measured, below }, hour) {
  if (day.from + hour * HOUR_MS >= day.end)
    return el('td', { class: 'future' }, el('span', { class: 'unseen' }, t('to_come')));
  if (!measured[hour]) return el('td', { class: 'nothing' }, el('span', { class: 'unseen' }, t('unmeasured')));
  const pct = (100 * below[hour]) / measured[hour];
  const words = t('count_of', number(below[hour]), tn('count_upstreams', measured[hour]));
  return el('td', { class: 'n', '--heat': heatOf(pct), title: words }, roughPct(pct));
}

const chooser = (label, choose) =>
  el('button', { type: 'button', class: 'link', title: t('show_upstreams'), onclick: choose }, name(label));

function heatPicture(day, limit, choose) {
  const all = day.rows ? heat(day) : [];
  const shown = all.slice(0, limit);
  const hours = all[0]?.measured.map((_, hour) => hour) ?? [];
  if (!day.words.hours.length || !hours.length) return noPicture();
  const rows = shown.map((line) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, chooser(day.words.cmts[line.cmts], () => choose(day.words.cmts[line.cmts]))),
      ...hours.map((hour) => heatCell(day, line, hour)),
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
      el('caption', { class: 'unseen' }, t('heat_caption')),
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          el('th', { scope: 'col' }, t('cmts')),
          ...head,
          el('th', { scope: 'col', class: 'lost' }, t('mbps_lost')),
        ),
      ),
      el('tbody', {}, ...rows),
    ),
    el(
      'p',
      { class: 'hint' },
      all.length > shown.length
        ? t('heat_hint_first', number(shown.length), number(all.length))
        : tn('heat_hint', all.length),
    ),
  ];
}
