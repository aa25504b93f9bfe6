//! The options of `ceilometer.conf`, of which each is taken once.

use std::fs;
use std::path::{Path, PathBuf};

use super::ini::{self, Assignment};
use super::notes::{Notes, Place};
use super::read;

const FILE: &str = "ceilometer.conf";
/// Files in here come after it, in the order of their names.
const DIRECTORY: &str = "ceilometer.conf.d";
/// How deep one option may refer to another: who needs more goes in a circle.
const MAX_DEPTH: usize = 10;

/// Every option that is given.
#[derive(Debug, Default)]
pub(super) struct Options {
    assignments: Vec<Assignment>,
    taken: Vec<bool>,
}

/// The value of an option, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) place: Place,
    /// The section and the name, for people.
    pub(super) name: String,
    pub(super) value: String,
}

impl Options {
    /// Those of a directory. The files that were there are added to `files`.
    pub(super) fn read(directory: &Path, files: &mut Vec<PathBuf>, notes: &mut Notes) -> Self {
        let mut options = Self::default();
        let further = directory.join(DIRECTORY);
        let mut names: Vec<_> = match fs::read_dir(&further) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
            Err(_) => Vec::new(),
        };
        names.retain(|name| name.extension().is_some_and(|extension| extension == "conf"));
        names.sort();
        names.insert(0, directory.join(FILE));
        for file in names {
            if let Some(text) = read(&file, notes) {
                options.assignments.extend(ini::parse(&file, &text, &mut notes.mistakes));
                files.push(file);
            }
        }
        options.taken = vec![false; options.assignments.len()];
        options
    }

    /// The value of an option, by any of its names: of one given twice the last, and nothing when it is empty.
    pub(super) fn take(&mut self, section: &str, names: &[&str], notes: &mut Notes) -> Option<Given> {
        self.take_all(section, names, notes).pop()
    }

    /// All values of an option, by any of its names, but for empty ones.
    pub(super) fn take_all(&mut self, section: &str, names: &[&str], notes: &mut Notes) -> Vec<Given> {
        let mut all = Vec::new();
        for (at, one) in self.assignments.iter().enumerate() {
            if one.section == section && names.contains(&one.name.as_str()) {
                self.taken[at] = true;
                match self.substituted(&one.value, section, MAX_DEPTH) {
                    Ok(value) if value.is_empty() => {}
                    Ok(value) => {
                        let name = format!("[{section}] {}", one.name);
                        all.push(Given { place: one.place.clone(), name, value });
                    }
                    Err(problem) => notes.mistake(&one.place, problem),
                }
            }
        }
        all
    }

    /// What nobody took: section, name and place.
    pub(super) fn rest(&self) -> impl Iterator<Item = (&str, &str, &Place)> {
        let all = self.assignments.iter().zip(&self.taken);
        all.filter(|(_, taken)| !**taken).map(|(one, _)| (&*one.section, &*one.name, &one.place))
    }

    /// With what `$name`, `${name}` and `${section.name}` stand for; `$$` and `\$` are a dollar sign.
    fn substituted(&self, value: &str, section: &str, depth: usize) -> Result<String, String> {
        let value = value.replace("\\$", "$$");
        let mut pieces = value.split('$');
        let mut whole = pieces.next().unwrap_or_default().to_owned();
        while let Some(piece) = pieces.next() {
            if piece.is_empty() {
                whole.push('$');
                whole.push_str(pieces.next().unwrap_or_default());
                continue;
            }
            let in_braces = piece.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let (name, rest) = in_braces.unwrap_or_else(|| {
                let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._".contains(&byte);
                piece.split_at(piece.bytes().take_while(|byte| letter(*byte)).count())
            });
            if !name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
                whole.push('$');
                whole.push_str(piece);
                continue;
            }
            whole.push_str(&self.referred(name, section, depth)?);
            whole.push_str(rest);
        }
        Ok(whole)
    }

    fn referred(&self, name: &str, section: &str, depth: usize) -> Result<String, String> {
        let (section, option) = name.split_once('.').unwrap_or((section, name));
        let given = |section: &str| {
            self.assignments.iter().rev().find(|one| one.section == section && one.name == option)
        };
        match given(section).or_else(|| given("DEFAULT")) {
            Some(_) if depth == 0 => Err(format!("`${name}` refers to itself")),
            Some(found) => self.substituted(&found.value, &found.section, depth - 1),
            None => Err(format!("`${name}` names no option of this file; a dollar sign is written `$$`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What oslo.config makes of a file of quirks, as it was captured from it.
    #[test]
    fn values_are_those_of_oslo_config() {
        let quirks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ceilometer/quirks.conf");
        let text = fs::read_to_string(&quirks).unwrap();
        let expected = fs::read_to_string(quirks.with_extension("json")).unwrap();
        let expected: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&expected).unwrap();
        let mut notes = Notes::default();
        let assignments = ini::parse(&quirks, &text, &mut notes.mistakes);
        let mut options = Options { taken: vec![false; assignments.len()], assignments };
        for (name, expected) in &expected {
            let (section, name) = name.split_once('.').unwrap();
            let all = options.take_all(section, &[name], &mut notes);
            let all: Vec<_> = all.into_iter().map(|given| given.value).collect();
            match expected {
                serde_json::Value::Array(values) => assert_eq!(&all, values, "{name}"),
                value => assert_eq!(all.last().map_or("", String::as_str), value, "{name}"),
            }
        }
        assert_eq!(notes.mistakes, [] as [&str; 0]);
        assert_eq!(options.rest().count(), 0);
    }

    #[test]
    fn what_refers_to_nothing_or_to_itself_is_a_mistake() {
        let mut notes = Notes::default();
        let text = "a = $nobody\nb = <${c}>\nc = $b\nd = $$5 $-\n";
        let assignments = ini::parse(Path::new("c"), text, &mut notes.mistakes);
        let mut options = Options { taken: vec![false; assignments.len()], assignments };
        assert_eq!(options.take("DEFAULT", &["a"], &mut notes), None);
        assert_eq!(options.take("DEFAULT", &["b"], &mut notes), None);
        assert_eq!(options.take("DEFAULT", &["d"], &mut notes).unwrap().value, "$5 $-");
        assert!(notes.mistakes[0].starts_with("c:1: `$nobody` names no option"), "{:?}", notes.mistakes);
        assert!(notes.mistakes[1].starts_with("c:2: "), "{:?}", notes.mistakes);
        let left: Vec<_> = options.rest().map(|(_, name, _)| name).collect();
        assert_eq!(left, ["c"]);
    }
}
