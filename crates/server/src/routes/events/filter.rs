//! Queries of Ceilometer's API: `q.field=…&q.op=…&q.value=…&q.type=…`, each of them once for every query.

use nephoscope_telemetry::{Id, Timestamp};

use super::event::{self, Event};
use super::fault::Fault;
use crate::query::{Parameter, parameters};

/// How many events are told when nothing is said: Ceilometer's `default_api_return_limit`.
const DEFAULT_LIMIT: usize = 100;
const OPERATORS: &str = "lt, le, eq, ne, ge, gt";

/// The events that are asked for: always of one trace.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) base_id: Id,
    pub(super) limit: usize,
    queries: Vec<Query>,
}

/// What an event has to fulfil.
#[derive(Debug, PartialEq)]
enum Query {
    MessageId(String),
    EventType(String),
    /// Generated at this time or later.
    Start(Timestamp),
    /// Generated at this time or earlier.
    End(Timestamp),
    Trait(String, Operator, String),
    /// A trait of another type than our traits have.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Lt,
    Le,
    Eq,
    Ne,
    Ge,
    Gt,
}

/// The parts of one query as they came.
#[derive(Clone, Debug, Default)]
struct Parts {
    field: String,
    op: String,
    value: String,
    kind: String,
}

impl Filter {
    pub(super) fn read(query: Option<&str>) -> Result<Self, Fault> {
        let (mut columns, mut limit) = (<[Vec<String>; 4]>::default(), DEFAULT_LIMIT);
        for parameter in parameters(query) {
            match &*parameter.name {
                "q.field" => columns[0].push(parameter.value),
                "q.op" => columns[1].push(parameter.value),
                "q.value" => columns[2].push(parameter.value),
                "q.type" => columns[3].push(parameter.value),
                "limit" => limit = read_limit(&parameter)?,
                name => return Err(Fault::client(format!("Unknown argument: \"{name}\""))),
            }
        }
        let queries: Vec<_> = rows(columns).into_iter().map(Parts::query).collect::<Result<_, _>>()?;
        let base_id = queries.iter().find_map(Query::base_id);
        let base_id = base_id.ok_or_else(|| Fault::unsupported("no index leads to these events"))?;
        Ok(Self { base_id, limit, queries })
    }

    pub(super) fn takes(&self, event: &Event<'_>) -> bool {
        self.queries.iter().all(|query| query.takes(event))
    }
}

fn read_limit(parameter: &Parameter<'_>) -> Result<usize, Fault> {
    match parameter.value.parse::<i64>().map(usize::try_from) {
        Ok(Ok(limit)) if limit > 0 => Ok(limit),
        Ok(_) => Err(Fault::client("Limit must be positive")),
        Err(_) => Err(Fault::from(parameter.wrong("a number"))),
    }
}

/// The first query has the first field, the first operator and so on; what is missing at the end is empty.
fn rows([fields, ops, values, kinds]: [Vec<String>; 4]) -> Vec<Parts> {
    let count = [&fields, &ops, &values, &kinds].map(Vec::len).into_iter().max().unwrap_or_default();
    let mut rows = vec![Parts::default(); count];
    for (column, slot) in [
        (fields, (|row| &mut row.field) as fn(&mut Parts) -> &mut String),
        (ops, |row| &mut row.op),
        (values, |row| &mut row.value),
        (kinds, |row| &mut row.kind),
    ] {
        rows.iter_mut().zip(column).for_each(|(row, value)| *slot(row) = value);
    }
    rows
}

impl Parts {
    fn query(self) -> Result<Query, Fault> {
        let Self { field, op, value, kind } = self;
        let operator = Operator::read(&op)?;
        if !matches!(field.as_str(), "message_id" | "event_type" | "start_timestamp" | "end_timestamp") {
            return match kind.as_str() {
                "" | "string" => Ok(Query::Trait(field, operator, value)),
                "integer" | "float" | "datetime" => Ok(Query::Nothing),
                _ => Err(Fault::client(format!(
                    "The data type {kind} is not supported. The supported data type list is: \
                     integer, float, string, datetime"
                ))),
            };
        }
        if operator != Operator::Eq {
            return Err(Fault::client(format!(
                "Operator {op} is not supported. Only `eq' operator is available for field {field}"
            )));
        }
        let time = || {
            Timestamp::parse(&value).map_err(|_| {
                Fault::client(format!(
                    "Unable to convert the value {value} to the expected data type datetime."
                ))
            })
        };
        Ok(match field.as_str() {
            "start_timestamp" => Query::Start(time()?),
            "end_timestamp" => Query::End(time()?),
            "event_type" => Query::EventType(value),
            _ => Query::MessageId(value),
        })
    }
}

impl Query {
    /// The trace that the events have to be of, where the query tells.
    fn base_id(&self) -> Option<Id> {
        match self {
            Self::Trait(name, Operator::Eq, value) if name == "base_id" => Some(Id::new(value)),
            Self::MessageId(id) => event::base_id(id),
            _ => None,
        }
    }

    fn takes(&self, event: &Event<'_>) -> bool {
        match self {
            Self::MessageId(id) => event.message_id() == *id,
            Self::EventType(name) => event.event_type() == *name,
            Self::Start(time) => event.point.timestamp >= *time,
            Self::End(time) => event.point.timestamp <= *time,
            Self::Trait(name, operator, value) => {
                event.value(name).is_some_and(|found| operator.holds(&found, value))
            }
            Self::Nothing => false,
        }
    }
}

impl Operator {
    fn read(text: &str) -> Result<Self, Fault> {
        Ok(match text {
            "" | "eq" => Self::Eq,
            "ne" => Self::Ne,
            "lt" => Self::Lt,
            "le" => Self::Le,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            _ => {
                let told =
                    format!("Operator {text} is not supported. The supported operators are: {OPERATORS}");
                return Err(Fault::client(told));
            }
        })
    }

    fn holds(self, found: &str, value: &str) -> bool {
        match self {
            Self::Lt => found < value,
            Self::Le => found <= value,
            Self::Eq => found == value,
            Self::Ne => found != value,
            Self::Ge => found >= value,
            Self::Gt => found > value,
        }
    }
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::{Json, TracePoint};
    use proptest::prelude::*;

    use super::*;

    fn point() -> TracePoint {
        let time = Timestamp::parse("2026-01-01T00:00:00.000500").unwrap();
        let mut point = TracePoint::new("wsgi-start", "b/1".into(), "t".into(), "p".into(), time);
        point.service = Some("api".into());
        point.info = Json::parse(r#"{"host": "node-1"}"#).unwrap();
        point
    }

    /// Whether a query takes the point, besides asking for its trace.
    fn takes(query: &str) -> bool {
        let query = format!("q.field=base_id&q.value=b%2F1&q.op=eq&{query}");
        let filter = Filter::read(Some(&query)).unwrap_or_else(|fault| panic!("{query}: {fault:?}"));
        assert_eq!(filter.base_id, "b/1".into());
        filter.takes(&Event::of(&point()))
    }

    #[test]
    fn queries_are_told_apart_by_their_order() {
        assert!(takes(""));
        assert!(takes("q.field=service&q.op=eq&q.value=api"));
        assert!(!takes("q.field=service&q.op=eq&q.value=compute"));
        assert!(takes("q.op=ne&q.field=service&q.value=compute&q.type=&q.type=string"));
        assert!(takes("q.field=host&q.field=name&q.op=&q.op=gt&q.value=node-1&q.value=wsgi"));
        assert!(!takes("q.field=service&q.type=&q.type=integer&q.op=eq&q.value=5"));
        assert!(!takes("q.field=no+such+trait&q.op=ne&q.value=5"));
    }

    #[test]
    fn every_operator_compares() {
        for (op, below, same, above) in [
            ("lt", false, false, true),
            ("le", false, true, true),
            ("eq", false, true, false),
            ("ne", true, false, true),
            ("ge", true, true, false),
            ("gt", true, false, false),
        ] {
            let ask = |value: &str| takes(&format!("q.field=service&q.op={op}&q.value={value}"));
            assert_eq!((ask("apa"), ask("api"), ask("apo")), (below, same, above), "{op}");
        }
    }

    #[test]
    fn fields_of_the_event_itself_are_asked_for() {
        assert!(takes("q.field=event_type&q.value=profiler.api"));
        assert!(!takes("q.field=event_type&q.value=profiler"));
        for (field, time, taken) in [
            ("start_timestamp", "2026-01-01T00:00:00.000500", true),
            ("start_timestamp", "2026-01-01T00:00:00.000501", false),
            ("end_timestamp", "2026-01-01T00:00:00.000500", true),
            ("end_timestamp", "2026-01-01T00:00:00", false),
        ] {
            assert_eq!(takes(&format!("q.field={field}&q.value={time}")), taken, "{field} {time}");
        }
        let id = Event::of(&point()).message_id().replace('/', "%2F");
        assert!(Filter::read(Some(&format!("q.field=message_id&q.value={id}"))).is_ok());
        assert!(!takes(&format!("q.field=message_id&q.value=0{id}")));
    }

    #[test]
    fn what_is_wrong_is_told_in_ceilometers_words() {
        for (query, status, told) in [
            ("", 501, "q.field=base_id"),
            ("q.field=service&q.value=api", 501, "q.field=base_id"),
            ("q.field=base_id&q.op=gt&q.value=x", 501, "q.field=base_id"),
            ("q.field=base_id&q.op=like&q.value=x", 400, "Operator like is not supported"),
            (
                "q.field=event_type&q.op=ne&q.value=x",
                400,
                "Only `eq' operator is available for field event_type",
            ),
            ("q.field=x&q.type=boolean&q.value=x", 400, "The data type boolean is not supported"),
            ("q.field=start_timestamp&q.value=soon", 400, "Unable to convert the value soon"),
            ("limit=0", 400, "Limit must be positive"),
            ("limit=-5", 400, "Limit must be positive"),
            ("limit=many", 400, "`limit`"),
            ("sort=x", 400, "Unknown argument: \"sort\""),
        ] {
            let fault = Filter::read(Some(query)).unwrap_err();
            let (found, message) = fault.told();
            assert_eq!(found, status, "{query}");
            assert!(message.contains(told), "{message}");
        }
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(text in "(q\\.(field|op|value|type)|limit|[=&%.a-z0-9+é])*") {
            if let Ok(filter) = Filter::read(Some(&text)) {
                filter.takes(&Event::of(&point()));
            }
        }
    }
}
