//! Tokens to a path.
//!
//! The grammar of jsonpath-rw-ext is ambiguous, and what its generated parser makes of that is part of the dialect:
//! `a.b|c` is `a.(b|c)`, `a|b[0]` is `(a|b)[0]`, and arithmetic groups to the right, so that `a * 2 + 1` is `a * 3`. This
//! parser keeps operands on a stack and decides as that one: by the precedence of the operator at hand against that of
//! the one before.

use super::InvalidPath;
use super::lexer::{Token, tokens};
use super::node::{Condition, Literal, Node, Operand, Operator, SortKey};
use super::text::{Split, Substitution};

/// How deep parentheses, brackets and operators may be nested: far beyond what anyone writes, and no danger to a stack.
const MAX_NESTED: usize = 40;

pub(super) fn parse(path: &str) -> Result<Node> {
    let mut parser = Parser { tokens: tokens(path)?, at: 0, end: path.len(), nested: 0 };
    let first = parser.primary()?;
    let node = parser.path(first, Inside::Path)?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => parser.fail("expected an operator or the end"),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    end: usize,
    nested: usize,
}

/// What is being read.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Path,
    /// Keys to sort by, where a slash begins the next one instead of dividing.
    SortKeys,
}

/// An operator between two paths.
#[derive(Clone, Copy, PartialEq)]
enum Infix {
    Arithmetic(Operator),
    Descendants,
    Child,
    Union,
    Intersection,
    Where,
}

impl Infix {
    /// As the next token: above which operators before it what they have is complete.
    fn precedence(self) -> u8 {
        match self {
            Self::Arithmetic(Operator::Add | Operator::Subtract) => 1,
            Self::Arithmetic(Operator::Multiply | Operator::Divide) => 2,
            Self::Descendants => 4,
            Self::Child => 5,
            Self::Union => 6,
            Self::Intersection => 7,
            Self::Where => 8,
        }
    }

    /// As the operator before: an arithmetic one never completes what it has.
    fn precedence_before(self) -> u8 {
        if matches!(self, Self::Arithmetic(_)) { 0 } else { self.precedence() }
    }
}

/// What an infix operator stands beside.
enum Term {
    Path(Node),
    /// A number is no path, but an operand of arithmetic.
    Number(Literal),
}

/// What stands in the parentheses of a filter.
enum Group {
    Path(Node),
    Conditions(Vec<Condition>),
}

type Result<T> = std::result::Result<T, InvalidPath>;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn fail<T>(&self, problem: impl Into<String>) -> Result<T> {
        let at = self.tokens.get(self.at).map_or(self.end, |(at, _)| *at);
        Err(InvalidPath::new(problem, at))
    }

    fn eat(&mut self, mark: char) -> bool {
        let found = self.peek() == Some(&Token::Mark(mark));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: char) -> Result<()> {
        if self.eat(mark) { Ok(()) } else { self.fail(format!("expected `{mark}`")) }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nested == MAX_NESTED {
            return self.fail(format!("nested deeper than {MAX_NESTED}"));
        }
        self.nested += 1;
        let read = read(self);
        self.nested -= 1;
        read
    }

    /// Brackets and operators nest to the left without any parentheses.
    fn bounded(&self, node: Node) -> Result<Node> {
        if node.depth() > MAX_NESTED {
            self.fail(format!("nested deeper than {MAX_NESTED}"))
        } else {
            Ok(node)
        }
    }

    /// What a path can begin with.
    fn primary(&mut self) -> Result<Term> {
        let node = match self.peek() {
            Some(Token::Name(_)) => Node::Fields(self.names()?),
            Some(Token::Mark('*')) => self.single(Node::Fields(vec!["*".into()])),
            Some(Token::Mark('$')) => self.single(Node::Root),
            Some(Token::Mark('@')) => self.single(Node::This),
            Some(Token::Named(_)) => self.named()?,
            Some(Token::Mark('(')) => self.deeper(|parser| {
                parser.at += 1;
                let first = parser.primary()?;
                let node = parser.path(first, Inside::Path)?;
                parser.expect(')').map(|()| node)
            })?,
            Some(Token::Mark('[')) => {
                self.at += 1;
                let node = self.elements()?;
                self.expect(']')?;
                node
            }
            Some(Token::Integer(integer)) => {
                let integer = *integer;
                self.at += 1;
                return Ok(Term::Number(Literal::Integer(integer)));
            }
            Some(Token::Float(float)) => {
                let float = *float;
                self.at += 1;
                return Ok(Term::Number(Literal::Float(float)));
            }
            _ => return self.fail("expected a name, `$`, `@`, `*`, `(` or `[`"),
        };
        Ok(Term::Path(node))
    }

    fn single(&mut self, node: Node) -> Node {
        self.at += 1;
        node
    }

    fn names(&mut self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        loop {
            match self.peek() {
                Some(Token::Name(name)) => names.push(name.clone()),
                _ => return self.fail("expected a name"),
            }
            self.at += 1;
            if !self.eat(',') {
                return Ok(names);
            }
        }
    }

    fn named(&mut self) -> Result<Node> {
        let Some(Token::Named(name)) = self.peek().cloned() else {
            return self.fail("expected something in backquotes");
        };
        let node = match name.as_str() {
            "this" => Node::This,
            "parent" => Node::Parent,
            "len" => Node::Length,
            "sorted" => Node::Sorted(Vec::new()),
            split if split.starts_with("split(") => match Split::parse(split) {
                Some(split) => Node::Split(split),
                None => {
                    return self.fail("expected `split(CHARACTER, SEGMENT, CUTS)`, spaces behind the commas");
                }
            },
            sub if sub.starts_with("sub(") => match Substitution::parse(sub) {
                Some(Ok(substitution)) => Node::Substitution(substitution),
                Some(Err(problem)) => return self.fail(problem),
                None => return self.fail("expected `sub(/PATTERN/, REPLACEMENT)`, a space behind the comma"),
            },
            _ => return self.fail("nothing in backquotes is called so"),
        };
        Ok(self.single(node))
    }

    /// What stands in brackets at the beginning of a path, and may stand in others: names, an index or a slice.
    fn elements(&mut self) -> Result<Node> {
        if let Some(Token::Name(_)) = self.peek() {
            return self.names().map(Node::Fields);
        }
        if self.eat('*') {
            return Ok(Node::Slice(None, None));
        }
        let start = self.index()?;
        if self.eat(':') {
            return Ok(Node::Slice(start, self.index()?));
        }
        match start {
            Some(index) => Ok(Node::Index(index)),
            None => self.fail("expected a number, a name, `*` or `:`"),
        }
    }

    fn index(&mut self) -> Result<Option<i64>> {
        let Some(Token::Integer(integer)) = self.peek() else { return Ok(None) };
        match i64::try_from(*integer) {
            Ok(index) => {
                self.at += 1;
                Ok(Some(index))
            }
            Err(_) => self.fail("the number is too large"),
        }
    }

    fn infix(&self, inside: Inside) -> Option<Infix> {
        Some(match self.peek()? {
            Token::TwoDots => Infix::Descendants,
            Token::Where => Infix::Where,
            Token::Mark('.') => Infix::Child,
            Token::Mark('|') => Infix::Union,
            Token::Mark('&') => Infix::Intersection,
            Token::Mark('+') => Infix::Arithmetic(Operator::Add),
            Token::Mark('-') => Infix::Arithmetic(Operator::Subtract),
            Token::Mark('*') => Infix::Arithmetic(Operator::Multiply),
            Token::Sort { backslash: false, comma: false } if inside == Inside::Path => {
                Infix::Arithmetic(Operator::Divide)
            }
            _ => return None,
        })
    }

    /// A path whose first term was read, up to what cannot belong to it.
    fn path(&mut self, first: Term, inside: Inside) -> Result<Node> {
        let mut before: Vec<(Term, Infix)> = Vec::new();
        let mut term = first;
        loop {
            let infix = self.infix(inside);
            let node = match (term, infix) {
                (number @ Term::Number(_), Some(infix @ Infix::Arithmetic(_))) => {
                    term = self.push(&mut before, number, infix)?;
                    continue;
                }
                (number @ Term::Number(_), _) => match before.pop() {
                    // The grammar has rules for two integers and for two fractions, and none for one of each.
                    Some((left, Infix::Arithmetic(_))) if differ(&left, &number) => {
                        return self.fail("two numbers have to be of one kind: `2.0 * 0.5`");
                    }
                    Some((left, Infix::Arithmetic(operator))) => operation(left, operator, number),
                    _ => return self.fail("expected `+`, `-`, `*` or `/`"),
                },
                (Term::Path(node), _) => node,
            };
            match infix {
                Some(infix) => {
                    let node = self.bounded(complete(&mut before, node, infix.precedence()))?;
                    term = self.push(&mut before, Term::Path(node), infix)?;
                }
                None if self.peek() == Some(&Token::Mark('[')) => {
                    let node = complete(&mut before, node, 1);
                    let inner = self.brackets()?;
                    term = Term::Path(self.bounded(Node::chain(node, inner))?);
                }
                None => return self.bounded(complete(&mut before, node, 0)),
            }
        }
    }

    /// Puts an operand and its operator aside, and reads the next operand.
    fn push(&mut self, before: &mut Vec<(Term, Infix)>, term: Term, infix: Infix) -> Result<Term> {
        if before.len() == MAX_NESTED {
            return self.fail(format!("nested deeper than {MAX_NESTED}"));
        }
        self.at += 1;
        before.push((term, infix));
        self.primary()
    }

    /// What stands in brackets behind a path.
    fn brackets(&mut self) -> Result<Node> {
        self.deeper(|parser| {
            parser.at += 1;
            let node = match parser.peek() {
                Some(Token::Mark('?')) => {
                    parser.at += 1;
                    Node::Filter(conditions(parser.groups()?))
                }
                Some(Token::Sort { .. }) => Node::Sorted(parser.sort_keys()?),
                _ => parser.elements()?,
            };
            parser.expect(']').map(|()| node)
        })
    }

    fn sort_keys(&mut self) -> Result<Vec<SortKey>> {
        let mut keys = Vec::new();
        while let Some(Token::Sort { backslash, .. }) = self.peek() {
            let descending = *backslash;
            self.at += 1;
            let first = self.primary()?;
            keys.push(SortKey { path: self.path(first, Inside::SortKeys)?, descending });
        }
        Ok(keys)
    }

    /// Conditions, or a path alone, which may be a condition or the beginning of one.
    fn groups(&mut self) -> Result<Group> {
        let mut all = match self.group()? {
            Group::Conditions(first) => first,
            path => return Ok(path),
        };
        while self.eat('&') {
            all.extend(conditions(self.group()?));
        }
        Ok(Group::Conditions(all))
    }

    fn group(&mut self) -> Result<Group> {
        let first = if self.peek() == Some(&Token::Mark('(')) {
            let inner = self.deeper(|parser| {
                parser.at += 1;
                let inner = parser.groups()?;
                parser.expect(')').map(|()| inner)
            })?;
            match inner {
                Group::Path(node) => Term::Path(node),
                conditions => return Ok(conditions),
            }
        } else {
            self.primary()?
        };
        let path = self.path(first, Inside::Path)?;
        let Some(Token::Comparison(comparison)) = self.peek() else { return Ok(Group::Path(path)) };
        let comparison = *comparison;
        self.at += 1;
        let literal = match self.next() {
            Some(Token::Name(text)) => Literal::Text(text),
            Some(Token::Integer(integer)) => Literal::Integer(integer),
            Some(Token::Float(float)) => Literal::Float(float),
            Some(Token::Bool(bool)) => Literal::Bool(bool),
            _ => {
                self.at -= 1;
                return self.fail("expected a name, a number, `true` or `false`");
            }
        };
        Ok(Group::Conditions(vec![Condition { path, comparison: Some((comparison, literal)) }]))
    }
}

fn conditions(group: Group) -> Vec<Condition> {
    match group {
        Group::Path(path) => vec![Condition { path, comparison: None }],
        Group::Conditions(conditions) => conditions,
    }
}

/// Joins the path with what stands before it, as far as that binds at least so.
fn complete(before: &mut Vec<(Term, Infix)>, mut node: Node, precedence: u8) -> Node {
    while let Some((left, infix)) = before.pop() {
        if infix.precedence_before() < precedence {
            before.push((left, infix));
            break;
        }
        node = match (left, infix) {
            (left, Infix::Arithmetic(operator)) => operation(left, operator, Term::Path(node)),
            (Term::Path(left), Infix::Child) => Node::chain(left, node),
            (Term::Path(left), Infix::Union) => Node::union(left, node),
            (Term::Path(left), Infix::Descendants) => Node::Descendants(left.into(), node.into()),
            (Term::Path(left), Infix::Where) => Node::Where(left.into(), node.into()),
            (Term::Path(left), Infix::Intersection) => Node::Intersection(left.into(), node.into()),
            (Term::Number(_), _) => unreachable!("a number is put aside before arithmetic only"),
        };
    }
    node
}

fn operation(left: Term, operator: Operator, right: Term) -> Node {
    Node::Operation(operand(left), operator, operand(right))
}

fn operand(term: Term) -> Operand {
    match term {
        Term::Number(number) => Operand::Literal(number),
        Term::Path(Node::Fields(mut names)) if names.len() == 1 => {
            Operand::Literal(Literal::Text(names.pop().expect("there is one")))
        }
        Term::Path(node) => Operand::Path(node.into()),
    }
}

fn differ(left: &Term, right: &Term) -> bool {
    use Literal::{Float, Integer};
    use Term::Number;
    matches!((left, right), (Number(Integer(_)), Number(Float(_))) | (Number(Float(_)), Number(Integer(_))))
}
