//! What a path finds in a document.

use std::borrow::Cow;
use std::cell::Cell;
use std::cmp::Ordering;
use std::rc::Rc;

use super::node::{Condition, Node, Operand, Operator, SortKey};
use super::value::{Kind, Value};
use crate::keys::value_of;

/// How much one search may look at, in values and in units of 64 bytes: a document of 1 MiB walked through twelve times.
/// What would take more finds nothing.
const MAX_WORK: usize = 200_000;
/// How deep all `..` of a path together descend. Python's limit on recursion is of this order.
const MAX_DESCENT: usize = 200;

/// A value and how the path came to it.
#[derive(Clone, Debug)]
pub(super) struct Datum<'a> {
    pub(super) value: Value<'a>,
    step: Step<'a>,
    /// What it was found in; nothing, at the top and for what was calculated.
    within: Option<Rc<Datum<'a>>>,
}

#[derive(Clone, Debug)]
enum Step<'a> {
    None,
    Key(Cow<'a, str>),
    Index(i64),
}

impl<'a> Datum<'a> {
    pub(super) fn top(value: Value<'a>) -> Self {
        Self { value, step: Step::None, within: None }
    }

    fn inside(self: &Rc<Self>, step: Step<'a>, value: Value<'a>) -> Self {
        Self { value, step, within: Some(Rc::clone(self)) }
    }

    /// The keys and indexes on the way to it, with points between them: `a.[0].b`.
    pub(super) fn place(&self) -> String {
        let mut steps = Vec::new();
        let mut datum = self;
        while let Some(within) = &datum.within {
            steps.push(match &datum.step {
                Step::None => "`this`".to_owned(),
                Step::Key(key) => key.to_string(),
                Step::Index(index) => format!("[{index}]"),
            });
            datum = within;
        }
        steps.reverse();
        steps.join(".")
    }
}

/// Why a search ended with nothing: Python raises an error here, or it takes too long.
pub(super) struct Failed;

type Found<'a> = Result<Vec<Datum<'a>>, Failed>;

/// One search.
#[derive(Default)]
pub(super) struct Search {
    work: Cell<usize>,
    descended: Cell<usize>,
}

impl Search {
    fn spend(&self, work: usize) -> Result<(), Failed> {
        self.work.set(self.work.get() + work);
        if self.work.get() > MAX_WORK { Err(Failed) } else { Ok(()) }
    }

    /// Counts what it takes to walk through a value.
    fn walk(&self, value: &Value<'_>) -> Result<(), Failed> {
        self.spend(match value {
            Value::Json(text) => 1 + text.len() / 64,
            Value::Array(elements) => 1 + elements.len(),
            _ => 1,
        })
    }

    pub(super) fn find<'a>(&self, node: &'a Node, datum: &Rc<Datum<'a>>) -> Found<'a> {
        self.spend(1)?;
        match node {
            Node::Root => {
                let mut top = datum;
                while let Some(within) = &top.within {
                    top = within;
                }
                Ok(vec![Datum::top(top.value.clone())])
            }
            Node::This => Ok(vec![Datum::clone(datum)]),
            Node::Parent => datum.within.as_ref().map(|within| vec![Datum::clone(within)]).ok_or(Failed),
            Node::Fields(names) => self.fields(names, datum),
            Node::Index(index) => self.index(*index, datum),
            Node::Slice(start, end) => self.slice(*start, *end, datum),
            Node::Chain(parts) => self.chain(parts, datum),
            Node::Union(parts) => {
                let mut found = Vec::new();
                for part in parts {
                    found.extend(self.find(part, datum)?);
                }
                Ok(found)
            }
            Node::Descendants(left, right) => {
                let mut found = Vec::new();
                for left in self.find(left, datum)? {
                    self.descend(right, &Rc::new(left), &mut found)?;
                }
                Ok(found)
            }
            Node::Where(left, right) => {
                let mut found = self.find(left, datum)?.into_iter().map(Rc::new).collect::<Vec<_>>();
                let mut failed = false;
                found.retain(|left| match self.find(right, left) {
                    Ok(matches) => !matches.is_empty(),
                    Err(Failed) => {
                        failed = true;
                        false
                    }
                });
                if failed {
                    return Err(Failed);
                }
                Ok(found.into_iter().map(Rc::unwrap_or_clone).collect())
            }
            Node::Intersection(..) => Err(Failed),
            Node::Filter(conditions) => self.filter(conditions, datum),
            Node::Sorted(keys) => self.sorted(keys, datum),
            Node::Length => Ok(self.length(&datum.value)?.into_iter().map(Datum::top).collect()),
            Node::Split(split) => {
                let piece = datum.value.as_text().and_then(|text| split.of(&text).map(str::to_owned));
                Ok(piece.map(|piece| Datum::top(Value::Text(Cow::Owned(piece)))).into_iter().collect())
            }
            Node::Substitution(substitution) => {
                let text = datum.value.as_text().ok_or(Failed)?;
                let changed = substitution.of(&text).map(|text| Datum::top(Value::Text(Cow::Owned(text))));
                Ok(changed.into_iter().collect())
            }
            Node::Operation(left, operator, right) => self.operation(left, *operator, right, datum),
        }
    }

    fn chain<'a>(&self, parts: &'a [Node], datum: &Rc<Datum<'a>>) -> Found<'a> {
        let mut found = vec![Datum::clone(datum)];
        for part in parts {
            let mut next = Vec::new();
            for datum in found {
                next.extend(self.find(part, &Rc::new(datum))?);
            }
            found = next;
        }
        Ok(found)
    }

    fn fields<'a>(&self, names: &'a [String], datum: &Rc<Datum<'a>>) -> Found<'a> {
        self.walk(&datum.value)?;
        if names.iter().any(|name| name == "*") {
            let entries = datum.value.entries().unwrap_or_default();
            let all = entries.into_iter().map(|(key, value)| datum.inside(Step::Key(key), value));
            return Ok(all.collect());
        }
        let Value::Json(object) = datum.value else { return Ok(Vec::new()) };
        let named = names.iter().filter_map(|name| {
            let value = Value::Json(value_of(object, name)?);
            Some(datum.inside(Step::Key(Cow::Borrowed(name)), value))
        });
        Ok(named.collect())
    }

    fn index<'a>(&self, index: i64, datum: &Rc<Datum<'a>>) -> Found<'a> {
        self.walk(&datum.value)?;
        let (elements, is_array) = match datum.value.kind() {
            Kind::Array => (datum.value.elements().unwrap_or_default(), true),
            // A text has characters.
            Kind::Text(text) => (characters(&text), true),
            Kind::Object => (Vec::new(), false),
            _ => return Err(Failed),
        };
        let length = if is_array { elements.len() } else { self.count(&datum.value) };
        let Ok(length) = i64::try_from(length) else { return Err(Failed) };
        if index >= length {
            return Ok(Vec::new());
        }
        let at = if index < 0 { index + length } else { index };
        let element = usize::try_from(at).ok().and_then(|at| elements.into_iter().nth(at)).ok_or(Failed)?;
        Ok(vec![datum.inside(Step::Index(index), element)])
    }

    fn slice<'a>(&self, start: Option<i64>, end: Option<i64>, datum: &Rc<Datum<'a>>) -> Found<'a> {
        self.walk(&datum.value)?;
        let (elements, of) = match datum.value.kind() {
            Kind::Array => (datum.value.elements().unwrap_or_default(), Rc::clone(datum)),
            Kind::Null | Kind::Number(super::value::Number::Float(_)) => return Err(Failed),
            // What is no array is taken for one of itself.
            _ => {
                let alone = Value::Array(vec![datum.value.clone()]);
                let step = datum.step.clone();
                (
                    vec![datum.value.clone()],
                    Rc::new(Datum { value: alone, step, within: datum.within.clone() }),
                )
            }
        };
        let length = i64::try_from(elements.len()).map_err(|_| Failed)?;
        let place = |at: i64| (if at < 0 { at.saturating_add(length) } else { at }).clamp(0, length);
        let (start, end) = (place(start.unwrap_or(0)), place(end.unwrap_or(length)));
        self.spend(elements.len())?;
        let wanted = (0..length).zip(elements).filter(|(at, _)| (start..end).contains(at));
        Ok(wanted.map(|(at, element)| of.inside(Step::Index(at), element)).collect())
    }

    /// Goes through a value and all inside of it, outside first, in the order of the text.
    fn descend<'a>(
        &self,
        node: &'a Node,
        datum: &Rc<Datum<'a>>,
        found: &mut Vec<Datum<'a>>,
    ) -> Result<(), Failed> {
        if self.descended.get() == MAX_DESCENT {
            return Err(Failed);
        }
        self.descended.set(self.descended.get() + 1);
        self.walk(&datum.value)?;
        found.extend(self.find(node, datum)?);
        if let Some(elements) = datum.value.elements() {
            for (at, element) in (0..).zip(elements) {
                self.descend(node, &Rc::new(datum.inside(Step::Index(at), element)), found)?;
            }
        } else if let Some(entries) = datum.value.entries() {
            for (key, value) in entries {
                self.descend(node, &Rc::new(datum.inside(Step::Key(key), value)), found)?;
            }
        }
        self.descended.set(self.descended.get() - 1);
        Ok(())
    }

    fn filter<'a>(&self, conditions: &'a [Condition], datum: &Rc<Datum<'a>>) -> Found<'a> {
        self.walk(&datum.value)?;
        let Some(elements) = datum.value.elements() else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for (at, element) in (0..).zip(elements) {
            // Conditions see the element only, as if it were the document.
            let top = Rc::new(Datum::top(element));
            let mut all = true;
            for condition in conditions {
                all &= self.is_fulfilled(condition, &top)?;
            }
            if all {
                found.push(datum.inside(Step::Index(at), top.value.clone()));
            }
        }
        Ok(found)
    }

    fn is_fulfilled<'a>(&self, condition: &'a Condition, top: &Rc<Datum<'a>>) -> Result<bool, Failed> {
        let found = self.find(&condition.path, top)?;
        let Some((comparison, literal)) = &condition.comparison else { return Ok(!found.is_empty()) };
        let mut any = false;
        for datum in found.iter().filter(|datum| !datum.value.is_null()) {
            any |= datum.value.fulfils(*comparison, literal).ok_or(Failed)?;
        }
        Ok(any)
    }

    fn sorted<'a>(&self, keys: &'a [SortKey], datum: &Rc<Datum<'a>>) -> Found<'a> {
        self.walk(&datum.value)?;
        let mut elements = match (datum.value.elements(), datum.value.entries()) {
            (Some(elements), _) => elements,
            (_, Some(entries)) if keys.is_empty() => {
                entries.into_iter().map(|(key, _)| Value::Text(key)).collect()
            }
            _ => return Err(Failed),
        };
        self.spend(elements.len().saturating_mul(8))?;
        let failed = Cell::new(false);
        let compare = |left: &Value<'a>, right: &Value<'a>| {
            let order = if keys.is_empty() { left.order(right) } else { self.by_keys(keys, left, right) };
            order.unwrap_or_else(|| {
                failed.set(true);
                Ordering::Equal
            })
        };
        elements.sort_by(compare);
        if failed.get() {
            return Err(Failed);
        }
        Ok(vec![Datum::top(Value::Array(elements))])
    }

    fn by_keys<'a>(&self, keys: &'a [SortKey], left: &Value<'a>, right: &Value<'a>) -> Option<Ordering> {
        for key in keys {
            let found = |value: &Value<'a>| self.find(&key.path, &Rc::new(Datum::top(value.clone()))).ok();
            let (left, right) = (found(left)?, found(right)?);
            let ([left], [right]) = (left.as_slice(), right.as_slice()) else { continue };
            if left.value.equals(&right.value) {
                continue;
            }
            let order = left.value.order(&right.value)?;
            return Some(if key.descending { order.reverse() } else { order });
        }
        Some(Ordering::Equal)
    }

    fn length<'a>(&self, value: &Value<'a>) -> Result<Option<Value<'a>>, Failed> {
        self.walk(value)?;
        let length = match value.kind() {
            Kind::Array | Kind::Object => self.count(value),
            Kind::Text(text) => text.chars().count(),
            _ => return Ok(None),
        };
        Ok(i128::try_from(length).ok().map(Value::Integer))
    }

    fn count(&self, value: &Value<'_>) -> usize {
        value
            .elements()
            .map(|elements| elements.len())
            .or_else(|| value.entries().map(|entries| entries.len()))
            .unwrap_or(0)
    }

    fn operation<'a>(
        &self,
        left: &'a Operand,
        operator: Operator,
        right: &'a Operand,
        datum: &Rc<Datum<'a>>,
    ) -> Found<'a> {
        let values = |operand: &'a Operand| match operand {
            Operand::Literal(literal) => Ok(vec![Value::from(literal)]),
            Operand::Path(path) => {
                let found = self.find(path, datum)?;
                Ok(found.into_iter().map(|datum| datum.value).collect::<Vec<_>>())
            }
        };
        let (lefts, rights) = (values(left)?, values(right)?);
        // Two paths have to find as many; a literal goes with each.
        let both = matches!((left, right), (Operand::Path(_), Operand::Path(_)));
        if both && lefts.len() != rights.len() {
            return Ok(Vec::new());
        }
        let pairs: Vec<(&Value<'a>, &Value<'a>)> = match (left, right) {
            (Operand::Literal(_), _) => rights.iter().map(|right| (&lefts[0], right)).collect(),
            (_, Operand::Literal(_)) => lefts.iter().map(|left| (left, &rights[0])).collect(),
            _ => lefts.iter().zip(&rights).collect(),
        };
        let results: Option<Vec<_>> =
            pairs.into_iter().map(|(left, right)| left.calculate(operator, right).map(Datum::top)).collect();
        Ok(results.unwrap_or_default())
    }
}

fn characters<'a>(text: &str) -> Vec<Value<'a>> {
    text.chars().map(|character| Value::Text(Cow::Owned(character.to_string()))).collect()
}
