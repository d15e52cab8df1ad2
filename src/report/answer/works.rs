//! `--works`: what each line of a table of works did to the upstreams that it was on.

use std::{
    collections::HashMap,
    io::{self, BufRead, Write},
    rc::Rc,
    time::Duration,
};

use super::stream;
use crate::{
    cli,
    database::{self, Access, Database, DayHead, Detail, finished::Calendar},
    error::{Error, Result},
    exit::Exit,
    language::Language,
    layout::full::Table,
    measure::{
        Window,
        maintenance::Line,
        plan::number_of,
        rollup::{self, rules},
        roster::Roster,
        stretches,
        window::{self, local},
        works::{Compared, Ended, Progress, judged},
    },
    modulation::Modulation,
    record::{self, Timestamp, Work, WorkSide},
    report::request::{Question, Request},
    stage::Context,
    units,
};

/// Writes one record, line or block per line of the table, in the order of time.
pub fn write(
    request: &Request,
    args: &cli::Report,
    context: &Context,
    stdin: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    let question = &request.question;
    let mut fleet = Fleet::new(question);
    if fleet.compared.is_empty() {
        log::warn!("--works: the file has no line; expected cmts,from,to[,upstream][,node][,ticket]");
        return Ok(Exit::Partial);
    }
    let (roster, mut exit) = match args.input {
        Some(_) => {
            let (roster, _, exit) =
                stream::read(request, args, context, stdin, None, &mut |roster, _, point| {
                    fleet.feed(roster, point.upstream, point.ts, point.modulation);
                    Ok(())
                })?;
            (roster, exit)
        }
        None => (fleet.read(args, context)?, Exit::Done),
    };
    let works = fleet.finish(&roster);
    for work in &works {
        if say_missing(work, question) {
            exit = exit.merge(Exit::Partial);
        }
    }
    match (request.view.text, args.format) {
        (true, _) => table(&works, request, output),
        (_, Some(cli::report::Format::Csv)) => csv(&works, output),
        _ => works.iter().try_for_each(|work| record::write(output, work)),
    }
    .map_err(Error::output)?;
    Ok(exit)
}

/// All upstreams that were worked on.
struct Fleet<'a> {
    question: &'a Question,
    /// Of each line the hours that it is judged by.
    compared: Vec<Compared>,
    /// By the number of an upstream its lines.
    upstreams: Vec<Vec<(usize, Progress)>>,
    /// By its number what the newest finished day says that it can do.
    remembered: HashMap<u32, Modulation>,
}

impl<'a> Fleet<'a> {
    fn new(question: &'a Question) -> Self {
        let (tz, now, hold) = (question.tz, question.now, question.hold());
        let compared = |line: &Line| Compared::new(line.window(), tz, now, hold);
        let compared = question.maintained.lines().iter().map(compared).collect();
        Fleet { question, compared, upstreams: Vec::new(), remembered: HashMap::new() }
    }

    fn feed(&mut self, roster: &Roster, upstream: u32, ts: Timestamp, modulation: Modulation) {
        self.begin(roster, upstream);
        for (line, progress) in &mut self.upstreams[upstream as usize] {
            progress.feed(&self.compared[*line], ts, modulation);
        }
    }

    /// Begins upstreams up to this one.
    fn begin(&mut self, roster: &Roster, upstream: u32) {
        let Fleet { question, compared, upstreams, .. } = self;
        while let Ok(next) = u32::try_from(upstreams.len())
            && next <= upstream
        {
            let about = roster.about(next);
            let works = question.maintained.of(about.cmts, about.upstream);
            let numbers = question.maintained.numbers_of(about.cmts, about.upstream);
            let begun = |line: usize| (line, Progress::new(&compared[line], Rc::clone(&works)));
            upstreams.push(numbers.map(begun).collect());
        }
    }

    /// Reads the hours out of a database, each once.
    fn read(&mut self, args: &cli::Report, context: &Context) -> Result<Roster> {
        let question = self.question;
        let mut database = database::open(&args.database, context, Access::Read)?;
        let mut roster = Roster::with_nodes(&question.nodes);
        self.read_days(&mut roster, database.as_mut())?;
        for span in self.spans() {
            database.samples(span, Detail::Without, &mut |stored| {
                if question.only.upstream(stored.cmts, stored.upstream) {
                    let upstream = roster.upstream(stored.cmts, stored.upstream);
                    self.feed(&roster, upstream, stored.ts, stored.modulation);
                }
                Ok(())
            })?;
        }
        database.channels(&mut |channel| roster.channel(channel))?;
        self.remember(&roster, database.as_mut())?;
        Ok(roster)
    }

    /// Reads the finished days of those hours whose samples are gone.
    fn read_days(&mut self, roster: &mut Roster, database: &mut dyn Database) -> Result<()> {
        let Question { tz, interval_s, now, .. } = *self.question;
        let calendar = Calendar { tz, interval_s, now };
        let oldest = database.oldest()?.unwrap_or(Timestamp(i64::MAX));
        let hours: Vec<_> = self.compared.iter().flat_map(|c| &c.hours).map(|hours| hours.window).collect();
        let is_wanted = |head: &DayHead| {
            let day = window::of_day(tz, head.day);
            let is_gone = day.to <= oldest || head.made.sealed && day.from < oldest;
            let is_asked = hours.iter().any(|hours| hours.from < day.to && day.from < hours.to);
            is_gone && is_asked && calendar.is_of(head) && head.made.rules == rules()
        };
        let heads = database.day_heads()?;
        for head in heads.iter().filter(|head| is_wanted(head)) {
            let day = window::of_day(tz, head.day);
            self.compared.iter_mut().for_each(|compared| compared.samples_from(day.to));
            database.day_rows(head.day, true, &mut |row| {
                if self.question.only.upstream(row.cmts, row.upstream) {
                    // A row that cannot be read is the report's to name.
                    let Ok(line) = rollup::Line::of_columns(row.time_s, row.finished) else { return Ok(()) };
                    let upstream = roster.upstream(row.cmts, row.upstream);
                    self.hold(roster, upstream, day, &line.steps);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Takes what was held in the steps of a finished day.
    fn hold(&mut self, roster: &Roster, upstream: u32, day: Window, steps: &str) {
        self.begin(roster, upstream);
        let step = i64::try_from(stretches::step_s(self.question.interval_s)).unwrap_or(i64::MAX);
        let mut from = day.from;
        for stretch in stretches::of_text(steps).chunk_by(PartialEq::eq) {
            let to = (from + step * i64::try_from(stretch.len()).unwrap_or(0)).min(day.to);
            if let Some(&Some(modulation)) = stretch.first() {
                for (line, progress) in &mut self.upstreams[upstream as usize] {
                    progress.held(&self.compared[*line], Window { from, to }, step, modulation);
                }
            }
            from = to;
        }
    }

    /// Takes what the newest finished day says that upstreams can do.
    fn remember(&mut self, roster: &Roster, database: &mut dyn Database) -> Result<()> {
        let heads = database.day_heads()?;
        let Some(newest) = heads.iter().rev().find(|head| head.made.rules == rules()) else { return Ok(()) };
        let (next, days) = (number_of(newest.day) + 1, self.question.expected_days);
        database.day_rows(newest.day, true, &mut |row| {
            // A row that cannot be read is the report's to name.
            let Ok(line) = rollup::Line::of_columns(row.time_s, row.finished) else { return Ok(()) };
            let known = roster.find(row.cmts, row.upstream).zip(line.memory.best_held(next, days));
            self.remembered.extend(known);
            Ok(())
        })
    }

    /// The time of all hours, with the samples before them that may hold into them.
    fn spans(&self) -> Vec<Window> {
        let hold = self.question.hold();
        let hours = self.compared.iter().flat_map(|compared| &compared.hours);
        let mut all: Vec<_> =
            hours.map(|h| Window { from: h.window.from + -hold, to: h.window.to }).collect();
        all.sort_by_key(|window| (window.from, window.to));
        let mut spans: Vec<Window> = Vec::new();
        for window in all {
            match spans.last_mut() {
                Some(last) if window.from <= last.to => last.to = last.to.max(window.to),
                _ => spans.push(window),
            }
        }
        spans
    }

    fn finish(self, roster: &Roster) -> Vec<Work> {
        let Fleet { question, compared, upstreams, remembered } = self;
        let mut ended: Vec<Vec<Ended>> = compared.iter().map(|_| Vec::new()).collect();
        for (number, lines) in (0..).zip(upstreams) {
            let about = roster.about(number);
            let told = question.expected.of(about.cmts, about.upstream);
            for (line, progress) in lines {
                let remembered = remembered.get(&number).copied();
                ended[line].push(Ended::new(progress, &compared[line], told, remembered, about.width_hz));
            }
        }
        let lines = question.maintained.lines().iter().zip(compared.iter().zip(&ended));
        lines.map(|(line, (compared, ended))| work(question, line, compared, ended)).collect()
    }
}

fn work(question: &Question, line: &Line, compared: &Compared, ended: &[Ended]) -> Work {
    let (before, after, verdict) = judged(compared, ended);
    let written = line.written().clone();
    let work = Work {
        ts: question.now,
        cmts: written.cmts,
        upstream: written.upstream,
        node: written.node,
        ticket: written.ticket,
        from: written.from,
        to: written.to,
        verdict,
        before,
        after,
    };
    work.rounded()
}

/// Names the days of which nothing is left; whether there are any.
fn say_missing(work: &Work, question: &Question) -> bool {
    let missing: Vec<_> = [&work.before, &work.after]
        .iter()
        .flat_map(|side| &side.missing_days)
        .map(ToString::to_string)
        .collect();
    if missing.is_empty() {
        return false;
    }
    log::warn!(
        "{}: neither samples nor a finished day of its hours on {}: not scanned then, or pruned since; mod-prune \
         --rollup-days is how long finished days are kept",
        what(work, question, Words::of(Language::En)),
        missing.join(", ")
    );
    true
}

fn what(work: &Work, question: &Question, words: &Words) -> String {
    let time = |ts: Timestamp| local(question.tz, ts).format("%Y-%m-%d %H:%M");
    let of = record::Maintenance {
        cmts: work.cmts.clone(),
        from: work.from,
        to: work.to,
        upstream: work.upstream.clone(),
        node: work.node.clone(),
        ticket: work.ticket.clone(),
    };
    format!("{} {} {}, {}", time(work.from), words.to, time(work.to), of.what())
}

fn csv(works: &[Work], output: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(&Work::names(), output)?;
    works.iter().try_for_each(|work| table.line(work.cells()))?;
    table.finish()
}

fn table(works: &[Work], request: &Request, output: &mut dyn Write) -> io::Result<()> {
    let (question, language) = (&request.question, request.view.language);
    let words = Words::of(language);
    for (number, work) in works.iter().enumerate() {
        if number > 0 {
            writeln!(output)?;
        }
        let verdict = work.verdict.map_or(words.not_known, |verdict| verdict.label(language));
        writeln!(output, "{}: {verdict}", what(work, question, words))?;
        let [lost, mbps, hops, below, coverage, days, upstreams] = words.heading;
        writeln!(
            output,
            "          {lost:>8} {mbps:>9} {hops:>6} {below:>9} {coverage:>9} {days:>5} {upstreams:>9}"
        )?;
        for (name, side) in [(words.before, &work.before), (words.after, &work.after)] {
            line(name, side, (words, question), output)?;
        }
    }
    Ok(())
}

fn line(
    name: &str,
    side: &WorkSide,
    (words, question): (&Words, &Question),
    output: &mut dyn Write,
) -> io::Result<()> {
    let number = |figure: Option<f64>| {
        figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.1}").replace('.', words.decimal))
    };
    if side.upstreams == 0 {
        let why = if side.coverage_pct.is_none() { words.to_come } else { words.not_known };
        write!(output, "  {name:6}  {why}")?;
    } else {
        let below = side.degraded_s.map_or_else(|| "-".to_owned(), human);
        write!(
            output,
            "  {name:6}  {:>8} {:>9} {:>6} {below:>9} {:>9} {:>5} {:>9}",
            number(side.lost_pct),
            number(side.lost_mbps),
            side.hops.unwrap_or(0),
            number(side.coverage_pct),
            side.days,
            side.upstreams,
        )?;
    }
    if side.finished_days > 0 {
        let (days, step) = (side.finished_days, human(stretches::step_s(question.interval_s)));
        write!(output, "  {}", words.finished.replace("{days}", &days.to_string()).replace("{step}", &step))?;
    }
    let missing: Vec<_> = side.missing_days.iter().map(ToString::to_string).collect();
    match missing.is_empty() {
        true => writeln!(output),
        false => writeln!(output, "  {} {}", words.nothing_of, missing.join(", ")),
    }
}

fn human(seconds: u64) -> String {
    units::human(Duration::from_secs(seconds))
}

/// What the table says by itself.
struct Words {
    to: &'static str,
    heading: [&'static str; 7],
    before: &'static str,
    after: &'static str,
    not_known: &'static str,
    to_come: &'static str,
    finished: &'static str,
    nothing_of: &'static str,
    decimal: &'static str,
}

const ENGLISH: Words = Words {
    to: "to",
    heading: ["LOST%", "MBIT/S", "HOPS", "BELOW", "COVERAGE%", "DAYS", "UPSTREAMS"],
    before: "before",
    after: "after",
    not_known: "not known",
    to_come: "still to come",
    finished: "{days} from finished days, to {step}",
    nothing_of: "nothing of",
    decimal: ".",
};

const DUTCH: Words = Words {
    to: "tot",
    heading: ["VERLIES%", "MBIT/S", "HOPS", "ERONDER", "GEMETEN%", "DAGEN", "UPSTREAMS"],
    before: "ervoor",
    after: "erna",
    not_known: "niet bekend",
    to_come: "komt nog",
    finished: "{days} uit bewaarde dagen, op {step} na",
    nothing_of: "niets van",
    decimal: ",",
};

impl Words {
    fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::Nl => &DUTCH,
        }
    }
}
