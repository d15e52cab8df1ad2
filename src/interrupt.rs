//! Ends the wait for standard input from another thread: a stage that has failed must not sleep until the next
//! line comes.

use std::{
    io::{self, PipeReader, PipeWriter, Write},
    os::fd::AsFd,
    sync::Arc,
};

use rustix::event::{PollFd, PollFlags, poll};

use crate::error::{Error, Result};

/// A flag that ends a wait for input. Clones share it; the default one is never set.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Option<Arc<(PipeReader, PipeWriter)>>);

impl Interrupt {
    /// One that can be set.
    ///
    /// # Errors
    /// [`Error::System`] when there is no file descriptor left.
    pub fn new() -> Result<Self> {
        Ok(Interrupt(Some(Arc::new(io::pipe().map_err(Error::system("pipe"))?))))
    }

    /// Ends every wait for input, now and later.
    pub fn set(&self) {
        if let Some(pipe) = &self.0 {
            // A pipe that is full was written to before.
            let _ = (&pipe.1).write(b"!");
        }
    }

    /// Waits until there is something to read, or the end of it; false once the flag is set.
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
    fn the_flag_ends_a_wait_and_input_is_read_without_one() {
        let interrupt = Interrupt::new().expect("a pipe");
        let (reader, mut writer) = io::pipe().expect("a pipe");
        writer.write_all(b"x").expect("written");
        assert!(interrupt.wait(&reader).expect("polled"));
        let (silent, _open) = io::pipe().expect("a pipe");
        let waiting = {
            let interrupt = interrupt.clone();
            std::thread::spawn(move || interrupt.wait(&silent))
        };
        interrupt.set();
        assert!(!waiting.join().expect("no panic").expect("polled"));
        assert!(Interrupt::default().wait(&reader).expect("nothing to wait for"));
    }
}
