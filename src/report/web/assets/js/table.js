// The table of upstreams: one page of the view, and the row that is open.

const arrow = (sort, id) => (sort === id ? ' ▲' : sort === `-${id}` ? ' ▼' : '');
const LEAD_REM = 2.2;

// Widths that do not depend on the rows, so that nothing jumps as one types.
function widths(columns) {
  return [LEAD_REM, ...columns.map(({ width }) => width)].map((width, i) =>
    el('col', columns[i - 1]?.id === 'upstream' ? {} : { width: `${width}rem` }),
  );
}
const wholeWidth = (columns) => columns.reduce((sum, { width }) => sum + width, LEAD_REM);

function headRow(day, state, choose) {
  const sort = sortOf(state.sort);
  const cells = columnsOf(day, state).map((column) => {
    const { id, n } = column;
    const direction = sort === id ? 'ascending' : sort === `-${id}` ? 'descending' : 'none';
    return el(
      'th',
      { scope: 'col', role: 'columnheader', class: `${id}${n ? ' n' : ''}`, 'aria-sort': direction },
      el(
        'button',
        { type: 'button', 'data-sort': id, title: columnLabel(column), onclick: () => choose(id) },
        column.text ?? columnLabel(column),
        el('span', { 'aria-hidden': 'true' }, arrow(sort, id)),
      ),
    );
  });
  return el(
    'tr',
    { role: 'row' },
    el('th', { role: 'columnheader', scope: 'col' }, el('span', { class: 'unseen' }, t('details'))),
    ...cells,
  );
}

function bodyRow(day, row, columns, isOpen, toggle) {
  const key = keyOf(day, row);
  const opener = el(
    'button',
    {
      type: 'button',
      class: 'opener',
      'data-key': key,
      'aria-expanded': String(isOpen),
      'aria-label': t('details_of', key),
      onclick: () => toggle(key),
    },
    isOpen ? '▾' : '▸',
  );
  const cells = columns.map((column) =>
    el(
      'td',
      { role: 'cell', class: `${column.id}${column.n ? ' n' : ''}`, 'data-label': columnLabel(column) },
      ...column.cell(day, row),
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
  const columns = columnsOf(day, state);
  const lines = [];
  for (const row of rows) {
    const isOpen = state.open === keyOf(day, row);
    lines.push(bodyRow(day, row, columns, isOpen, toggle));
    if (isOpen)
      lines.push(
        el(
          'tr',
          { role: 'row', class: 'detail' },
          el('td', { role: 'cell', colspan: columns.length + 1 }, detail(day, row)),
        ),
      );
  }
  if (!lines.length) {
    lines.push(
      el(
        'tr',
        { role: 'row' },
        el('td', { role: 'cell', class: 'empty', colspan: columns.length + 1 }, t('empty')),
      ),
    );
  }
  return lines;
}

// What a row opens to.
function detail(day, row) {
  const link = urlOf(day, row);
  return el(
    'div',
    { class: 'opened' },
    el('p', { class: 'verdict' }, word(day, 'says', row)),
    el(
      'p',
      { class: 'acts' },
      ticketButton(day, row),
      /^https?:\/\//.test(link) ? el('a', { href: link, class: 'permalink' }, t('link')) : null,
    ),
    timeline(day, row),
    daysPanel(day, row),
    el('dl', {}, ...facts(day, row).flatMap(([term, words]) => [el('dt', {}, term), el('dd', {}, words)])),
  );
}

// The day of one upstream, piece by piece, and the pieces below expectation as text.
function timeline(day, row) {
  const found = runs(day, row);
  if (!found.length) return null;
  const { time } = day.clock;
  const words = (piece) =>
    `${time(piece.from)} – ${endTime(day, piece.to)} ${modulationName(piece.modulation) || t('unmeasured')}`;
  const low = found.filter(({ modulation }) => isBelow(modulation, day.expected[row])).map(words);
  const LISTED = 12;
  const seen = [...new Set(found.map(({ modulation }) => modulation))];
  const spoken = low.length ? t('below_seen', low.slice(0, LISTED).join('; ')) : t('never_below_seen');
  return el(
    'div',
    { class: 'timeline' },
    el('div', { class: 'track', role: 'img', 'aria-label': spoken }, dayPicture(day, found)),
    hourAxis(day),
    el('p', { class: 'legend' }, ...legendOf(seen.filter((m) => m >= 0).sort((a, b) => a - b))),
  );
}

// The last thirty days of one upstream.
function daysPanel(day, row) {
  if (!past) return null;
  const strip = dayStrip(day, row);
  if (!strip) return el('p', { class: 'hint' }, t('days_unknown'));
  const last = lastDayOf(day);
  const ends = [dateAfter(last, 1 - STRIP_DAYS), dateAfter(last, -15), last].map((date) => el('span', {}, shortDate(date)));
  return el(
    'div',
    { class: 'month' },
    el('p', { class: 'hint' }, t('days_words', shortDate(last))),
    strip,
    el('div', { class: 'ends', 'aria-hidden': 'true' }, ...ends),
  );
}
