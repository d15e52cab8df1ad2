// The table of upstreams: one page of the view, and the row that is open.

const arrow = (sort, id) => (sort === id ? ' ▲' : sort === `-${id}` ? ' ▼' : '');

const expectedWords = (day, row) =>
  day.of.expected[row] < 0 ? 'nothing expected' : `of ${modulationName(day.of.expected[row])}`;
const sub = (...children) => el('small', {}, ...children);
const signed = (value, words) =>
  value === null ? null : `${value > 0 ? '+' : value < 0 ? '−' : '±'}${words(Math.abs(value))}`;
const deltaHops = (day, row) => signed(day.of.delta_hops[row], (n) => count(n, 'hop'));
const deltaLost = (day, row) => signed(day.of.delta_lost_pct[row], (n) => `${figure(n)} pt`);

function lossCell(day, row) {
  const { lost_mbps: mbps, lost_gb: gb } = day.of;
  if (mbps[row] === null)
    return [el('span', { class: 'hint', title: 'its channel width is not known' }, '?')];
  return [figure(mbps[row]), sub(`${figure(gb[row])} GB`)];
}

function lastTag(day, row) {
  const last = modulationName(day.of.last[row]);
  return el('span', { class: `tag ${last}${isStillLow(day, row) ? ' low' : ''}` }, last);
}

// The columns in their order: what each cell shows; `n` is a number.
const COLUMNS = [
  { id: 'cmts', cell: (day, row) => [name(word(day, 'cmts', row)), sub(name(familyOf(day, row)))] },
  {
    id: 'upstream',
    cell: (day, row) => [
      name(word(day, 'upstream', row)),
      word(day, 'description', row) ? sub(name(word(day, 'description', row))) : null,
    ],
  },
  { id: 'why', cell: (day, row) => badges(day, row) },
  { id: 'hours', cell: (day, row) => [strip(day, row)] },
  { id: 'mbps', n: true, cell: lossCell },
  { id: 'lost', n: true, cell: (day, row) => [figure(day.of.lost_pct[row])] },
  {
    id: 'degraded',
    n: true,
    cell: (day, row) =>
      day.of.degraded_s[row]
        ? [duration(day.of.degraded_s[row]), sub(duration(day.of.longest_degraded_s[row]))]
        : ['–'],
  },
  {
    id: 'hops',
    n: true,
    cell: (day, row) => [
      number(day.of.hops[row]),
      day.of.hops[row] ? sub(`↓${day.of.hops_down[row]} ↑${day.of.hops_up[row]}`) : null,
    ],
  },
  {
    id: 'share',
    cell: (day, row) => [
      shareBar(sharesOf(day, row)),
      sub(day.below[row] ? `${figure(day.below[row])} % below` : count(day.measurements[row], 'measurement')),
    ],
  },
  { id: 'last', cell: (day, row) => [lastTag(day, row), sub(expectedWords(day, row))] },
  {
    id: 'coverage',
    n: true,
    cell: (day, row) => [
      el(
        'span',
        { class: day.of.coverage_pct[row] < 90 ? 'warn' : '' },
        `${figure(day.of.coverage_pct[row])} %`,
      ),
    ],
  },
  { id: 'delta', n: true, cell: (day, row) => [deltaLost(day, row) ?? '', sub(deltaHops(day, row))] },
];

// A column that no row has anything in takes no room.
const columnsOf = (day) => COLUMNS.filter(({ id }) => day.has[id] ?? true);

function headRow(day, sort, choose) {
  const cells = columnsOf(day).map(({ id, n }) => {
    const direction = sort === id ? 'ascending' : sort === `-${id}` ? 'descending' : 'none';
    return el(
      'th',
      { scope: 'col', role: 'columnheader', class: `${id}${n ? ' n' : ''}`, 'aria-sort': direction },
      el(
        'button',
        { type: 'button', 'data-sort': id, onclick: () => choose(id) },
        SORTS[id].label,
        el('span', { 'aria-hidden': 'true' }, arrow(sort, id)),
      ),
    );
  });
  return el(
    'tr',
    { role: 'row' },
    el('th', { role: 'columnheader', scope: 'col' }, el('span', { class: 'unseen' }, 'Details')),
    ...cells,
  );
}

function bodyRow(day, row, isOpen, toggle) {
  const key = keyOf(day, row);
  const opener = el(
    'button',
    {
      type: 'button',
      class: 'opener',
      'data-key': key,
      'aria-expanded': String(isOpen),
      'aria-label': `Details of ${key}`,
      onclick: () => toggle(key),
    },
    isOpen ? '▾' : '▸',
  );
  const cells = columnsOf(day).map(({ id, n, cell }) =>
    el(
      'td',
      { role: 'cell', class: `${id}${n ? ' n' : ''}`, 'data-label': SORTS[id].label },
      ...cell(day, row),
    ),
  );
  return el(
    'tr',
    { role: 'row', class: isOpen ? 'open' : '' },
    el('td', { role: 'cell', class: 'lead' }, opener),
    ...cells,
  );
}

function tableBody(day, rows, state, toggle) {
  const lines = [];
  for (const row of rows) {
    const isOpen = state.open === keyOf(day, row);
    lines.push(bodyRow(day, row, isOpen, toggle));
    if (isOpen)
      lines.push(
        el(
          'tr',
          { role: 'row', class: 'detail' },
          el('td', { role: 'cell', colspan: columnsOf(day).length + 1 }, detail(day, row)),
        ),
      );
  }
  if (!lines.length) {
    const words = 'No upstream is like that. “Clear” shows all of them again.';
    lines.push(
      el(
        'tr',
        { role: 'row' },
        el('td', { role: 'cell', class: 'empty', colspan: columnsOf(day).length + 1 }, words),
      ),
    );
  }
  return lines;
}

// What a row opens to.
function detail(day, row) {
  const { of } = day;
  const pair = (term, ...values) => [el('dt', {}, term), el('dd', {}, ...values)];
  const shares = sharesOf(day, row)
    .filter(([, pct]) => pct > 0)
    .map(
      ([modulation, pct]) =>
        `${modulationName(modulation)} ${figure(pct)} % (${number(day.counts.get(modulation)[row])})`,
    )
    .join(', ');
  const why = reasons(day, row)
    .map((reason) => `${whyLabel(reason)}: ${whyMeaning(reason)}`)
    .join('; ');
  const loss = [
    of.lost_pct[row] === null ? 'unknown' : `${figure(of.lost_pct[row])} %`,
    of.lost_mbps[row] === null
      ? 'channel width not known'
      : `${figure(of.lost_mbps[row])} Mbit/s, ${figure(of.lost_gb[row])} GB`,
  ].join(', ');
  const change =
    of.delta_lost_pct[row] === null && of.delta_hops[row] === null
      ? []
      : pair(
          'Against the day before',
          [deltaHops(day, row), deltaLost(day, row) && `${deltaLost(day, row)} of loss`]
            .filter(Boolean)
            .join(', '),
        );
  return el(
    'div',
    { class: 'opened' },
    el('p', { class: 'verdict' }, sentence(day, row) || 'Nothing to complain of.'),
    timeline(day, row),
    el(
      'dl',
      {},
      ...(why ? pair('Why', why) : []),
      ...pair(
        'Hops',
        `${number(of.hops[row])}: ${number(of.hops_down[row])} down, ${number(of.hops_up[row])} up${of.flapping[row] ? '; flapping' : ''}`,
      ),
      ...pair('Lost', loss),
      ...pair(
        'Degraded',
        of.degraded_s[row]
          ? `${duration(of.degraded_s[row])}, longest stretch ${duration(of.longest_degraded_s[row])}`
          : 'never',
      ),
      ...pair(
        'Modulation',
        `last ${modulationName(of.last[row])}, expected ${modulationName(of.expected[row]) || 'unknown'}, lowest ${modulationName(of.worst[row]) || 'unknown'}`,
      ),
      ...pair('Measurements', `${number(day.measurements[row])}: ${shares}`),
      ...pair('Coverage', `${figure(of.coverage_pct[row])} % of the time`),
      ...change,
    ),
  );
}

// The day of one upstream, piece by piece, and the pieces below expectation as text.
function timeline(day, row) {
  const pieces = runs(day, row);
  if (!pieces.length) return null;
  const { time } = day.clock;
  const whole = day.to - day.from;
  const words = (piece) =>
    `${time(piece.from)} to ${endTime(day, piece.to)} ${modulationName(piece.modulation) || 'nothing measured'}`;
  const low = spells(day, row).map(
    (spell) => `${words(spell)} (${duration((spell.to - spell.from) / 1000)})`,
  );
  const exact = word(day, 'steps', row) ? '' : ' (by hours)';
  const LISTED = 12;
  return el(
    'div',
    { class: 'timeline' },
    el(
      'div',
      {
        class: 'track',
        role: 'img',
        'aria-label': low.length
          ? `below expectation: ${low.slice(0, LISTED).join('; ')}`
          : 'never below expectation',
      },
      stretches(day, pieces),
    ),
    hourAxis(day),
    el(
      'p',
      { class: 'legend' },
      ...legendOf(
        [...new Set(pieces.map(({ modulation }) => modulation))].filter((m) => m >= 0).sort((a, b) => a - b),
      ),
    ),
    low.length
      ? el(
          'p',
          { class: 'hint' },
          `Below expectation${exact}: ${low.slice(0, LISTED).join('; ')}${low.length > LISTED ? `; and ${low.length - LISTED} more` : ''}`,
        )
      : null,
  );
}
