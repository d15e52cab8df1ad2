// Nodes and words: everything that comes from a device reaches the page as text, never as markup.

const byId = (id) => document.getElementById(id);

function dress(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name.startsWith('--')) node.style.setProperty(name, value);
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

const decimals = [0, 1, 2, 3].map(
  (digits) =>
    new Intl.NumberFormat('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits }),
);
const number = (value, digits = 0) => decimals[digits].format(value);
const count = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;

// Percent, Mbit/s: as many digits as one reads.
const figure = (value) =>
  value === null ? '' : number(value, value === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2);

function duration(seconds) {
  const of = (n, unit) => `${number(n)}\u00a0${unit}`;
  if (seconds < 60) return of(seconds, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return of(minutes, 'min');
  const rest = minutes % 60;
  return `${of(Math.floor(minutes / 60), 'h')}${rest ? `\u00a0${of(rest, 'min')}` : ''}`;
}

// Times of day and dates in the zone of the report, not in that of the reader.
function clock(zone) {
  const make = (options) => {
    try {
      return new Intl.DateTimeFormat('en-GB', { ...options, hourCycle: 'h23', timeZone: zone });
    } catch {
      return new Intl.DateTimeFormat('en-GB', { ...options, hourCycle: 'h23', timeZone: 'UTC' });
    }
  };
  const time = make({ hour: '2-digit', minute: '2-digit' });
  const day = make({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  const both = make({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
  const parts = make({ year: 'numeric', month: '2-digit', day: '2-digit' });
  return {
    time: (ms) => time.format(ms),
    day: (ms) => day.format(ms),
    both: (ms) => both.format(ms),
    date: (ms) => {
      const of = Object.fromEntries(parts.formatToParts(ms).map((part) => [part.type, part.value]));
      return `${of.year}-${of.month}-${of.day}`;
    },
  };
}
