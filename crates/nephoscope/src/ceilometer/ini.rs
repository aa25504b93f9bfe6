//! The files of oslo.config: sections, and options with values.
//!
//! Source: `oslo_config/iniparser.py` of oslo.config 10, held to what it makes of `quirks.conf`.

use std::path::Path;

use super::notes::Place;

/// The section of what stands in none.
const DEFAULT: &str = "DEFAULT";

/// An option that is given a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) place: Place,
    /// In lower case, but for `DEFAULT`.
    pub(super) section: String,
    /// With underscores, as options are named.
    pub(super) name: String,
    /// Several lines are joined by line ends; what it refers to is not put in yet.
    pub(super) value: String,
}

/// Every assignment of a file, in its order. A line that is none is a mistake, and the others are read.
pub(super) fn parse(file: &Path, text: &str, mistakes: &mut Vec<String>) -> Vec<Assignment> {
    let mut assignments: Vec<Assignment> = Vec::new();
    let mut section = DEFAULT.to_owned();
    // Whether a line with blanks before it goes on with the assignment before.
    let mut open = false;
    for (number, line) in text.lines().enumerate() {
        let place = Place::new(file, number + 1);
        let line = line.trim_end();
        let mut wrong = |problem: &str| mistakes.push(format!("{place}: {problem}"));
        match line.chars().next() {
            None => open = false,
            Some(' ' | '\t') => match assignments.last_mut().filter(|_| open) {
                Some(before) => {
                    before.value.push('\n');
                    before.value.push_str(line.trim_start());
                }
                None => wrong("this line goes on with an option, and there is none before it"),
            },
            Some('#' | ';') => open = false,
            Some('[') => {
                open = false;
                match line[1..].strip_suffix(']') {
                    Some(name) if !name.is_empty() => section = normalized(name),
                    _ => wrong("a section is a name in brackets, as in [DEFAULT]"),
                }
            }
            Some(_) => {
                let name = line.split(['=', ':']).next().unwrap_or_default();
                open = name.len() < line.len() && !name.trim().is_empty();
                if open {
                    let value = unquoted(line[name.len() + 1..].trim()).to_owned();
                    let name = name.trim().replace('-', "_");
                    assignments.push(Assignment { place, section: section.clone(), name, value });
                } else {
                    wrong("expected an option with a value, as in `name = value`");
                }
            }
        }
    }
    assignments
}

fn normalized(section: &str) -> String {
    if section == DEFAULT { section.into() } else { section.to_lowercase() }
}

/// Without the quotes around it.
fn unquoted(value: &str) -> &str {
    match value.chars().next() {
        // One quote alone is both.
        Some('"' | '\'') if value.len() == 1 => "",
        Some(quote @ ('"' | '\'')) if value.ends_with(quote) => &value[1..value.len() - 1],
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> (Vec<(String, String, String)>, Vec<String>) {
        let mut mistakes = Vec::new();
        let read = parse(Path::new("c.conf"), text, &mut mistakes);
        (read.into_iter().map(|one| (one.section, one.name, one.value)).collect(), mistakes)
    }

    #[test]
    fn every_line_that_is_no_option_is_told_and_the_others_are_read() {
        let (read, mistakes) = read("  x\n[DEFAULT\nname\n= value\na = 1\n\n  b\n[]\n[Two]\nC-d: 2\n");
        let expected = [("DEFAULT", "a", "1"), ("two", "C_d", "2")];
        assert_eq!(read, expected.map(|(section, name, value)| (section.into(), name.into(), value.into())));
        let lines: Vec<_> = mistakes.iter().map(|mistake| mistake.split(": ").next().unwrap()).collect();
        assert_eq!(lines, ["c.conf:1", "c.conf:2", "c.conf:3", "c.conf:4", "c.conf:7", "c.conf:8"]);
    }

    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::char::range('!', '~'), 0..12)
            .prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(options in prop::collection::vec(("[a-z]{1,8}", "[a-z_]{1,8}", text(), text()), 0..8)) {
            let mut written = String::new();
            let mut expected = Vec::new();
            for (section, name, first, second) in options {
                written.push_str(&format!("[{section}]\n{name} = \"{first}\"\n"));
                let mut value = first;
                if !second.is_empty() {
                    // What goes on behind quotes is behind them.
                    written.push_str(&format!("\t{second}\n"));
                    value = format!("{value}\n{second}");
                }
                expected.push((section, name, value));
            }
            prop_assert_eq!(read(&written), (expected, Vec::new()));
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let (_read, _mistakes) = read(&text);
        }
    }
}
