//! Files that are safe to open where others may write, too: never through a symbolic link, never waiting for
//! the other end of a pipe, and only when owner and mode are right. And directories that have the mode they
//! need, whatever the umask.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use rustix::fs::OFlags;

/// Write permission of the group and of everybody.
const OTHERS_WRITE: u32 = 0o022;

/// How a file of ours is opened for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing, its content untouched.
    Update,
    /// Writing at its end.
    Append,
}

/// Opens a file of ours for writing, and makes it with this mode when it is missing. An existing one loses
/// the permissions that the mode does not have.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] when it belongs to another user, is a link, a pipe, a device or a
/// directory, or has another name besides this one; else what the system says.
pub fn open_own(path: &Path, access: Access, mode: u32) -> io::Result<File> {
    // Before it is opened: the system itself may refuse to open what others made, and does not say whose it is.
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => check_own(&found?)?,
    }
    let mut options = OpenOptions::new();
    match access {
        Access::Update => options.read(true).write(true),
        Access::Append => options.append(true),
    };
    let file = options.create(true).truncate(false).mode(mode).custom_flags(guarded()).open(path)?;
    let metadata = file.metadata()?;
    check_own(&metadata)?;
    if metadata.mode() & 0o777 & !mode != 0 {
        file.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    Ok(file)
}

/// Opens a regular file for reading if its content can be believed: nobody can have written it but we, root,
/// or whoever owns its directory alone. None when it is missing.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] when others can have written it, or when it is not a regular file.
pub fn open_trusted(path: &Path) -> io::Result<Option<File>> {
    let file = match OpenOptions::new().read(true).custom_flags(guarded()).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {
            return Err(refused("it is a symbolic link"));
        }
        opened => opened?,
    };
    check_trusted(path, &file.metadata()?)?;
    Ok(Some(file))
}

/// The content of a file that can be believed, see [`open_trusted`]; none when it is missing.
///
/// # Errors
/// Errors of [`open_trusted`]; when it holds more than `limit` bytes.
pub fn read_trusted(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let Some(file) = open_trusted(path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(Some(bytes))
}

/// Whether a file is there and can be believed, see [`open_trusted`]; its content is not read.
#[must_use]
pub fn is_trusted(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| check_trusted(path, &metadata).is_ok())
}

/// Whether a file is there that only we can have made, see [`open_own`].
#[must_use]
pub fn is_own(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| check_own(&metadata).is_ok())
}

/// Whether users other than the owner may make files in a directory.
#[must_use]
pub fn is_shared(directory: &Path) -> bool {
    directory.metadata().is_ok_and(|metadata| metadata.mode() & OTHERS_WRITE != 0)
}

/// Whether a directory is there that belongs to us, and in which nobody else can make files.
#[must_use]
pub fn is_own_dir(directory: &Path) -> bool {
    directory.symlink_metadata().is_ok_and(|metadata| {
        metadata.is_dir()
            && metadata.uid() == rustix::process::geteuid().as_raw()
            && metadata.mode() & OTHERS_WRITE == 0
    })
}

/// Makes a directory, and those above it, that others can read (0755), whatever the umask. One that is there
/// already stays as it is.
pub fn create_public_dir(path: &Path) -> io::Result<()> {
    create_dir(path, 0o755)
}

/// Makes a directory, and those above it, for this user alone (0700), whatever the umask. One that is there
/// already stays as it is.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    create_dir(path, 0o700)
}

fn create_dir(path: &Path, mode: u32) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_dir(parent, mode)?;
    }
    match DirBuilder::new().mode(mode).create(path) {
        // The umask may have taken something away.
        Ok(()) => fs::set_permissions(path, fs::Permissions::from_mode(mode)),
        // Another one was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Gives an open file a mode, whatever the umask.
pub fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// Makes a file for its owner alone.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`]; else what the system says.
pub fn create_private(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

/// Opens a file for reading and writing, whoever owns it, and makes it for its owner alone when it is missing.
///
/// # Errors
/// When it is a symbolic link; else what the system says.
pub fn open_no_link(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(guarded()).open(path)
}

/// Reads at a place of a file, which several threads may do.
pub fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

/// Makes a symbolic link to a file of `directory`, which the link will be moved into.
pub fn symlink(_directory: &Path, target: &str, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Whether something is what [`symlink`] makes.
#[must_use]
pub fn is_symlink(metadata: &Metadata) -> bool {
    metadata.is_symlink()
}

/// The permissions of a file, such as 0o644.
#[must_use]
pub fn mode(path: &Path) -> Option<u32> {
    path.metadata().ok().map(|metadata| metadata.mode() & 0o777)
}

/// What stands for a directory when it is locked.
pub fn open_directory(directory: &Path) -> io::Result<File> {
    File::open(directory)
}

/// Free bytes of the disk that a directory is on.
#[must_use]
pub fn free_bytes(directory: &Path) -> Option<u64> {
    rustix::fs::statvfs(directory).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn guarded() -> i32 {
    (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed()
}

fn refused(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, reason.into())
}

fn check_own(metadata: &Metadata) -> io::Result<()> {
    if metadata.file_type().is_symlink() {
        return Err(refused("it is a symbolic link"));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused(format!("it belongs to another user (uid {})", metadata.uid())));
    }
    if !metadata.is_file() {
        return Err(refused("it is not a regular file"));
    }
    if metadata.nlink() > 1 {
        return Err(refused("it has a second name (a hard link)"));
    }
    Ok(())
}

fn check_trusted(path: &Path, metadata: &Metadata) -> io::Result<()> {
    if !metadata.is_file() {
        return Err(refused("it is not a regular file"));
    }
    if metadata.mode() & OTHERS_WRITE != 0 {
        return Err(refused("others can write it"));
    }
    let owner = metadata.uid();
    if owner == rustix::process::geteuid().as_raw() || owner == 0 {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = parent.metadata()?;
    if directory.uid() == owner && directory.mode() & OTHERS_WRITE == 0 {
        return Ok(());
    }
    Err(refused(format!("it belongs to another user (uid {owner})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().expect("there").mode() & 0o777
    }

    fn pipe(path: &Path) {
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .expect("made");
    }

    #[test]
    fn what_others_may_have_put_there_is_refused_at_once() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| dir.path().join(name);
        pipe(&path("pipe"));
        fs::write(path("file"), "x").expect("written");
        std::os::unix::fs::symlink(path("file"), path("link")).expect("linked");
        fs::hard_link(path("file"), path("hard")).expect("linked");
        fs::create_dir(path("dir")).expect("made");
        for name in ["pipe", "link", "hard", "dir"] {
            for access in [Access::Update, Access::Append] {
                let error = open_own(&path(name), access, 0o600).expect_err(name);
                assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{name}: {error}");
            }
        }
        for name in ["pipe", "link", "dir"] {
            assert!(open_trusted(&path(name)).is_err() && !is_trusted(&path(name)), "{name}");
        }
        assert!(open_trusted(&path("missing")).expect("no fault").is_none());
        fs::set_permissions(path("file"), fs::Permissions::from_mode(0o646)).expect("ours");
        assert_eq!(open_trusted(&path("file")).expect_err("refused").to_string(), "others can write it");
    }

    #[test]
    fn a_file_of_ours_loses_excess_permissions_and_keeps_its_content() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("file");
        fs::write(&path, "kept").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("ours");
        open_own(&path, Access::Update, 0o600).expect("ours");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(read_trusted(&path, 4).expect("read").as_deref(), Some(&b"kept"[..]));
        assert!(read_trusted(&path, 3).is_err(), "bounded");
    }

    #[test]
    fn directories_have_the_mode_that_was_asked_for() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (public, private) = (dir.path().join("a/b"), dir.path().join("c/d"));
        create_public_dir(&public).expect("made");
        create_private_dir(&private).expect("made");
        assert_eq!((mode(&dir.path().join("a")), mode(&public)), (0o755, 0o755));
        assert_eq!((mode(&dir.path().join("c")), mode(&private)), (0o700, 0o700));
        create_public_dir(&private).expect("there already");
        assert_eq!(mode(&private), 0o700);
    }
}
