//! What a path consists of, and how it is spelled.

use std::fmt;

use super::lexer::is_name;
use super::text::{Split, Substitution};

/// A path or a part of one.
///
/// Chains and unions are flat, for how they were put in parentheses makes no difference to what they find.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// `$`: what is at the top.
    Root,
    /// `@`: what the path has come to.
    This,
    /// `` `parent` ``: what that is in.
    Parent,
    /// `a` or `a,b`: the values of these keys; of all, where one is `*`.
    Fields(Vec<String>),
    /// `[3]`: an element, counted from the end when negative.
    Index(i64),
    /// `[1:3]`, `[*]`: a range of elements.
    Slice(Option<i64>, Option<i64>),
    /// `a.b`: what each finds in what the one before has found.
    Chain(Vec<Node>),
    /// `a|b`: what each finds, one after the other.
    Union(Vec<Node>),
    /// `a..b`: what the right one finds in what the left one has found, and in everything inside of it.
    Descendants(Box<Node>, Box<Node>),
    /// `a where b`: what the left one finds, if the right one finds anything in it.
    Where(Box<Node>, Box<Node>),
    /// `a&b`: is in the grammar, and finds nothing.
    Intersection(Box<Node>, Box<Node>),
    /// `[?a = 1 & b]`: the elements of an array that fulfil all conditions.
    Filter(Vec<Condition>),
    /// `` `sorted` `` or `[/a,\b]`: one array, of the elements in order; by these paths, where there are any.
    Sorted(Vec<SortKey>),
    /// `` `len` ``: how many elements, keys or characters there are.
    Length,
    /// `` `split(#, 0, 1)` ``: a piece of a text.
    Split(Split),
    /// `` `sub(/a/, b)` ``: a text with what matches replaced.
    Substitution(Substitution),
    /// `a + 1`: what results.
    Operation(Operand, Operator, Operand),
}

/// A condition of a filter: something is found by the path; and is so, where a comparison is given.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    pub(super) path: Node,
    pub(super) comparison: Option<(Comparison, Literal)>,
}

/// A path to sort by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SortKey {
    pub(super) path: Node,
    pub(super) descending: bool,
}

/// What an operation is done with. A single name means itself here, not the value of a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Path(Box<Node>),
    Literal(Literal),
}

/// A value that stands in the path itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Integer(i128),
    Float(f64),
    Bool(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// A regular expression that matches from the beginning.
    Matches,
}

impl Comparison {
    const SPELLED: [(&str, Self); 8] = [
        ("==", Self::Equal),
        ("=", Self::Equal),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        (">", Self::Greater),
        ("~", Self::Matches),
    ];

    /// The comparison that a text begins with, and how long it is.
    pub(super) fn spelled(text: &str) -> Option<(Self, usize)> {
        let found = Self::SPELLED.into_iter().find(|(spelled, _)| text.starts_with(spelled));
        found.map(|(spelled, comparison)| (comparison, spelled.len()))
    }
}

impl Node {
    /// Both after each other.
    pub(super) fn chain(left: Self, right: Self) -> Self {
        Self::Chain(match (left, right) {
            (Self::Chain(mut parts), Self::Chain(more)) => {
                parts.extend(more);
                parts
            }
            (Self::Chain(mut parts), right) => {
                parts.push(right);
                parts
            }
            (left, Self::Chain(mut parts)) => {
                parts.insert(0, left);
                parts
            }
            (left, right) => vec![left, right],
        })
    }

    /// Both beside each other.
    pub(super) fn union(left: Self, right: Self) -> Self {
        Self::Union(match (left, right) {
            (Self::Union(mut parts), Self::Union(more)) => {
                parts.extend(more);
                parts
            }
            (Self::Union(mut parts), right) => {
                parts.push(right);
                parts
            }
            (left, Self::Union(mut parts)) => {
                parts.insert(0, left);
                parts
            }
            (left, right) => vec![left, right],
        })
    }

    /// How deep it is nested.
    pub(super) fn depth(&self) -> usize {
        let operand = |operand: &Operand| match operand {
            Operand::Path(path) => path.depth(),
            Operand::Literal(_) => 0,
        };
        let inner = match self {
            Self::Chain(parts) | Self::Union(parts) => parts.iter().map(Self::depth).max(),
            Self::Descendants(left, right) | Self::Where(left, right) | Self::Intersection(left, right) => {
                Some(left.depth().max(right.depth()))
            }
            Self::Filter(conditions) => conditions.iter().map(|condition| condition.path.depth()).max(),
            Self::Sorted(keys) => keys.iter().map(|key| key.path.depth()).max(),
            Self::Operation(left, _, right) => Some(operand(left).max(operand(right))),
            _ => None,
        };
        inner.unwrap_or(0) + 1
    }

    /// Whether it needs no parentheses, wherever it stands.
    fn is_atom(&self) -> bool {
        !matches!(
            self,
            Self::Chain(_)
                | Self::Union(_)
                | Self::Descendants(..)
                | Self::Where(..)
                | Self::Intersection(..)
                | Self::Operation(..)
        )
    }
}

/// As part of something else: in parentheses if need be.
struct Part<'a>(&'a Node);

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_atom() { self.0.fmt(f) } else { write!(f, "({})", self.0) }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("$"),
            Self::This => f.write_str("@"),
            Self::Parent => f.write_str("`parent`"),
            Self::Fields(names) => write_names(names, f),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Slice(None, None) => f.write_str("[*]"),
            Self::Slice(start, end) => {
                f.write_str("[")?;
                start.iter().try_for_each(|start| write!(f, "{start}"))?;
                f.write_str(":")?;
                end.iter().try_for_each(|end| write!(f, "{end}"))?;
                f.write_str("]")
            }
            Self::Chain(parts) => {
                for (nth, part) in parts.iter().enumerate() {
                    let dotted = nth > 0 && !matches!(part, Self::Filter(_)) && !is_sort_by(part);
                    write!(f, "{}{}", if dotted { "." } else { "" }, Part(part))?;
                }
                Ok(())
            }
            Self::Union(parts) => {
                for (nth, part) in parts.iter().enumerate() {
                    write!(f, "{}{}", if nth > 0 { "|" } else { "" }, Part(part))?;
                }
                Ok(())
            }
            Self::Descendants(left, right) => write!(f, "{}..{}", Part(left), Part(right)),
            Self::Where(left, right) => write!(f, "{} where {}", Part(left), Part(right)),
            Self::Intersection(left, right) => write!(f, "{}&{}", Part(left), Part(right)),
            Self::Filter(conditions) => write_conditions(conditions, f),
            Self::Sorted(keys) if keys.is_empty() => f.write_str("`sorted`"),
            Self::Sorted(keys) => {
                f.write_str("[")?;
                for (nth, key) in keys.iter().enumerate() {
                    let comma = if nth > 0 { "," } else { "" };
                    write!(f, "{comma}{}{}", if key.descending { '\\' } else { '/' }, Part(&key.path))?;
                }
                f.write_str("]")
            }
            Self::Length => f.write_str("`len`"),
            Self::Split(split) => write_quoted(&split.to_string(), '`', f),
            Self::Substitution(substitution) => write_quoted(&substitution.to_string(), '`', f),
            Self::Operation(left, operator, right) => write!(f, "{left} {operator} {right}"),
        }
    }
}

fn is_sort_by(node: &Node) -> bool {
    matches!(node, Node::Sorted(keys) if !keys.is_empty())
}

fn write_names(names: &[String], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (nth, name) in names.iter().enumerate() {
        f.write_str(if nth > 0 { "," } else { "" })?;
        if is_name(name) || (names.len() == 1 && name == "*") {
            f.write_str(name)?;
        } else {
            write_quoted(name, '\'', f)?;
        }
    }
    Ok(())
}

/// Later conditions may find something without comparing it, and that has to stand last in its parentheses: behind it, an
/// `&` would mean something else.
fn write_conditions(conditions: &[Condition], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let bare = |condition: &Condition| condition.comparison.is_none();
    let closed = conditions.iter().rev().skip(1).filter(|condition| bare(condition)).count();
    write!(f, "[?{}", "(".repeat(closed))?;
    for (nth, condition) in conditions.iter().enumerate() {
        write!(f, "{}{condition}", if nth > 0 { " & " } else { "" })?;
        if bare(condition) && nth + 1 < conditions.len() {
            f.write_str(")")?;
        }
    }
    f.write_str("]")
}

fn write_quoted(text: &str, quote: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use fmt::Write;
    f.write_char(quote)?;
    for character in text.chars() {
        if character == quote || character == '\\' {
            f.write_char('\\')?;
        }
        f.write_char(character)?;
    }
    f.write_char(quote)
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Part(&self.path).fmt(f)?;
        match &self.comparison {
            Some((comparison, literal)) => write!(f, " {comparison} {literal}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => Part(path).fmt(f),
            Self::Literal(literal) => literal.fmt(f),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write_quoted(text, '\'', f),
            Self::Integer(integer) => integer.fmt(f),
            Self::Float(float) if float.fract() == 0.0 => write!(f, "{float}.0"),
            Self::Float(float) => float.fmt(f),
            Self::Bool(bool) => bool.fmt(f),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spelled = Self::SPELLED.into_iter().find(|(_, comparison)| comparison == self);
        f.write_str(spelled.map_or("", |(spelled, _)| spelled))
    }
}
