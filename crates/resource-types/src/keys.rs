//! Many values out of a JSON object in one pass.

use std::borrow::Cow;

use nephoscope_telemetry::json::Scanner;
use smallvec::SmallVec;

/// The texts of the values that were found, by their slots. Sixteen are more than any type of OpenStack looks for.
pub(crate) type Values<'a> = SmallVec<[Option<&'a str>; 16]>;

/// Which keys of an object, and of objects inside of it, are wanted.
///
/// The text is walked through once, whatever is wanted; what is not wanted is passed without a look.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KeyTree {
    keys: Vec<Key>,
}

#[derive(Clone, Debug, PartialEq)]
struct Key {
    name: Box<str>,
    /// Where the value goes, when it is wanted itself.
    slots: Vec<usize>,
    /// What is wanted inside of it.
    inside: KeyTree,
}

impl KeyTree {
    /// Whether nothing is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Wants the value to which these names lead, in that slot.
    pub(crate) fn add<'n>(&mut self, names: impl IntoIterator<Item = &'n str>, slot: usize) {
        let mut names = names.into_iter().peekable();
        let mut tree = self;
        while let Some(name) = names.next() {
            let at = tree.keys.iter().position(|key| *key.name == *name).unwrap_or_else(|| {
                let key = Key { name: name.into(), slots: Vec::new(), inside: Self::default() };
                tree.keys.push(key);
                tree.keys.len() - 1
            });
            let key = &mut tree.keys[at];
            if names.peek().is_none() {
                key.slots.push(slot);
            }
            tree = &mut key.inside;
        }
    }

    /// Puts what is there into its slots. The text is JSON that was checked; in other text anything may be found.
    pub(crate) fn find<'a>(&self, object: &'a str, values: &mut Values<'a>) {
        // Nothing means that the text ends too early, and then what comes before it counts.
        let _ended = self.read(&mut Walk { text: object, at: 0 }, values);
    }

    fn read<'a>(&self, walk: &mut Walk<'a>, values: &mut Values<'a>) -> Option<()> {
        if walk.peek()? != b'{' {
            return None;
        }
        walk.at += 1;
        while walk.peek()? == b'"' {
            let name = walk.key()?;
            match self.key(&name) {
                Some(key) => key.read(walk, values)?,
                None => {
                    walk.value()?;
                }
            }
            walk.eat(b',');
        }
        walk.at += 1;
        Some(())
    }

    fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| *key.name == *name)
    }

    /// Of a key given twice the last counts, and what was inside of the first does not.
    fn forget(&self, values: &mut Values<'_>) {
        for key in &self.keys {
            for slot in &key.slots {
                values[*slot] = None;
            }
            key.inside.forget(values);
        }
    }
}

impl Key {
    fn read<'a>(&self, walk: &mut Walk<'a>, values: &mut Values<'a>) -> Option<()> {
        self.inside.forget(values);
        if self.slots.is_empty() && walk.peek()? == b'{' {
            return self.inside.read(walk, values);
        }
        let value = walk.value()?;
        for slot in &self.slots {
            values[*slot] = Some(value);
        }
        if !self.inside.is_empty() {
            self.inside.find(value, values);
        }
        Some(())
    }
}

/// What a string says; nothing, when it is none. Other than [`json::decode`](nephoscope_telemetry::json::decode) it takes
/// text that was never checked.
pub(crate) fn text_of(value: &str) -> Option<Cow<'_, str>> {
    Scanner::new(value).string().ok()
}

/// The value of a key of an object; nothing, when the text is no object. Of a key given twice the last counts.
pub(crate) fn value_of<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let mut walk = Walk { text: object, at: 0 };
    let mut last = None;
    if walk.peek()? != b'{' {
        return None;
    }
    walk.at += 1;
    while walk.peek() == Some(b'"') {
        let Some(key) = walk.key() else { break };
        let Some(value) = walk.value() else { break };
        if key == name {
            last = Some(value);
        }
        walk.eat(b',');
    }
    last
}

/// A place in JSON text that was checked before, so that it can be passed at speed: a string ends at the next quote, and an
/// object or array where as many were closed as opened. Never behind the end, and never inside of a character.
struct Walk<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Walk<'a> {
    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    fn eat(&mut self, byte: u8) {
        if self.peek() == Some(byte) {
            self.at += 1;
        }
    }

    /// Passes the string that begins here, and its colon, and returns what it says.
    fn key(&mut self) -> Option<Cow<'a, str>> {
        let mut escaped = false;
        let quoted = self.string(&mut escaped)?;
        self.eat(b':');
        if escaped { text_of(quoted) } else { Some(Cow::Borrowed(&quoted[1..quoted.len() - 1])) }
    }

    /// Passes the string that begins here, and returns it with its quotes.
    fn string(&mut self, escaped: &mut bool) -> Option<&'a str> {
        let start = self.at;
        self.at += 1;
        let bytes = self.text.as_bytes();
        loop {
            while let Some(eight) = bytes.get(self.at..self.at + 8) {
                let eight = u64::from_le_bytes(eight.try_into().expect("eight are eight"));
                let found = has_byte(eight, b'"') | has_byte(eight, b'\\');
                if found != 0 {
                    self.at += found.trailing_zeros() as usize / 8;
                    break;
                }
                self.at += 8;
            }
            match bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(&self.text[start..self.at]);
                }
                b'\\' => {
                    *escaped = true;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
    }

    /// Passes the value that is next, and returns it.
    fn value(&mut self) -> Option<&'a str> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => return self.string(&mut false),
            b'{' | b'[' => self.pass_nested()?,
            _ => {
                let rest = &self.text.as_bytes()[start..];
                let end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
                self.at += rest.iter().position(end).unwrap_or(rest.len());
            }
        }
        Some(&self.text[start..self.at])
    }

    fn pass_nested(&mut self) -> Option<()> {
        let mut open = 0_usize;
        loop {
            match self.text.as_bytes().get(self.at)? {
                b'"' => {
                    self.string(&mut false)?;
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Some(());
            }
        }
    }
}

/// A number whose lowest bit stands in the first byte of the eight that is this one; zero, when none is.
fn has_byte(eight: u64, byte: u8) -> u64 {
    const LOW: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    let zero_where_equal = eight ^ (LOW * u64::from(byte));
    zero_where_equal.wrapping_sub(LOW) & !zero_where_equal & HIGH
}
