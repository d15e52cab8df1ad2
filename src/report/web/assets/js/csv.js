// The filtered view as CSV, all pages of it, in its order: the columns of the data file are those of mod-report
// --format csv and --format csv-excel, and so are the bytes.

// As mod-report writes text cells: control characters and those that turn the direction of text are spelled out, and
// what begins like a formula gets a leading apostrophe, also where a spreadsheet of another locale cuts the cell.
const UNSAFE = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;
const SPELLED = { '\t': '\\t', '\r': '\\r', '\n': '\\n' };
const spelled = (c) => SPELLED[c] ?? `\\u{${c.codePointAt(0).toString(16)}}`;

function harmless(text) {
  let isBegin = true;
  let safe = '';
  for (const c of text.replace(UNSAFE, spelled)) {
    if (isBegin && '=+-@＝＋－＠'.includes(c)) safe += "'";
    isBegin = c === ';' || c === ',' || (isBegin && (c === ' ' || c === '"'));
    safe += c;
  }
  return safe;
}
// 1/5/25 is a day of May to a spreadsheet; a formula that gives a text stays as it is.
const asText = (text) => (/^\d[\d/.\-:, eE+%]*$/.test(text) ? `="${text}"` : text);

const PLAIN = { separator: ',', text: (text) => text, number: String };
const EXCEL = {
  separator: ';',
  text: asText,
  number: (value) => (WORDS.lang === 'nl' ? String(value).replace('.', ',') : String(value)),
};

function csvCell(day, form, key) {
  if (key === 'url') return (row) => (day.pageUrl ? form.text(harmless(urlOf(day, row))) : '');
  const column = day.of[key];
  if (!day.words[key]) return (row) => (column[row] === null ? '' : form.number(column[row]));
  const own = day.own.has(key);
  const cells = day.words[key].map((text) => (own ? text : form.text(harmless(text))));
  return (row) => cells[column[row]] ?? '';
}

function csv(day, rows, form) {
  const needsQuotes = new RegExp(`[${form.separator}"\r\n]`);
  const quoted = (text) => (needsQuotes.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const columns = day.names.map((key) => csvCell(day, form, key));
  const lines = [day.names.map(quoted).join(form.separator)];
  for (const row of rows) lines.push(columns.map((cell) => quoted(cell(row))).join(form.separator));
  return `${lines.join('\r\n')}\r\n`;
}

function download(day, rows, form) {
  // The mark at the beginning is what makes a spreadsheet read UTF-8.
  const mark = form === EXCEL ? ['\ufeff'] : [];
  const blob = new Blob([...mark, csv(day, rows, form)], { type: 'text/csv;charset=utf-8' });
  const url = URL.createObjectURL(blob);
  const suffix = form === EXCEL ? '_excel' : '';
  const file = `modulation_${day.report.date ?? 'window'}${suffix}.csv`;
  const link = el('a', { href: url, download: file });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
