// What is looked at: the day, filters, order, page and open row. All of it stands in the address, after the
// #, so that a view can be mailed and the browser's back button works. The date always stands there: the newest
// day of today is not the newest of tomorrow.

const isPhone = matchMedia('(max-width: 760px)').matches;

const DEFAULTS = {
  date: '',
  view: '',
  q: '',
  family: '',
  hub: '',
  node: '',
  hops: '',
  mod: '',
  why: '',
  cov: '',
  sort: '-mbps',
  cols: '',
  page: 1,
  size: isPhone ? 20 : 50,
  open: '',
};
const NO_FILTERS = { q: '', family: '', hub: '', node: '', hops: '', mod: '', why: '', cov: '' };
const SIZES = [20, 25, 50, 100, 250];

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const state = { ...DEFAULTS };
  for (const key of Object.keys(DEFAULTS)) if (given.has(key)) state[key] = given.get(key);
  state.page = Math.max(1, Math.floor(Number(state.page)) || 1);
  state.size = SIZES.includes(Number(state.size)) ? Number(state.size) : DEFAULTS.size;
  if (state.view !== 'chronic') state.view = '';
  return state;
}

const TYPING_MS = 150;
let later = 0;

// As one types the address follows a little later: writing it takes longer than finding.
function writeAddressSoon(state) {
  clearTimeout(later);
  later = setTimeout(() => writeAddress(state), TYPING_MS);
}

function writeAddress(state, isNewPlace) {
  clearTimeout(later);
  const told = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) if (value !== DEFAULTS[key]) told.set(key, value);
  const hash = `#${told}`;
  if (hash === (location.hash || '#')) return;
  try {
    if (isNewPlace) history.pushState(null, '', hash);
    else history.replaceState(null, '', hash);
  } catch {
    // More often than a browser allows: the address catches up at the next change.
  }
}
