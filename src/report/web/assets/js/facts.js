// The facts of one upstream in words. Its sentence was made by mod-report; here it is shown, and put into a ticket.

const whyLabel = (reason) => WORDS.why[reason]?.[0] ?? reason.replaceAll('_', ' ');
const whyMeaning = (reason) => WORDS.why[reason]?.[1] ?? '';
const statusWords = (status) => WORDS.status[status] ?? status;

// The end of a stretch: that of the day is not its midnight.
const endTime = (day, at) => (day.report.date && at === day.to ? '24:00' : day.clock.time(at));

// The loss of a row, in the unit that is known.
const lossWords = (day, row) => {
  const { lost_mbps: mbps, lost_pct: pct } = day.of;
  if (mbps[row] !== null) return `${figure(mbps[row])} Mbit/s`;
  return pct[row] === null ? t('unknown') : `${figure(pct[row])} %`;
};

const badges = (day, row) =>
  reasons(day, row).map((reason) =>
    el(
      'span',
      { class: `badge ${Object.hasOwn(WORDS.why, reason) ? reason : ''}`, title: whyMeaning(reason) },
      whyLabel(reason),
    ),
  );

const signed = (value, words) =>
  value === null || value === undefined
    ? null
    : `${value > 0 ? '+' : value < 0 ? '−' : '±'}${words(Math.abs(value))}`;
const deltaHops = (day, row) => signed(day.of.delta_hops[row], (n) => tn('count_hops', n));
const deltaLost = (day, row) => signed(day.of.delta_lost_pct[row], (n) => t('points', figure(n)));

const sinceWords = (day, row) => (word(day, 'since', row) ? day.clock.both(Date.parse(word(day, 'since', row))) : '');

function snrWords(day, row) {
  const { snr_db_median: median, snr_db_min: min, snr_db_degraded: low, snr_db_otherwise: else_ } = day.of;
  if ((median?.[row] ?? null) === null) return '';
  const both = low[row] !== null && else_[row] !== null;
  const split = both ? `; ${t('snr_parts', number(low[row], 1), number(else_[row], 1))}` : '';
  return t('snr_words', number(median[row], 1), number(min[row], 1)) + split;
}

function channelWords(day, row) {
  const { center_hz: center, width_hz: width } = day.of;
  return [
    center[row] === null ? '' : t('channel_center', megahertz(center[row])),
    width[row] === null ? '' : t('channel_width', megahertz(width[row])),
  ]
    .filter(Boolean)
    .join(', ');
}

// What is known of a row, [term, words][]; what is not known is left out.
function facts(day, row) {
  const { of } = day;
  const spelled = reasons(day, row)
    .map((reason) => `${whyLabel(reason)}: ${whyMeaning(reason)}`)
    .join('; ');
  const loss = [
    of.lost_pct[row] === null ? t('unknown') : `${figure(of.lost_pct[row])} %`,
    of.lost_mbps[row] === null
      ? t('unknown_width')
      : `${figure(of.lost_mbps[row])} Mbit/s, ${figure(of.lost_gb[row])} GB`,
  ].join(', ');
  const shares = sharesOf(day, row)
    .filter(([, pct]) => pct > 0)
    .map(([m, pct]) => `${modulationName(m)} ${figure(pct)} % (${number(day.of[`counts_${MODULATIONS[m]}`][row])})`)
    .join(', ');
  const change = [deltaHops(day, row), deltaLost(day, row) && t('of_loss', deltaLost(day, row))].filter(Boolean);
  const best = word(day, 'best_seen', row);
  const hours = of.customer_hours?.[row] ?? null;
  const modems = (of.modems?.[row] ?? null) === null ? '' : t('modems_words', number(of.modems[row]));
  return [
    [t('why'), spelled],
    [t('since_label'), sinceWords(day, row)],
    [t('below_for_half'), of.chronic_days[row] ? t('chronic_words', number(of.chronic_days[row])) : ''],
    [t('lost'), loss],
    [
      t('degraded'),
      of.degraded_s[row]
        ? t('longest', duration(of.degraded_s[row]), duration(of.longest_degraded_s[row]))
        : t('never'),
    ],
    [
      t('hops'),
      t('hops_words', number(of.hops[row]), number(of.hops_down[row]), number(of.hops_up[row])),
    ],
    [
      t('modulation'),
      t(
        'modulation_words',
        modulationName(day.last[row]),
        modulationName(day.expected[row]) || t('unknown'),
        modulationName(day.worst[row]) || t('unknown'),
      ),
    ],
    [t('best_seen'), best ? t('best_seen_on', modulationName(day.expected[row]), shortDate(best)) : ''],
    [t('measurements'), `${number(of.measurements[row])}: ${shares}`],
    [t('coverage'), t('pct_of_time', figure(of.coverage_pct[row]))],
    [t('against_before'), change.join(', ')],
    [t('channel'), channelWords(day, row)],
    ['SNR', snrWords(day, row)],
    [t('modems'), [modems, hours ? tn('customer_words', Math.round(hours)) : ''].filter(Boolean).join('; ')],
    [t('node'), [word(day, 'node', row), word(day, 'hub', row), word(day, 'area', row)].filter(Boolean).join(', ')],
  ].filter(([, words]) => words);
}

// A row as text for a ticket: whose, the sentence, the figures, the link.
function ticket(day, row) {
  const window = day.report.date ?? t('from_to', day.clock.both(day.from), day.clock.both(day.to));
  const what = [keyOf(day, row), word(day, 'description', row)].filter(Boolean).join(', ');
  return [
    `${what} (${window}, ${day.report.tz})`,
    word(day, 'says', row),
    ...facts(day, row).map(([term, words]) => `${term}: ${words}`),
    urlOf(day, row),
  ]
    .filter(Boolean)
    .join('\n')
    .replaceAll('\u00a0', ' ');
}

// To the clipboard; a page over plain HTTP may not use it, and selects the text instead.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = el('textarea', { class: 'unseen', readonly: true, 'aria-hidden': 'true' });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

function ticketButton(day, row) {
  const button = el('button', { type: 'button', class: 'ticket' }, t('copy_ticket'));
  button.addEventListener('click', async () => {
    const done = await copy(ticket(day, row));
    button.textContent = done ? t('copied') : t('not_copied');
    setTimeout(() => {
      button.textContent = t('copy_ticket');
    }, 3000);
  });
  return button;
}
