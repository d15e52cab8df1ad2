// The numbers of one upstream in words: what is wrong, since when, and why.

const WHY = {
  chronic: ['chronic', 'it was below its expected modulation for half of the time on seven of the last 14 days'],
  stuck_low: ['stuck low', 'it ran below its expected modulation nearly all of the time'],
  flapping: ['flapping', 'at least six changes within twenty measurements'],
  stepped_down: ['stepped down', 'it went to a lower modulation and has not come back'],
  incident: ['incident', 'it stepped down together with at least four others of its CMTS'],
  gap: ['gap', 'it was not observed for a part of the time'],
  unknown_profile: ['unknown profile', 'the device reported a profile number that nothing explains'],
  never_better: ['never better', 'it never reached what most of its neighbours run at'],
};
const whyLabel = (reason) => WHY[reason]?.[0] ?? reason.replaceAll('_', ' ');
const whyMeaning = (reason) => WHY[reason]?.[1] ?? '';

const STATUS = {
  resolve_failed: 'its name does not resolve',
  refused: 'it refused the connection',
  unreachable: 'it is unreachable',
  connect_timeout: 'no connection in time',
  kex_failed: 'no common SSH algorithm',
  host_key_unknown: 'its host key is not known',
  host_key_changed: 'its host key has changed',
  auth_failed: 'the login was rejected',
  login_timeout: 'no prompt in time',
  read_timeout: 'it stopped answering',
  disconnected: 'it closed the connection',
  output_too_large: 'it said too much',
  command_failed: 'it refused a command',
  cancelled: 'the fetch was cancelled',
  parse_failed: 'its answer was not understood',
  internal: 'a fault of ours',
  ok: 'it answers again',
  partial: 'it answers in part',
};
const statusWords = (status) => STATUS[status] ?? status;

const modulationName = (modulation) => MODULATIONS[modulation] ?? '';

// Whether it was still below expectation when last measured.
const isStillLow = (day, row) => isBelow(day.of.last[row], day.of.expected[row]);

// The incident that a spell began with, as far as both are known to the scan.
function incidentOf(day, row, spell) {
  if (!spell || !word(day, 'steps', row)) return null;
  const cmts = word(day, 'cmts', row);
  return (
    day.report.incidents.find((incident) => {
      const at = Date.parse(incident.ts);
      return incident.cmts === cmts && at >= spell.from - day.stepMs && at < spell.from + day.stepMs;
    }) ?? null
  );
}

// The end of a stretch: that of the day is not its midnight.
const endTime = (day, at) => (day.report.date && at === day.to ? '24:00' : day.clock.time(at));

function spellWords(day, row, found) {
  const expected = modulationName(day.of.expected[row]);
  const { time } = day.clock;
  const last = found.at(-1);
  const lowest = modulationName(day.of.worst[row]);
  const total = duration(day.of.degraded_s[row]);
  if (found.length === 1) {
    const whole = last.from <= day.from + day.stepMs && last.to >= day.end - 2 * day.stepMs;
    if (whole) return `${lowest} instead of ${expected} all day`;
    if (isStillLow(day, row))
      return `${lowest} instead of ${expected} since ${time(last.from)}, ${total}, and still so`;
    return `${lowest} instead of ${expected} from ${time(last.from)} to ${endTime(day, last.to)}`;
  }
  const state = isStillLow(day, row)
    ? `, again since ${time(last.from)} and still so`
    : ', recovered each time';
  return `${found.length} times below ${expected}, down to ${lowest}, ${total} in all${state}`;
}

// One line for a technician.
function sentence(day, row) {
  const found = spells(day, row);
  const { of } = day;
  const said = [];
  if (found.length) said.push(spellWords(day, row, found));
  else if (of.degraded_s[row]) {
    said.push(
      `down to ${modulationName(of.worst[row])} instead of ${modulationName(of.expected[row])}, ${duration(of.degraded_s[row])} in all`,
    );
  }
  const incident = incidentOf(day, row, found[0]);
  if (incident) said.push(`together with ${count(incident.upstreams - 1, 'other')} of its CMTS`);
  if (of.hops[row]) said.push(count(of.hops[row], 'hop'));
  const better = of.delta_lost_pct[row];
  if (better !== null && Math.abs(better) >= 1)
    said.push(`${better > 0 ? 'worse' : 'better'} than the day before by ${figure(Math.abs(better))} points`);
  if (of.coverage_pct[row] < 90) said.push(`observed only ${figure(of.coverage_pct[row])} % of the time`);
  return said.join('; ');
}

// The loss of a row, in the unit that is known.
const lossWords = (day, row) => {
  const { lost_mbps: mbps, lost_pct: pct } = day.of;
  if (mbps[row] !== null) return `${figure(mbps[row])} Mbit/s`;
  return pct[row] === null ? 'unknown' : `${figure(pct[row])} %`;
};

const badges = (day, row) =>
  reasons(day, row).map((reason) =>
    el(
      'span',
      { class: `badge ${Object.hasOwn(WHY, reason) ? reason : ''}`, title: whyMeaning(reason) },
      whyLabel(reason),
    ),
  );
