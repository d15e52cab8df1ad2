//! `--format samples`: the samples of the window as records again, for jq, or for another database.

use std::{
    collections::HashMap,
    io::{BufRead, Write},
};

use crate::{
    cli,
    database::{self, Access, Database, Detail, Stored},
    error::{Error, Result},
    exit::Exit,
    measure::{Channel, Window},
    record::{self, Record, Sample, Source},
    report::{
        request::Request,
        source::{each_record, with_input},
    },
    stage::Context,
};

/// Writes them, those of a database in the order of time, those of an input as they come.
pub fn write(
    request: &Request,
    args: &cli::Report,
    context: &Context,
    stdin: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    let mut written = 0_u64;
    let exit = match (&args.input, request.question.window) {
        (Some(path), _) => with_input(path, stdin, |input| {
            each_record(context, input, output, |record, output| match record {
                Record::Sample(sample) if is_asked(request, &sample) => {
                    written += 1;
                    record::write(output, &sample).map_err(Error::output)
                }
                _ => Ok(()),
            })
        })?,
        (None, Some(window)) => {
            let mut database = database::open(&args.database, context, Access::Read)?;
            written = from_database(request, database.as_mut(), window, output)?;
            Exit::Done
        }
        (None, None) => Exit::Done,
    };
    if written == 0 {
        log::warn!("no sample in the window; another --date, --from or --cmts may have some");
        return Ok(exit.merge(Exit::Partial));
    }
    Ok(exit)
}

fn is_asked(request: &Request, sample: &Sample) -> bool {
    request.question.window.is_none_or(|window| window.from <= sample.ts && sample.ts < window.to)
        && request.question.only.upstream(&sample.cmts, &sample.upstream)
}

fn from_database(
    request: &Request,
    database: &mut dyn Database,
    window: Window,
    output: &mut dyn Write,
) -> Result<u64> {
    let mut channels: HashMap<String, HashMap<String, Channel>> = HashMap::new();
    database.channels(&mut |channel| {
        channels.entry(channel.cmts.clone()).or_default().insert(channel.upstream.clone(), channel);
    })?;
    let mut written = 0;
    database.samples(window, Detail::Whole, &mut |stored| {
        if !request.question.only.upstream(stored.cmts, stored.upstream) {
            return Ok(());
        }
        written += 1;
        let channel = channels.get(stored.cmts).and_then(|cmts| cmts.get(stored.upstream));
        record::write(output, &sample(&stored, channel)).map_err(Error::output)
    })?;
    Ok(written)
}

fn sample(stored: &Stored<'_>, channel: Option<&Channel>) -> Sample {
    let channel = channel.cloned().unwrap_or_default();
    Sample {
        ts: stored.ts,
        cmts: stored.cmts.to_owned(),
        upstream: stored.upstream.to_owned(),
        modulation: stored.modulation,
        profile: stored.profile,
        source: stored.source.unwrap_or(Source::State),
        explained_by: stored.explained_by,
        platform: channel.platform,
        channel_type: channel.channel_type,
        center_hz: channel.center_hz,
        width_hz: channel.width_hz,
        description: channel.description,
        snr_db: stored.snr_db,
        modems: None,
    }
}
