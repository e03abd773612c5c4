//! Output files: written beside their place and renamed, so that nothing half-written looks whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use airgate::report::Format;

/// `sarif=airgate.sarif`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) format: Format,
    pub(super) path: PathBuf,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').ok_or("write FORMAT=PATH, such as sarif=airgate.sarif")?;
        if path.is_empty() || path == "-" {
            return Err("name a file; `--format` is for standard output".to_owned());
        }
        Ok(Self { format: format.parse()?, path: path.into() })
    }
}

/// Writes a file as a whole or not at all. A device or a pipe is written to directly.
pub(super) fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return fill(File::options().write(true).open(path)?, write);
    }
    // Of a link the file it leads to is replaced, not the link.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = OsString::from(".");
    name.push(target.file_name().ok_or(io::ErrorKind::InvalidFilename)?);
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = target.with_file_name(name);
    let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    let written = fill(file, write).and_then(|()| fs::rename(&temporary, &target));
    if written.is_err() {
        // The first error is the one to tell.
        let _leftover = fs::remove_file(&temporary);
    }
    written
}

fn fill(file: File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut buffered = BufWriter::new(file);
    write(&mut buffered)?;
    buffered.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_or_absent() {
        let directory = std::env::temp_dir().join(format!("airgate-output-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("a.json");
        write_file(&path, |out| out.write_all(b"old")).unwrap();
        let failed = write_file(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("disk"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "disk");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "nothing is left behind");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn outputs_are_a_format_and_a_path() {
        let output: Output = "sarif=a=b.sarif".parse().unwrap();
        assert_eq!(output, Output { format: Format::Sarif, path: "a=b.sarif".into() });
        for bad in ["sarif", "sarif=", "json=-", "xml=a"] {
            assert!(bad.parse::<Output>().is_err(), "{bad}");
        }
    }
}
