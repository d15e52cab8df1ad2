//! Samples of any order put in the order of time, in bounded memory: sorted runs of compact samples, all but
//! the last in a temporary file, merged when they are read back.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{self, BufWriter, Write},
};

use crate::{
    error::{Error, Result},
    files,
    modulation::Modulation,
    record::Timestamp,
};

/// Samples per run: 16 MiB of memory.
const RUN: usize = 1 << 20;
/// A sample on disk: time, upstream, modulation, signal-to-noise ratio.
const WIDTH: usize = 15;
/// No signal-to-noise ratio.
const NO_SNR: i16 = i16::MIN;
/// Samples that are read back at once from each run.
const CHUNK: usize = 4096;

/// A sample whose upstream is a number of the [`Roster`](crate::measure::roster::Roster).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub struct Compact {
    pub ts: Timestamp,
    pub upstream: u32,
    pub modulation: Modulation,
    /// Tenths of a dB.
    pub snr: Option<i16>,
}

impl Compact {
    /// What the order goes by; samples of one key keep the order in which they came.
    fn key(&self) -> (Timestamp, u32) {
        (self.ts, self.upstream)
    }

    fn to_bytes(self) -> [u8; WIDTH] {
        let mut bytes = [0; WIDTH];
        bytes[..8].copy_from_slice(&self.ts.0.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.upstream.to_le_bytes());
        bytes[12] = self.modulation as u8;
        bytes[13..].copy_from_slice(&self.snr.unwrap_or(NO_SNR).to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (ts, rest) = bytes.split_first_chunk()?;
        let (upstream, rest) = rest.split_first_chunk()?;
        let (&modulation, rest) = rest.split_first()?;
        let snr = i16::from_le_bytes(*rest.first_chunk()?);
        Some(Compact {
            ts: Timestamp(i64::from_le_bytes(*ts)),
            upstream: u32::from_le_bytes(*upstream),
            modulation: *Modulation::ALL.get(usize::from(modulation))?,
            snr: Some(snr).filter(|&snr| snr != NO_SNR),
        })
    }
}

/// Takes samples in any order.
pub struct Reorder {
    run: Vec<Compact>,
    capacity: usize,
    spill: Option<BufWriter<File>>,
    /// Where in the file each run ends, in samples.
    ends: Vec<u64>,
}

impl Default for Reorder {
    fn default() -> Self {
        Self::with_capacity(RUN)
    }
}

impl Reorder {
    fn with_capacity(capacity: usize) -> Self {
        Reorder { run: Vec::new(), capacity, spill: None, ends: Vec::new() }
    }

    /// Takes one sample.
    ///
    /// # Errors
    /// [`Error::System`] when the temporary file takes no more.
    pub fn push(&mut self, sample: Compact) -> Result<()> {
        if self.run.len() == self.capacity {
            self.spill().map_err(fault)?;
        }
        self.run.push(sample);
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut file = match self.spill.take() {
            Some(file) => file,
            None => BufWriter::new(tempfile::tempfile()?),
        };
        self.run.sort_by_key(Compact::key);
        for sample in self.run.drain(..) {
            file.write_all(&sample.to_bytes())?;
        }
        file.flush()?;
        let before = self.ends.last().copied().unwrap_or(0);
        self.ends.push(before + self.capacity as u64);
        self.spill = Some(file);
        Ok(())
    }

    /// Hands out all samples in the order of time, then of upstream, then in which they came.
    ///
    /// # Errors
    /// Errors of `each`; [`Error::System`] when the temporary file cannot be read back.
    pub fn drain(mut self, mut each: impl FnMut(Compact) -> Result<()>) -> Result<()> {
        self.run.sort_by_key(Compact::key);
        let Some(file) = &self.spill else {
            return self.run.into_iter().try_for_each(each);
        };
        let mut begin = 0;
        let mut runs = Vec::with_capacity(self.ends.len() + 1);
        for &end in &self.ends {
            runs.push(Run::on_disk(file.get_ref(), begin, end));
            begin = end;
        }
        runs.push(Run::in_memory(self.run));
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (number, run) in runs.iter_mut().enumerate() {
            heads.extend(
                run.next()?.map(|sample| Reverse((sample.key(), number, sample.modulation, sample.snr))),
            );
        }
        while let Some(Reverse(((ts, upstream), number, modulation, snr))) = heads.pop() {
            each(Compact { ts, upstream, modulation, snr })?;
            let next = runs[number].next()?;
            heads.extend(next.map(|next| Reverse((next.key(), number, next.modulation, next.snr))));
        }
        Ok(())
    }
}

fn fault(source: io::Error) -> Error {
    Error::system("temporary file for sorting (its place is TMPDIR's)")(source)
}

/// One sorted run while it is merged.
struct Run<'a> {
    file: Option<&'a File>,
    at: u64,
    end: u64,
    chunk: std::vec::IntoIter<Compact>,
}

impl<'a> Run<'a> {
    fn on_disk(file: &'a File, at: u64, end: u64) -> Self {
        Run { file: Some(file), at, end, chunk: Vec::new().into_iter() }
    }

    fn in_memory(samples: Vec<Compact>) -> Self {
        Run { file: None, at: 0, end: 0, chunk: samples.into_iter() }
    }

    fn next(&mut self) -> Result<Option<Compact>> {
        if let (Some(file), true) = (self.file, self.chunk.len() == 0 && self.at < self.end) {
            let count = (self.end - self.at).min(CHUNK as u64);
            let mut bytes = vec![0; count as usize * WIDTH];
            files::read_exact_at(file, &mut bytes, self.at * WIDTH as u64).map_err(fault)?;
            self.at += count;
            self.chunk = bytes.chunks(WIDTH).filter_map(Compact::from_bytes).collect::<Vec<_>>().into_iter();
        }
        Ok(self.chunk.next())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn many_runs_on_disk_read_like_one_stable_sort(
            raw in proptest::collection::vec((0_i64..20, 0_u32..3, 0_usize..9, -50_i16..400), 0..200),
            capacity in 1_usize..40,
        ) {
            let samples: Vec<_> = raw
                .into_iter()
                .map(|(ts, upstream, m, snr)| Compact {
                    ts: Timestamp(ts),
                    upstream,
                    modulation: Modulation::ALL[m],
                    snr: Some(snr).filter(|snr| *snr > 0),
                })
                .collect();
            let mut reorder = Reorder::with_capacity(capacity);
            for &sample in &samples {
                reorder.push(sample).expect("a temporary file");
            }
            let mut back = Vec::new();
            reorder.drain(|sample| { back.push(sample); Ok(()) }).expect("readable");
            let mut sorted = samples;
            sorted.sort_by_key(Compact::key);
            prop_assert_eq!(back, sorted);
        }
    }
}
