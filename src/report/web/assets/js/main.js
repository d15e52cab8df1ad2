// The page itself: reads the data, draws, and answers to what its user does.

const REFRESH_MS = 5 * 60_000;
const FIRST_CMTS = 15;
const ALL_CMTS = 1000;

let day = null;
let dates = [];
let state = readAddress();
let rows = [];
let trouble = '';
let heatLimit = FIRST_CMTS;
let reading = 0;

const inlined = byId('day');

async function fetchJson(path) {
  const answer = await fetch(path, { cache: 'no-cache' });
  if (!answer.ok) throw new Error(`${path}: HTTP ${answer.status}`);
  return answer.json();
}

// Reads the list of dates and the day that is looked at: the one of the address, else the newest.
async function read() {
  if (inlined) return decode(JSON.parse(inlined.textContent));
  dates = (await fetchJson('data/index.json')).dates;
  const date = dates.includes(state.date) ? state.date : dates.at(-1);
  if (!date) throw new Error('there is no report yet');
  return decode(await fetchJson(`data/${date}.json`));
}

async function load() {
  const mine = ++reading;
  let fresh = null;
  try {
    fresh = await read();
    trouble = '';
  } catch (error) {
    trouble = error.message;
  }
  // A later click has asked for another day meanwhile.
  if (mine !== reading) return;
  if (fresh) show(fresh);
  else if (day) drawBanners();
  else byId('made').textContent = `The data cannot be read: ${trouble}`;
  // What a program that drives this page waits for.
  document.documentElement.dataset.reads = String(reading);
}

// Draws a day. The place on the screen, the focus and everything that was asked for stay as they are.
function show(fresh) {
  day = fresh;
  const table = byId('upstreams');
  const before = byId('content').hidden ? null : table.getBoundingClientRect().top;
  byId('content').hidden = false;
  drawHead();
  byId('totals').replaceChildren(...totals(day));
  byId('ten').replaceChildren(...tenList(day, openFromAbove));
  byId('ten-hint').textContent = tenHint(day);
  byId('families').replaceChildren(familiesTable(day, (family) => filterBy({ family })));
  drawFilters();
  drawTable();
  performance.mark('modtools:shown');
  const below = before !== null && before < innerHeight;
  if (before === null) setTimeout(drawPictures);
  else drawPictures();
  if (below && scrollY > 0)
    scrollBy({ top: table.getBoundingClientRect().top - before, behavior: 'instant' });
}

function drawPictures() {
  byId('shares').replaceChildren(...sharesPicture(day, byId('zoom').getAttribute('aria-pressed') === 'true'));
  drawHeat();
  byId('incidents').replaceChildren(...incidentList(day, (cmts) => filterBy({ q: cmts })));
  byId('legend').replaceChildren(...legendOf([...MODULATIONS.keys()]));
  document.documentElement.dataset.drawn = 'yes';
}

function drawHeat() {
  byId('heat').replaceChildren(...heatPicture(day, heatLimit, (cmts) => filterBy({ q: cmts })));
  byId('all-cmts').hidden = day.words.cmts.length <= FIRST_CMTS;
  byId('all-cmts').textContent = heatLimit === FIRST_CMTS ? 'Show all' : 'Show fewer';
}

function drawHead() {
  const {
    report,
    clock: { day: dayName, both },
  } = day;
  const window = report.date ? dayName(day.from) : `${both(day.from)} to ${both(day.to)}`;
  byId('made').replaceChildren(
    'Data for ',
    el('strong', {}, window),
    ` (${report.tz}), made ${both(Date.parse(report.generated_at))}`,
  );
  drawBanners();
  byId('days').hidden = Boolean(inlined);
  byId('date').replaceChildren(...[...dates].reverse().map((date) => el('option', { value: date }, date)));
  byId('date').value = report.date;
  const at = dates.indexOf(report.date);
  byId('previous').disabled = at <= 0;
  byId('next').disabled = at < 0 || at === dates.length - 1;
}

function drawBanners() {
  byId('banners').replaceChildren(...banners(day, dates.at(-1), Date.now(), trouble));
}

function options(select, values, label) {
  const chosen =
    values.includes(state[select.id]) || !state[select.id] ? values : [...values, state[select.id]];
  select.replaceChildren(select.options[0], ...chosen.map((value) => el('option', { value }, label(value))));
}

function drawFilters() {
  const hasUnknown = day.of.platform.some((id) => id < 0);
  options(
    byId('family'),
    [...day.words.platform].sort().concat(hasUnknown ? ['unknown'] : []),
    (family) => family,
  );
  options(byId('mod'), [...day.counts.keys()].map(modulationName), (modulation) => modulation);
  options(byId('why'), day.words.why, whyLabel);
  byId('sort').replaceChildren(
    ...columnsOf(day).flatMap(({ id }) =>
      ['-', ''].map((sign) => el('option', { value: sign + id }, `${SORTS[id].label} ${sign ? '▼' : '▲'}`)),
    ),
  );
  for (const id of ['q', 'family', 'hops', 'mod', 'why', 'cov'])
    if (byId(id).value !== state[id]) byId(id).value = state[id];
}

// The table for the state as it is, and the address with it.
function drawTable(write = writeAddress) {
  rows = view(day, state);
  const pages = Math.max(1, Math.ceil(rows.length / state.size));
  state.page = Math.min(state.page, pages);
  const shown = rows.slice((state.page - 1) * state.size, state.page * state.size);
  const focus = document.activeElement?.dataset ?? {};
  const sort = sortOf(state.sort);
  byId('head').replaceChildren(headRow(day, sort, sortBy));
  byId('body').replaceChildren(...tableBody(day, shown, state, toggle));
  refocus(focus);
  drawCount(shown.length);
  byId('sort').value = sort;
  byId('page').value = state.page;
  byId('page').max = pages;
  byId('of').textContent = `of ${number(pages)}`;
  byId('size').value = state.size;
  for (const [id, isOff] of [
    ['first', state.page === 1],
    ['back', state.page === 1],
    ['forth', state.page === pages],
    ['last', state.page === pages],
  ])
    byId(id).disabled = isOff;
  write(state);
}

function drawCount(shown) {
  let lost = 0;
  let hops = 0;
  for (const row of rows) {
    lost += day.of.lost_mbps[row] ?? 0;
    hops += day.of.hops[row];
  }
  const of =
    rows.length === day.rows
      ? count(day.rows, 'upstream')
      : `${number(rows.length)} of ${count(day.rows, 'upstream')}`;
  byId('count').textContent = `${of} · ${count(hops, 'hop')} · ${figure(lost)} Mbit/s lost`;
  const sort = sortOf(state.sort);
  const order = `${SORTS[sort.replace('-', '')].label}, ${sort.startsWith('-') ? 'descending' : 'ascending'}`;
  const first = rows.length ? (state.page - 1) * state.size + 1 : 0;
  byId('caption').textContent =
    `Upstreams ${number(first)} to ${number(first + shown - (shown ? 1 : 0))} of ${number(rows.length)}, by ${order}`;
}

// A row that was drawn anew takes the focus back.
function refocus({ key, sort }) {
  const same = key !== undefined ? (node) => node.dataset.key === key : (node) => node.dataset.sort === sort;
  if (key === undefined && sort === undefined) return;
  [...document.querySelectorAll('#table button')].find(same)?.focus({ preventScroll: true });
}

function change(wanted, write) {
  state = { ...state, page: 1, ...wanted };
  drawTable(write);
}

function sortBy(id) {
  const { first } = SORTS[id];
  const other = first ? id : `-${id}`;
  change({ sort: state.sort === first + id ? other : first + id });
}

function toggle(key) {
  change({ open: state.open === key ? '' : key, page: state.page });
}

function goTo(page) {
  change({ page: Math.max(1, Math.floor(page) || 1) });
}

const NO_FILTERS = { q: '', family: '', hops: '', mod: '', why: '', cov: '' };

function filterBy(wanted) {
  state = { ...state, ...NO_FILTERS, ...wanted, page: 1 };
  drawFilters();
  drawTable();
  byId('upstreams').scrollIntoView();
  byId('upstreams').focus({ preventScroll: true });
}

// From the list above to the same row, open, in the table.
function openFromAbove(row) {
  const key = keyOf(day, row);
  state = { ...state, ...NO_FILTERS, sort: DEFAULTS.sort, page: 1, open: key };
  drawFilters();
  drawTable();
  const opener = [...document.querySelectorAll('.opener')].find((button) => button.dataset.key === key);
  opener?.focus({ preventScroll: true });
  opener?.closest('tr').scrollIntoView({ block: 'center' });
}

function goToDay(date) {
  state = { ...state, date: date === dates.at(-1) ? '' : date, page: 1 };
  writeAddress(state, true);
  load();
}

const beside = (distance) => dates[dates.indexOf(day.report.date) + distance];

// Today's page grows: it is read again each five minutes, and at once when it comes back into sight.
let lastRead = Date.now();
function refreshIfDue() {
  if (inlined || !day || document.hidden || Date.now() - lastRead < REFRESH_MS) return;
  const isGrowing = day.report.date === day.clock.date(Date.now());
  if (!isGrowing && state.date) return drawBanners();
  lastRead = Date.now();
  load();
}

const THEMES = ['auto', 'light', 'dark'];

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId('theme').textContent = `Theme: ${theme}`;
  try {
    localStorage.setItem('modtools-theme', theme);
  } catch {
    // A page from a file may have no storage: then it is asked again next time.
  }
}

function savedTheme() {
  try {
    const saved = localStorage.getItem('modtools-theme');
    return THEMES.includes(saved) ? saved : 'auto';
  } catch {
    return 'auto';
  }
}

function listen() {
  const on = (id, event, act) => byId(id).addEventListener(event, act);
  on('q', 'input', () => change({ q: byId('q').value }, writeAddressSoon));
  for (const id of ['family', 'hops', 'mod', 'why', 'cov', 'sort'])
    on(id, 'change', () => change({ [id]: byId(id).value }));
  on('filters', 'submit', (event) => event.preventDefault());
  on('filters', 'reset', (event) => {
    event.preventDefault();
    change(NO_FILTERS);
    drawFilters();
  });
  on('csv', 'click', () => download(day, rows));
  on('first', 'click', () => goTo(1));
  on('back', 'click', () => goTo(state.page - 1));
  on('forth', 'click', () => goTo(state.page + 1));
  on('last', 'click', () => goTo(Infinity));
  on('page', 'change', () => goTo(Number(byId('page').value)));
  on('size', 'change', () => change({ size: Number(byId('size').value) }));
  on('date', 'change', () => goToDay(byId('date').value));
  on('previous', 'click', () => goToDay(beside(-1)));
  on('next', 'click', () => goToDay(beside(1)));
  on('refresh', 'click', load);
  on('theme', 'click', () =>
    setTheme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length]),
  );
  on('zoom', 'click', () => {
    byId('zoom').setAttribute('aria-pressed', byId('zoom').getAttribute('aria-pressed') !== 'true');
    drawPictures();
  });
  on('all-cmts', 'click', () => {
    heatLimit = heatLimit === FIRST_CMTS ? ALL_CMTS : FIRST_CMTS;
    drawHeat();
  });
  on('skip', 'click', (event) => {
    event.preventDefault();
    byId('upstreams').focus();
  });
  addEventListener('keydown', (event) => {
    if (
      event.key !== '/' ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      event.target.matches('input, select, textarea')
    )
      return;
    event.preventDefault();
    byId('q').focus();
  });
  addEventListener('popstate', () => {
    const before = state.date;
    state = readAddress();
    if (!day) return;
    drawFilters();
    if (state.date === before) drawTable();
    else load();
  });
  document.addEventListener('visibilitychange', refreshIfDue);
  setInterval(refreshIfDue, 10_000);
}

setTheme(savedTheme());
listen();
load();
