// Nodes and words: everything that comes from a device reaches the page as text, never as markup.

const byId = (id) => document.getElementById(id);

// What mod-report wrote for this page: its language, what it says, modulations, reasons and statuses.
const WORDS = JSON.parse(byId('words').textContent);
const LOCALE = { en: 'en-GB', nl: 'nl-NL' }[WORDS.lang] ?? 'en-GB';

function dress(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name.startsWith('--') || name === 'width') node.style.setProperty(name, value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children) if (child !== null && child !== undefined) node.append(child);
  return node;
}

const el = (tag, attributes = {}, ...children) => dress(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  dress(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

// A name as a device gave it: on its own, whatever direction its letters run in.
const name = (text) => el('bdi', {}, text);
const sub = (...children) => el('small', {}, ...children);

const decimals = [0, 1, 2, 3].map(
  (digits) =>
    new Intl.NumberFormat(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
);
const number = (value, digits = 0) => decimals[digits].format(value);

// Words and nodes in the places of a text.
function parts(key, ...values) {
  const texts = (WORDS.text[key] ?? key).split('{}');
  return texts.flatMap((text, i) => (i ? [values[i - 1] ?? '', text] : [text]));
}
const t = (key, ...values) => parts(key, ...values).join('');

// What is said of so many: a text has one form for one and, after |, one for several.
function tn(key, n, ...values) {
  const [one, many = one] = (WORDS.text[key] ?? key).split('|');
  const given = [number(n), ...values];
  return (n === 1 ? one : many).split('{}').reduce((said, text, i) => said + (given[i - 1] ?? '') + text);
}

// Percent, Mbit/s: as many digits as one reads.
const figure = (value) =>
  value === null || value === undefined
    ? ''
    : number(value, value === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2);
const megahertz = (hz) => (hz === null ? '' : number(hz / 1e6, hz % 1e6 === 0 ? 0 : hz % 1e5 === 0 ? 1 : 2));

function duration(seconds) {
  const of = (n, unit) => `${number(n)}\u00a0${unit}`;
  if (seconds < 60) return of(seconds, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return of(minutes, 'min');
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return `${of(hours, 'h')}${rest ? `\u00a0${of(rest, 'min')}` : ''}`;
}

// For the search: small letters without their accents.
const folded = (text) =>
  text
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();

// Times of day and dates in the zone of the report, not in that of the reader.
function clock(zone) {
  const make = (options) => {
    try {
      return new Intl.DateTimeFormat(LOCALE, { ...options, hourCycle: 'h23', timeZone: zone });
    } catch {
      return new Intl.DateTimeFormat(LOCALE, { ...options, hourCycle: 'h23', timeZone: 'UTC' });
    }
  };
  const time = make({ hour: '2-digit', minute: '2-digit' });
  const day = make({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  const both = make({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
  const ordered = make({ year: 'numeric', month: '2-digit', day: '2-digit' });
  return {
    time: (ms) => time.format(ms),
    day: (ms) => day.format(ms),
    both: (ms) => both.format(ms),
    date: (ms) => {
      const of = Object.fromEntries(ordered.formatToParts(ms).map((part) => [part.type, part.value]));
      return `${of.year}-${of.month}-${of.day}`;
    },
  };
}

// A date of the form YYYY-MM-DD, so many days later.
function dateAfter(date, days) {
  const at = new Date(`${date}T12:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}
const isDate = (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T12:00:00Z`));
const dayAndMonth = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const shortDate = (date) => (isDate(date) ? dayAndMonth.format(Date.parse(`${date}T12:00:00Z`)) : date);

// Scrolls to an element. With `again` only if the page has not moved since: what is drawn later pushes the element down.
let scrolledTo = -1;
function scrollToMiddle(element, again) {
  if (again && scrollY !== scrolledTo) return;
  element?.scrollIntoView({ block: 'center', behavior: 'instant' });
  scrolledTo = scrollY;
}
