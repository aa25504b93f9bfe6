//! Many values out of a JSON object in one pass.

use nephoscope_telemetry::json::{InvalidJson, Scanner};
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

    /// Puts what is there into its slots. In text that is not JSON it finds what comes before the mistake.
    pub(crate) fn find<'a>(&self, object: &'a str, values: &mut Values<'a>) {
        let mut scanner = Scanner::new(object);
        if scanner.peek() == Some(b'{') {
            // The text was checked when it came in.
            let _checked = self.read(&mut scanner, values);
        }
    }

    fn read<'a>(&self, scanner: &mut Scanner<'a>, values: &mut Values<'a>) -> Result<(), InvalidJson> {
        scanner.expect(b'{', "expected an object")?;
        let mut more = !scanner.eat(b'}');
        while more {
            let name = scanner.key()?;
            match self.key(&name) {
                Some(key) => key.read(scanner, values)?,
                None => {
                    scanner.value()?;
                }
            }
            more = scanner.eat(b',');
        }
        scanner.eat(b'}');
        Ok(())
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
    fn read<'a>(&self, scanner: &mut Scanner<'a>, values: &mut Values<'a>) -> Result<(), InvalidJson> {
        self.inside.forget(values);
        if self.slots.is_empty() && scanner.peek() == Some(b'{') {
            return self.inside.read(scanner, values);
        }
        let value = scanner.value()?;
        for slot in &self.slots {
            values[*slot] = Some(value);
        }
        if !self.inside.is_empty() {
            self.inside.find(value, values);
        }
        Ok(())
    }
}
