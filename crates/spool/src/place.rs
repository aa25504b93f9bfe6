//! Where a reader is.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

/// A place between two frames: of a segment, so many bytes from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Number of the segment.
    pub segment: u64,
    /// Bytes before the place.
    pub offset: u64,
}

/// The file in which a reader's place is kept. It is replaced as a whole, so that it is never half written.
#[derive(Clone, Debug)]
pub(crate) struct PlaceFile {
    path: PathBuf,
    name: String,
}

/// What every such file begins with; the number is that of the format.
const FIRST_LINE: &str = "nephoscope spool reader 1";
/// How they are called: this and a hash of the reader's name.
const PREFIX: &str = "reader-";
/// What a file is called while it is written.
const UNFINISHED: &str = "tmp";

impl PlaceFile {
    pub(crate) fn new(directory: &Path, name: &str) -> Self {
        let path = directory.join(format!("{PREFIX}{:016x}", xxh3_64(name.as_bytes())));
        Self { path, name: name.to_owned() }
    }

    /// The place in it; nothing when there is no such file. A file that is damaged gives the very first place: to read
    /// something again is better than not to read it.
    pub(crate) fn read(&self) -> io::Result<Option<Place>> {
        match fs::read_to_string(&self.path) {
            Ok(text) => Ok(Some(parse(&text).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(Some(Place::default())),
            Err(error) => Err(error),
        }
    }

    /// Keeps a place. It outlives this process; it outlives the machine only when `durable`, at a price. A place that is
    /// lost costs reading again from an earlier one.
    pub(crate) fn write(&self, place: Place, durable: bool) -> io::Result<()> {
        let unfinished = self.path.with_extension(UNFINISHED);
        let mut file = fs::File::create(&unfinished)?;
        file.write_all(text(place, &self.name).as_bytes())?;
        if durable {
            file.sync_all()?;
        }
        fs::rename(&unfinished, &self.path)
    }

    /// Whether this is the file of this reader.
    pub(crate) fn is_called(&self, file_name: &str) -> bool {
        self.path.file_name().is_some_and(|own| own == file_name)
    }
}

/// Whether a file of the spool keeps the place of some reader.
pub(crate) fn is_place_file(file_name: &str) -> bool {
    file_name.starts_with(PREFIX)
}

/// The name of the reader whose place a text keeps.
pub(crate) fn name_in(text: &str) -> Option<&str> {
    text.lines().nth(2)
}

fn text(place: Place, name: &str) -> String {
    let numbers = format!("{} {}", place.segment, place.offset);
    let check = xxh3_64(numbers.as_bytes());
    // A name is one line, whatever it is.
    let name = name.replace(['\n', '\r'], " ");
    format!("{FIRST_LINE}\n{numbers} {check:016x}\n{name}\n")
}

fn parse(text: &str) -> Option<Place> {
    let mut lines = text.lines();
    if lines.next() != Some(FIRST_LINE) {
        return None;
    }
    let (numbers, check) = lines.next()?.rsplit_once(' ')?;
    if u64::from_str_radix(check, 16) != Ok(xxh3_64(numbers.as_bytes())) {
        return None;
    }
    let (segment, offset) = numbers.split_once(' ')?;
    Some(Place { segment: segment.parse().ok()?, offset: offset.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_is_read_as_it_was_written(segment: u64, offset: u64, name in ".*") {
            let place = Place { segment, offset };
            prop_assert_eq!(parse(&text(place, &name)), Some(place));
        }

        #[test]
        fn a_file_that_is_damaged_gives_no_other_place(at in 0usize..60, byte: u8, cut in 0usize..60) {
            let place = Place { segment: 12, offset: 3456 };
            let whole = text(place, "gnocchi://host/");
            let mut bytes = whole.clone().into_bytes();
            if let Some(slot) = bytes.get_mut(at) {
                *slot = byte;
            }
            for bytes in [bytes, whole.as_bytes()[..cut.min(whole.len())].to_vec()] {
                let read = String::from_utf8(bytes).ok().and_then(|text| parse(&text));
                prop_assert!(read.is_none() || read == Some(place));
            }
        }
    }
}
