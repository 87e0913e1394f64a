//! A new heap file that takes a name, or the place of another, when it is complete and durable.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, DiskFile, Mode};
use crate::error::{Error, Result};
use crate::recovery::{beside, open_locked};

/// `NAME.new`, locked. It is removed again unless it is finished.
pub(crate) struct NewFile<'a> {
    disk: &'a dyn Disk,
    dest: &'a Path,
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    is_finished: bool,
}

impl<'a> NewFile<'a> {
    /// Begins the file that is to be at `dest`: empty, and readable for whom `like` is.
    pub fn begin(
        disk: &'a dyn Disk,
        dest: &'a Path,
        like: Option<&dyn DiskFile>,
    ) -> Result<NewFile<'a>> {
        let path = beside(dest, "new");
        // Its name says nothing to anyone.
        let named = |error| match (error, dest.to_owned()) {
            (Error::Locked { .. }, path) => Error::Locked { path },
            (Error::NotWritable { .. }, path) => Error::NotWritable {
                path,
                doing: "creating the heap",
            },
            (Error::Io { source, .. }, path) => Error::Io {
                path,
                doing: "creating the heap",
                source,
            },
            (error, _) => error,
        };
        let file = open_locked(disk, &path, Mode::Create).map_err(named)?;
        let new = NewFile {
            disk,
            dest,
            path,
            file,
            is_finished: false,
        };
        let io = |source| Error::io(dest, "creating the heap", source);
        new.file.truncate(0).map_err(io)?;
        if let Some(like) = like {
            new.file.copy_access(like).map_err(io)?;
        }
        Ok(new)
    }

    pub fn file(&self) -> &Arc<dyn DiskFile> {
        &self.file
    }

    /// Makes the file durable and gives it its name; `named` is done before that is durable too.
    pub fn finish(mut self, named: impl FnOnce() -> Result<()>) -> Result<Arc<dyn DiskFile>> {
        let io = |source| Error::io(self.dest, "creating the heap", source);
        self.file.sync().map_err(io)?;
        self.disk.rename(&self.path, self.dest).map_err(io)?;
        self.is_finished = true;
        named()?;
        self.disk.sync_names(self.dest).map_err(io)?;
        Ok(self.file.clone())
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        if !self.is_finished {
            // What cannot be removed is used again, or reported, next time.
            let _ = self.disk.remove(&self.path);
        }
    }
}
