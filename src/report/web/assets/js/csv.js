// The filtered view as CSV, all pages of it, in its order: the columns of the data file are those of mod-report
// --format csv and --format csv-excel, and so are the bytes.

// A spreadsheet takes text that begins like a formula for one: it gets a leading apostrophe.
const harmless = (text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
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
