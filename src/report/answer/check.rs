//! `--format check`: one line for a monitoring plugin, with performance data; 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.

use std::io::{BufRead, Write};

use crate::{
    cli::{self, report::Limit},
    error::{Error, Result},
    exit::Exit,
    report::{
        findings::{Findings, is_below},
        request::Request,
        source,
    },
    stage::Context,
    text,
};

/// Writes the line. What goes wrong with the data is in it and in the exit code.
pub fn write(
    request: &Request,
    args: &cli::Report,
    context: &Context,
    stdin: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    let (word, exit, line) = match source::read(&request.question, args, context, stdin) {
        Err(error @ (Error::Database { .. } | Error::Away { .. })) => {
            ("CRITICAL", Exit::Usage, error.to_string())
        }
        Err(error) => ("UNKNOWN", Exit::Partial, error.to_string()),
        Ok((findings, _)) => look(request, &findings, args.warning, args.critical),
    };
    writeln!(output, "MOD-REPORT {word} - {}", text::terminal(&line)).map_err(Error::output)?;
    Ok(exit)
}

fn look(
    request: &Request,
    findings: &Findings<'_>,
    warning: Option<Limit>,
    critical: Option<Limit>,
) -> (&'static str, Exit, String) {
    let upstreams = findings.len() as u64;
    let below = findings.exact_rows(&request.view).filter(|(row, _)| is_below(row)).count() as u64;
    let report = findings.report();
    let incidents = report.incidents.iter().filter(|incident| !incident.maintenance).count();
    let silent: Vec<_> = report.silent.iter().map(|silent| silent.cmts.as_str()).collect();
    let [warn, crit] = [warning, critical].map(|limit| limit.map(|limit| limit.of(upstreams)));
    let shown = |limit: Option<u64>| limit.map(|limit| limit.to_string()).unwrap_or_default();
    let mut said = format!("{below} of {upstreams} upstreams below expectation");
    if let Some(lost) = report.lost_mbps {
        said += &format!(", {lost:.1} Mbit/s lost");
    }
    if incidents > 0 {
        said += &format!(", {incidents} incidents");
    }
    if !silent.is_empty() {
        said += &format!(", silent: {}", silent.join(" "));
    }
    // A name may hold what ends the text of a plugin.
    let said = said.replace('|', "/");
    let mut data = vec![
        format!("below={below};{};{};0;{upstreams}", shown(warn), shown(crit)),
        format!("upstreams={upstreams}"),
    ];
    data.extend(report.lost_mbps.map(|lost| format!("lost_mbps={lost}")));
    data.push(format!("incidents={incidents}"));
    data.push(format!("silent={}", silent.len()));
    let line = format!("{said} | {}", data.join(" "));
    let reaches = |limit: Option<u64>| limit.is_some_and(|limit| below >= limit.max(1));
    match () {
        () if upstreams == 0 => ("UNKNOWN", Exit::Partial, line),
        () if reaches(crit) => ("CRITICAL", Exit::Usage, line),
        () if reaches(warn) || !silent.is_empty() => ("WARNING", Exit::Failed, line),
        () => ("OK", Exit::Done, line),
    }
}
