//! Ends the waiting for standard input from another thread: a stage that has failed there must not
//! sleep until the next line comes.

use std::{
    io::{self, PipeReader, PipeWriter, Write},
    os::fd::AsFd,
    sync::Arc,
};

use rustix::event::{PollFd, PollFlags, poll};

use crate::error::{Error, Result};

/// The end of the input, whenever somebody says so. Clones share it; the default one is never rung.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Option<Arc<(PipeReader, PipeWriter)>>);

impl Interrupt {
    /// One that works.
    ///
    /// # Errors
    /// [`Error::System`] when there is no file descriptor left.
    pub fn new() -> Result<Self> {
        Ok(Interrupt(Some(Arc::new(io::pipe().map_err(Error::system("pipe"))?))))
    }

    /// From now on nobody waits for input any more.
    pub fn ring(&self) {
        if let Some(pipe) = &self.0 {
            // A pipe that is full was rung before.
            let _ = (&pipe.1).write(b"!");
        }
    }

    /// Waits until there is something to read, or the end of it; false when it was rung.
    ///
    /// # Errors
    /// What the system says.
    pub fn wait(&self, input: impl AsFd) -> io::Result<bool> {
        let Some(pipe) = &self.0 else { return Ok(true) };
        loop {
            let mut both =
                [PollFd::new(&input, PollFlags::IN), PollFd::from_borrowed_fd(pipe.0.as_fd(), PollFlags::IN)];
            match poll(&mut both, None) {
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return Ok(both[1].revents().is_empty()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_ends_the_waiting_and_input_is_read_without_one() {
        let interrupt = Interrupt::new().expect("a pipe");
        let (reader, mut writer) = io::pipe().expect("a pipe");
        writer.write_all(b"x").expect("written");
        assert!(interrupt.wait(&reader).expect("polled"));
        let (silent, _open) = io::pipe().expect("a pipe");
        let waiting = {
            let interrupt = interrupt.clone();
            std::thread::spawn(move || interrupt.wait(&silent))
        };
        interrupt.ring();
        assert!(!waiting.join().expect("no panic").expect("polled"));
        assert!(Interrupt::default().wait(&reader).expect("nothing to wait for"));
    }
}
