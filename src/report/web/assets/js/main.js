// The page itself: reads the data, draws, and answers to what its user does.

const REFRESH_MS = 5 * 60_000;
const FIRST_CMTS = 15;
const ALL_CMTS = 1000;

let day = null;
let dates = [];
let hasHistory = false;
let state = readAddress();
let rows = [];
// The last days of every upstream, once they are read.
let past = null;
let trouble = '';
// What the address names and the day does not have.
let missing = null;
let heatLimit = FIRST_CMTS;
let reading = 0;
// Opened without a date: then the newest day is shown, also tomorrow.
let isFollowing = !state.date;

const inlined = byId('day');

async function fetchJson(path) {
  const answer = await fetch(path, { cache: 'no-cache' });
  if (!answer.ok) throw new Error(`${path}: HTTP ${answer.status}`);
  return answer.json();
}

// A day of the address that this site does not have.
class UnknownDay extends Error {}

// Reads the list of dates and the day that is looked at: the one of the address, else the newest.
async function read() {
  if (inlined) return decode(JSON.parse(inlined.textContent));
  ({ dates, history: hasHistory = false } = await fetchJson('data/index.json'));
  const date = isFollowing ? dates.at(-1) : state.date;
  if (!dates.length) throw new Error(t('no_report'));
  if (!dates.includes(date)) throw new UnknownDay(date);
  return decode(await fetchJson(`data/${date}.json`));
}

async function load() {
  const mine = ++reading;
  let fresh = null;
  let error = null;
  try {
    fresh = await read();
  } catch (caught) {
    error = caught;
  }
  // A later click has asked for another day meanwhile.
  if (mine !== reading) return;
  trouble = error?.message ?? '';
  if (fresh) show(fresh);
  else if (error instanceof UnknownDay) showUnknown(error.message);
  else if (day) drawBanners();
  else byId('made').textContent = t('unreadable', trouble);
  // What a program that drives this page waits for.
  document.documentElement.dataset.reads = String(reading);
}

// A mailed link never shows another day than its own.
function showUnknown(date) {
  day = null;
  byId('content').hidden = true;
  byId('made').textContent = '';
  drawDays(date);
  const today = clock(Intl.DateTimeFormat().resolvedOptions().timeZone).date(Date.now());
  const newest = dates.at(-1);
  const words = isDate(date) && date > today ? t('no_data_yet', date) : t('no_day', date, dates[0], newest);
  const button = el('button', { type: 'button', id: 'newest', onclick: () => goToDay(newest) }, t('show_newest', newest));
  byId('banners').replaceChildren(el('p', { class: 'banner bad' }, words, ' ', button));
  document.documentElement.dataset.drawn = 'yes';
}

// Draws a day. The place on the screen, the focus and everything that was asked for stay as they are.
function show(fresh) {
  const isFirst = day === null;
  day = fresh;
  if (!inlined) state.date = day.report.date ?? '';
  const table = byId('upstreams');
  const before = byId('content').hidden ? null : table.getBoundingClientRect().top;
  byId('content').hidden = false;
  byId('totals').replaceChildren(...totals(day));
  byId('ten').replaceChildren(...tenList(day, openFromAbove));
  byId('ten-hint').textContent = tenHint(day);
  drawFilters();
  drawTable();
  locate(isFirst);
  drawHead();
  performance.mark('modtools:shown');
  const below = before !== null && before < innerHeight;
  if (before === null) setTimeout(drawPictures);
  else drawPictures();
  if (!isFirst && below && scrollY > 0)
    scrollBy({ top: table.getBoundingClientRect().top - before, behavior: 'instant' });
}

// Finds the row that the address opens, on whatever page it is; filters that hide it are taken off.
function locate(mayScroll) {
  missing = null;
  if (!state.open) return;
  const row = rowOf(day, state.open);
  if (row < 0) {
    const cmts = state.open.split(' ')[0];
    const isKnown = day.words.cmts.includes(cmts) && day.rows > 0;
    missing = t(isKnown ? 'no_row' : 'no_cmts', state.open, cmts);
    return;
  }
  if (!mayScroll) return;
  if (!rows.includes(row)) {
    state = { ...state, ...NO_FILTERS, view: '' };
    rows = view(day, state);
    drawFilters();
  }
  state.page = Math.floor(rows.indexOf(row) / state.size) + 1;
  drawTable();
  seek();
}

const openerOf = (key) =>
  [...document.querySelectorAll('.opener')].find((button) => button.dataset.key === key);
const seek = (again) => scrollToMiddle(openerOf(state.open)?.closest('tr'), again);

function drawPictures() {
  byId('shares').replaceChildren(...sharesPicture(day, byId('zoom').getAttribute('aria-pressed') === 'true'));
  drawHeat();
  drawChosen('spectrum-by', spectrumKeys(day), t, drawSpectrum);
  drawChosen('sums-by', sumKeys(day), sumLabel, drawSums);
  byId('incidents').replaceChildren(...incidentList(day, filterByKey));
  byId('legend').replaceChildren(...legendOf([...MODULATIONS.keys()]));
  seek(true);
  document.documentElement.dataset.drawn = 'yes';
  if (past === null) loadHistory();
}

// The last thirty days are read when everything else is there.
async function loadHistory() {
  try {
    const inPage = byId('history');
    if (!inPage && (inlined || !hasHistory)) return;
    past = decodeHistory(inPage ? JSON.parse(inPage.textContent) : await fetchJson('data/history.json'));
  } catch {
    // Everything else is there without it.
    return;
  }
  if (!past || !day) return;
  byId('ten').replaceChildren(...tenList(day, openFromAbove));
  drawFilters();
  drawTable();
  seek(true);
  document.documentElement.dataset.history = 'yes';
}

// A choice of what a picture is by; what was chosen stays chosen.
function drawChosen(id, keys, label, draw) {
  const select = byId(id);
  const chosen = keys.includes(select.value) ? select.value : keys[0];
  select.replaceChildren(...keys.map((key) => el('option', { value: key }, label(key))));
  if (chosen) select.value = chosen;
  draw();
}

function drawHeat() {
  byId('heat').replaceChildren(...heatPicture(day, heatLimit, (cmts) => filterByKey('cmts', cmts)));
  byId('all-cmts').hidden = day.words.cmts.length <= FIRST_CMTS;
  byId('all-cmts').textContent = t(heatLimit === FIRST_CMTS ? 'show_all' : 'show_fewer');
}

const drawSpectrum = () =>
  byId('spectrum').replaceChildren(...spectrumPicture(day, byId('spectrum-by').value || 'cmts', filterByKey));
const drawSums = () => byId('sums').replaceChildren(...sumsTable(day, byId('sums-by').value, filterByKey));

function drawDays(date) {
  byId('days').hidden = Boolean(inlined);
  byId('date').replaceChildren(...[...dates].reverse().map((known) => el('option', { value: known }, known)));
  byId('date').value = date;
  const at = dates.indexOf(date);
  byId('previous').disabled = at <= 0;
  byId('next').disabled = at < 0 || at === dates.length - 1;
}

function drawHead() {
  const {
    report,
    clock: { day: dayName, both },
  } = day;
  const window = report.date ? dayName(day.from) : t('from_to', both(day.from), both(day.to));
  byId('made').replaceChildren(
    ...parts('data_for', el('strong', {}, window), report.tz, both(Date.parse(report.generated_at))),
  );
  drawBanners();
  drawDays(report.date);
}

function drawBanners() {
  const found = banners(day, dates.at(-1), Date.now(), trouble);
  if (missing) found.unshift(banner('bad', missing));
  byId('banners').replaceChildren(...found);
}

function options(select, values, label) {
  const chosen =
    values.includes(state[select.id]) || !state[select.id] ? values : [...values, state[select.id]];
  select.replaceChildren(select.options[0], ...chosen.map((value) => el('option', { value }, label(value))));
}

const MOST_NODES = 3000;

function drawFilters() {
  const others = (key) => (day.of[key].some((at) => at < 0) ? ['-'] : []);
  const known = (key) => [...(day.words[key] ?? [])].sort().concat(others(key));
  const label = (word) => (word === '-' ? t('none_of_these') : word);
  options(byId('family'), known('platform'), (family) => (family === '-' ? t('unknown') : family));
  options(byId('hub'), known('hub'), label);
  byId('hub-field').hidden = !hasAny(day, 'hub');
  byId('node-field').hidden = !hasAny(day, 'node');
  byId('nodes').replaceChildren(
    ...(day.words.node ?? []).slice(0, MOST_NODES).map((value) => el('option', { value })),
  );
  options(byId('mod'), day.seen.map(modulationName), (modulation) => modulation);
  options(byId('why'), REASONS, whyLabel);
  byId('size').replaceChildren(...SIZES.map((size) => el('option', { value: size }, String(size))));
  byId('sort').replaceChildren(
    ...columnsOf(day, state).flatMap((column) =>
      ['-', ''].map((sign) =>
        el('option', { value: sign + column.id }, `${columnLabel(column)} ${sign ? '▼' : '▲'}`),
      ),
    ),
  );
  byId('choices').replaceChildren(...columnBoxes(day, state, chooseColumns));
  const isChronic = state.view === 'chronic';
  byId('view-all').setAttribute('aria-pressed', String(!isChronic));
  byId('view-chronic').setAttribute('aria-pressed', String(isChronic));
  byId('view-chronic').textContent = `${t('view_chronic')} (${number(day.chronic)})`;
  byId('view-hint').hidden = !isChronic;
  for (const id of Object.keys(NO_FILTERS)) if (byId(id).value !== state[id]) byId(id).value = state[id];
}

// As one types only the rows that a screen shows are drawn at once, and the others a moment later.
const FIRST_ROWS = 12;
let rest = 0;

function drawRows(shown, isTyping) {
  const first = isTyping ? shown.slice(0, FIRST_ROWS) : shown;
  clearTimeout(rest);
  // The page keeps its height meanwhile, so that nothing jumps.
  const height = first.length < shown.length ? `${byId('scroll').offsetHeight}px` : '';
  byId('body').replaceChildren(...tableBody(day, first, state, toggle));
  byId('scroll').style.minHeight = height;
  if (!height) return;
  rest = setTimeout(() => {
    byId('body').append(...tableBody(day, shown.slice(FIRST_ROWS), state, toggle));
    byId('scroll').style.minHeight = '';
  }, TYPING_MS);
}

// The table for the state as it is, and the address with it.
function drawTable(write = writeAddress) {
  rows = view(day, state);
  const pages = Math.max(1, Math.ceil(rows.length / state.size));
  state.page = Math.min(state.page, pages);
  const shown = rows.slice((state.page - 1) * state.size, state.page * state.size);
  const focus = document.activeElement?.dataset ?? {};
  drawColumns();
  drawRows(shown, write === writeAddressSoon);
  refocus(focus);
  drawCount(shown.length);
  byId('sort').value = sortOf(state.sort);
  byId('page').value = state.page;
  byId('page').max = pages;
  byId('of').textContent = t('of_pages', number(pages));
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

// The head of the table changes with its columns and its order only. Where all columns fit, it stays in sight.
let head = '';
function drawColumns() {
  const columns = columnsOf(day, state);
  const wanted = `${columns.map(({ id }) => id).join('.')} ${state.sort}`;
  if (wanted !== head || day.head !== head) {
    byId('widths').replaceChildren(...widths(columns));
    byId('head').replaceChildren(headRow(day, state, sortBy));
    head = wanted;
    day.head = wanted;
    fit();
  }
}

function fit() {
  if (!day) return;
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const width = wholeWidth(columnsOf(day, state));
  byId('table').style.setProperty('--whole', `${width}rem`);
  byId('scroll').classList.toggle('fits', byId('scroll').clientWidth >= width * rem);
}

function drawCount(shown) {
  let lost = 0;
  let hops = 0;
  for (const row of rows) {
    lost += day.of.lost_mbps[row] ?? 0;
    hops += day.of.hops[row];
  }
  const isAll = rows.length === day.rows;
  // Of all of them the report has it, not rounded row by row.
  if (isAll) lost = day.report.lost_mbps ?? 0;
  const all = tn('count_upstreams', day.rows);
  const of = isAll ? all : t('count_of', number(rows.length), all);
  byId('count').textContent = `${of} · ${tn('count_hops', hops)} · ${t('count_lost', figure(lost))}`;
  const sort = sortOf(state.sort);
  const first = rows.length ? (state.page - 1) * state.size + 1 : 0;
  byId('caption').textContent = t(
    'caption',
    number(first),
    number(first + shown - (shown ? 1 : 0)),
    number(rows.length),
    columnLabel(columnOf(sort)),
    sort.startsWith('-') ? t('descending') : t('ascending'),
  );
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
  const { first } = columnOf(id);
  const other = first ? id : `-${id}`;
  change({ sort: state.sort === first + id ? other : first + id });
}

function toggle(key) {
  change({ open: state.open === key ? '' : key, page: state.page });
}

function goTo(page) {
  change({ page: Math.max(1, Math.floor(page) || 1) });
  // On a phone the pager is at hand wherever one is, and the first card of the next page may be far up.
  if (byId('caption').getBoundingClientRect().top < 0) byId('caption').scrollIntoView({ behavior: 'instant' });
}

function chooseColumns(cols) {
  change({ cols, page: state.page });
  if (!cols) drawFilters();
}

function chooseView(name) {
  const sort = name === 'chronic' ? '-chronic' : DEFAULTS.sort;
  state = { ...state, ...NO_FILTERS, view: name, sort, page: 1 };
  drawFilters();
  drawTable();
}

function filterBy(wanted) {
  state = { ...state, ...NO_FILTERS, view: '', ...wanted, page: 1 };
  drawFilters();
  drawTable();
  byId('upstreams').scrollIntoView();
  byId('upstreams').focus({ preventScroll: true });
}

// From a picture to the upstreams of one of its lines.
function filterByKey(key, value) {
  const field = { platform: 'family', cmts: 'q', area: 'q' }[key] ?? key;
  filterBy({ [field]: value ?? (field === 'q' ? '' : '-') });
}

// From the list above to the same row, open, in the table.
function openFromAbove(row) {
  const key = keyOf(day, row);
  state = { ...state, ...NO_FILTERS, view: '', sort: DEFAULTS.sort, page: 1, open: key };
  drawFilters();
  drawTable();
  openerOf(key)?.focus({ preventScroll: true });
  openerOf(key)?.closest('tr').scrollIntoView({ block: 'center' });
}

function goToDay(date) {
  isFollowing = false;
  state = { ...state, date, page: 1 };
  writeAddress(state, true);
  load();
}

const beside = (distance) => dates[dates.indexOf(byId('date').value) + distance];

// Today's page grows: it is read again each five minutes, and at once when it comes back into sight.
let lastRead = Date.now();
function refreshIfDue() {
  if (inlined || !day || document.hidden || Date.now() - lastRead < REFRESH_MS) return;
  const isGrowing = day.report.date === day.clock.date(Date.now());
  if (!isGrowing && !isFollowing) return drawBanners();
  lastRead = Date.now();
  load();
}

// The address was changed by hand, by a link, or by the way back.
function followAddress() {
  const before = state.date;
  state = readAddress();
  if (!state.date || (state.date === before && day)) {
    if (!day) return;
    state.date ||= before;
    drawFilters();
    drawTable();
    locate(true);
    drawBanners();
  } else {
    isFollowing = false;
    day = null;
    load();
  }
}

function listen() {
  const on = (id, event, act) => byId(id).addEventListener(event, act);
  for (const id of ['q', 'node']) on(id, 'input', () => change({ [id]: byId(id).value }, writeAddressSoon));
  for (const id of ['family', 'hub', 'hops', 'mod', 'why', 'cov', 'sort'])
    on(id, 'change', () => change({ [id]: byId(id).value }));
  on('filters', 'submit', (event) => event.preventDefault());
  on('filters', 'reset', (event) => {
    event.preventDefault();
    change(NO_FILTERS);
    drawFilters();
  });
  on('csv', 'click', () => download(day, rows, PLAIN));
  on('csv-excel', 'click', () => download(day, rows, EXCEL));
  on('view-all', 'click', () => chooseView(''));
  on('view-chronic', 'click', () => chooseView('chronic'));
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
  on('spectrum-by', 'change', drawSpectrum);
  on('sums-by', 'change', drawSums);
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
  addEventListener('popstate', followAddress);
  addEventListener('resize', () => {
    if (!day) return;
    drawColumns();
    fit();
  });
  document.addEventListener('visibilitychange', refreshIfDue);
  setInterval(refreshIfDue, 10_000);
}

setTheme(savedTheme());
listen();
load();
