//! One file of the spool: records out and in, on the disk before it is there.

use std::{
    fs::{self, File},
    io::{self, BufReader, Write},
    path::Path,
    time::Duration,
};

use tempfile::Builder;

use crate::{
    database::Group,
    ndjson::Lines,
    record::{self, Record},
};

/// Groups as they came: each with its samples, and its scan last.
pub(super) fn text(groups: &[Group]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for group in groups {
        for sample in &group.samples {
            record::write(&mut text, sample)?;
        }
        if let Some(scan) = &group.scan {
            record::write(&mut text, scan)?;
        }
    }
    Ok(text)
}

/// Writes a file under a name that says that it is unfinished, and renames it when it is on the disk.
pub(super) fn write(dir: &Path, unfinished: &str, name: &str, text: &[u8]) -> io::Result<()> {
    let mut file = Builder::new().prefix(unfinished).tempfile_in(dir)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(dir.join(name)).map_err(|e| e.error)?;
    // The name is on the disk only when the directory is.
    File::open(dir)?.sync_all()
}

/// The groups of a file. A line that is none of ours is a fault: everything here was written by us.
pub(super) fn read(path: &Path) -> io::Result<Vec<Group>> {
    let mut lines = Lines::new(BufReader::new(File::open(path)?));
    let mut groups: Vec<Group> = Vec::new();
    let mut open = false;
    loop {
        let record = match lines.next_line() {
            Ok(Some(line)) => line.and_then(record::decode),
            Ok(None) => return Ok(groups),
            Err(error) => return Err(io::Error::other(error)),
        };
        let bad = |message: String| {
            let message = format!("line {}: {message}", lines.number());
            io::Error::new(io::ErrorKind::InvalidData, message)
        };
        let record = record.map_err(|line| bad(line.message))?;
        let (cmts, ts) = match &record {
            Record::Sample(sample) => (&sample.cmts, sample.ts),
            Record::Scan(scan) => (&scan.cmts, scan.ts),
            _ => return Err(bad("neither a sample nor a scan".into())),
        };
        if !open || groups.last().is_none_or(|group| group.ts != ts || group.cmts != *cmts) {
            groups.push(Group { cmts: cmts.clone(), ts, samples: Vec::new(), scan: None });
        }
        let Some(group) = groups.last_mut() else { continue };
        match record {
            Record::Sample(sample) => group.samples.push(sample),
            Record::Scan(scan) => group.scan = Some(scan),
            _ => {}
        }
        open = group.scan.is_none();
    }
}

/// Removes what was left unfinished for so long that nobody is at it any more.
pub(super) fn sweep(dir: &Path, unfinished: &str, age: Duration) {
    let Ok(files) = fs::read_dir(dir) else { return };
    for file in files.flatten() {
        let old = || file.metadata().ok()?.modified().ok()?.elapsed().ok();
        let name = file.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(unfinished)) && old() > Some(age) {
            // It does no harm where it is.
            let _ = fs::remove_file(file.path());
        }
    }
}
