// The filtered view as CSV (RFC 4180), all pages of it, in its order.

// A spreadsheet takes text that begins like a formula for one: it gets a leading apostrophe.
const harmless = (text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const cell = (value) =>
  quoted(typeof value === 'string' ? harmless(value) : value === null ? '' : String(value));

const modulationWord = (index) => MODULATIONS[index] ?? '';

function csvColumns(day) {
  const plain = (key) => [key, (row) => day.of[key][row]];
  const columns = [
    ...['cmts', 'upstream', 'platform', 'description'].map((key) => [key, (row) => word(day, key, row)]),
    ['why', (row) => reasons(day, row).join(' ')],
    ...['last', 'expected', 'worst'].map((key) => [key, (row) => modulationWord(day.of[key][row])]),
    plain('hops'),
    plain('hops_down'),
    plain('hops_up'),
    ['measurements', (row) => day.measurements[row]],
  ];
  for (const [modulation, counted] of day.counts) {
    columns.push([`count_${MODULATIONS[modulation]}`, (row) => counted[row]]);
  }
  for (const key of ['coverage_pct', 'lost_pct', 'lost_mbps', 'lost_gb', 'degraded_s', 'longest_degraded_s'])
    columns.push(plain(key));
  columns.push(['flapping', (row) => (day.of.flapping[row] ? 'yes' : 'no')]);
  columns.push(plain('delta_hops'), plain('delta_lost_pct'));
  columns.push(['hours', (row) => word(day, 'hours', row)]);
  return columns;
}

function csv(day, rows) {
  const columns = csvColumns(day);
  const lines = [columns.map(([title]) => cell(title)).join(',')];
  for (const row of rows) lines.push(columns.map(([, of]) => cell(of(row))).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

function download(day, rows) {
  // The mark at the beginning is what makes Excel read UTF-8.
  const url = URL.createObjectURL(new Blob(['\ufeff', csv(day, rows)], { type: 'text/csv;charset=utf-8' }));
  const link = el('a', { href: url, download: `modulation_${day.report.date ?? 'window'}.csv` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
