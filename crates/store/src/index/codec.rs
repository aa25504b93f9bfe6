//! Records as bytes: `docs/store-format.md` tells their form.

use nephoscope_gnocchi::{ArchivePolicy, ArchivePolicyRule, Attribute, AttributeKind, Definition, Timespan};
use uuid::Uuid;

use super::fields::{Reader, Writer};
use super::record::{Column, Counters, MetricRecord, ResourceRecord, RevisionRecord, TypeKey, TypeRecord};
use crate::series::MetricKey;

/// The form of records, their first byte.
const FORM: u8 = 1;

fn write(fields: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer(vec![FORM]);
    fields(&mut writer);
    writer.0
}

/// Nothing where the record is damaged, of another form, or longer than it should be.
fn read<T>(record: &[u8], fields: impl FnOnce(&mut Reader<'_>) -> Option<T>) -> Option<T> {
    let mut reader = Reader(record);
    (reader.byte()? == FORM).then_some(())?;
    let read = fields(&mut reader)?;
    reader.0.is_empty().then_some(read)
}

pub(super) fn encode_policy(policy: &ArchivePolicy) -> Vec<u8> {
    write(|to| {
        to.text(&policy.name);
        to.number(policy.back_window.into());
        to.number(policy.definition.len() as u64);
        for definition in &policy.definition {
            to.number(definition.granularity.as_nanos().cast_unsigned());
            to.option(definition.points, Writer::number);
        }
        to.number(policy.aggregation_methods.len() as u64);
        for method in &policy.aggregation_methods {
            to.text(&method.to_string());
        }
    })
}

pub(super) fn decode_policy(record: &[u8]) -> Option<ArchivePolicy> {
    read(record, |from| {
        Some(ArchivePolicy {
            name: from.text()?.into(),
            back_window: from.number_u32()?,
            definition: from.list(|from| {
                let granularity = Timespan::from_nanos(from.number()?.cast_signed())?;
                Some(Definition { granularity, points: from.option(Reader::number)? })
            })?,
            aggregation_methods: from.list(|from| from.text()?.parse().ok())?,
        })
    })
}

pub(super) fn encode_rule(rule: &ArchivePolicyRule) -> Vec<u8> {
    write(|to| {
        to.text(&rule.name);
        to.text(&rule.metric_pattern);
        to.text(&rule.archive_policy_name);
    })
}

pub(super) fn decode_rule(record: &[u8]) -> Option<ArchivePolicyRule> {
    read(record, |from| {
        Some(ArchivePolicyRule {
            name: from.text()?.into(),
            metric_pattern: from.text()?.into(),
            archive_policy_name: from.text()?.into(),
        })
    })
}

pub(super) fn encode_type(record: &TypeRecord) -> Vec<u8> {
    write(|to| {
        to.number(record.key.0.into());
        to.text(&record.name);
        to.number(record.next_column.into());
        to.number(record.columns.len() as u64);
        for column in &record.columns {
            to.number(column.number.into());
            to.text(&column.name);
            to.byte(column.attribute.required.into());
            write_kind(to, &column.attribute.kind);
            to.value(&column.fill);
        }
    })
}

pub(super) fn decode_type(record: &[u8]) -> Option<TypeRecord> {
    read(record, |from| {
        Some(TypeRecord {
            key: TypeKey(from.number_u32()?),
            name: from.text()?.into(),
            next_column: from.number_u32()?,
            columns: from.list(|from| {
                let (number, name) = (from.number_u32()?, from.text()?.into());
                let required = from.byte()? == 1;
                let attribute = Attribute { kind: read_kind(from)?, required };
                Some(Column { number, name, attribute, fill: from.value()? })
            })?,
        })
    })
}

fn write_kind(to: &mut Writer, kind: &AttributeKind) {
    match *kind {
        AttributeKind::String { min_length, max_length } => {
            to.byte(0);
            to.number(min_length.into());
            to.number(max_length.into());
        }
        AttributeKind::Uuid => to.byte(1),
        AttributeKind::Number { min, max } => {
            to.byte(2);
            to.option(min, Writer::double);
            to.option(max, Writer::double);
        }
        AttributeKind::Bool => to.byte(3),
        AttributeKind::Datetime => to.byte(4),
    }
}

fn read_kind(from: &mut Reader<'_>) -> Option<AttributeKind> {
    Some(match from.byte()? {
        0 => AttributeKind::String { min_length: from.number_u32()?, max_length: from.number_u32()? },
        1 => AttributeKind::Uuid,
        2 => AttributeKind::Number { min: from.option(Reader::double)?, max: from.option(Reader::double)? },
        3 => AttributeKind::Bool,
        4 => AttributeKind::Datetime,
        _ => return None,
    })
}

pub(super) fn encode_counters(counters: Counters) -> Vec<u8> {
    write(|to| {
        to.number(counters.metric);
        to.number(counters.resource_type.into());
        to.number(counters.revision);
    })
}

pub(super) fn decode_counters(record: &[u8]) -> Option<Counters> {
    read(record, |from| {
        Some(Counters { metric: from.number()?, resource_type: from.number_u32()?, revision: from.number()? })
    })
}

pub(super) fn encode_resource(record: &ResourceRecord) -> Vec<u8> {
    write(|to| write_resource(to, record))
}

pub(super) fn decode_resource(id: Uuid, record: &[u8]) -> Option<ResourceRecord> {
    read(record, |from| read_resource(from, id))
}

pub(super) fn encode_revision(record: &RevisionRecord) -> Vec<u8> {
    write(|to| {
        to.time(record.ended);
        write_resource(to, &record.resource);
    })
}

pub(super) fn decode_revision(id: Uuid, number: u64, record: &[u8]) -> Option<RevisionRecord> {
    read(record, |from| {
        Some(RevisionRecord { number, ended: from.time()?, resource: read_resource(from, id)? })
    })
}

fn write_resource(to: &mut Writer, record: &ResourceRecord) {
    to.number(record.resource_type.0.into());
    to.text(&record.original_id);
    to.optional_text(record.creator.as_ref());
    to.optional_text(record.user_id.as_ref());
    to.optional_text(record.project_id.as_ref());
    to.time(record.started_at);
    to.option(record.ended_at, Writer::time);
    to.time(record.revision_start);
    to.number(record.attributes.len() as u64);
    for (column, value) in &record.attributes {
        to.number((*column).into());
        to.value(value);
    }
}

fn read_resource(from: &mut Reader<'_>, id: Uuid) -> Option<ResourceRecord> {
    let record = ResourceRecord {
        id,
        resource_type: TypeKey(from.number_u32()?),
        original_id: from.text()?.into(),
        creator: from.optional_text()?,
        user_id: from.optional_text()?,
        project_id: from.optional_text()?,
        started_at: from.time()?,
        ended_at: from.option(Reader::time)?,
        revision_start: from.time()?,
        attributes: from.list(|from| Some((from.number_u32()?, from.value()?)))?,
    };
    // They are searched by halves.
    record.attributes.is_sorted_by(|(one, _), (other, _)| one < other).then_some(record)
}

pub(super) fn encode_metric(record: &MetricRecord) -> Vec<u8> {
    write(|to| {
        to.uuid(record.id);
        to.byte(record.is_deleted.into());
        to.option(record.resource, Writer::uuid);
        to.optional_text(record.creator.as_ref());
        to.text(&record.archive_policy);
        to.optional_text(record.name.as_ref());
        to.optional_text(record.unit.as_ref());
    })
}

pub(super) fn decode_metric(key: MetricKey, record: &[u8]) -> Option<MetricRecord> {
    read(record, |from| {
        Some(MetricRecord {
            key,
            id: from.uuid()?,
            is_deleted: from.byte()? == 1,
            resource: from.option(Reader::uuid)?,
            creator: from.optional_text()?,
            archive_policy: from.text()?.into(),
            name: from.optional_text()?,
            unit: from.optional_text()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use nephoscope_gnocchi::{AggregationMethod, Timestamp};
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;

    use super::super::value::Value;
    use super::*;

    fn text() -> impl Strategy<Value = std::sync::Arc<str>> {
        ".{0,8}".prop_map(Into::into)
    }

    fn time() -> impl Strategy<Value = Timestamp> {
        any::<i64>().prop_map(Timestamp::from_nanos)
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<f64>().prop_map(Value::Number),
            time().prop_map(Value::Time),
            text().prop_map(Value::Text),
            any::<u128>().prop_map(|uuid| Value::Uuid(Uuid::from_u128(uuid))),
        ]
    }

    fn kind() -> impl Strategy<Value = AttributeKind> {
        prop_oneof![
            any::<(u32, u32)>()
                .prop_map(|(min_length, max_length)| AttributeKind::String { min_length, max_length }),
            Just(AttributeKind::Uuid),
            any::<(Option<f64>, Option<f64>)>().prop_map(|(min, max)| AttributeKind::Number { min, max }),
            Just(AttributeKind::Bool),
            Just(AttributeKind::Datetime),
        ]
    }

    prop_compose! {
        fn policy()(
            name in ".{0,8}",
            back_window: u32,
            definition in vec((1..i64::MAX, any::<Option<u64>>()), 0..4),
            methods in vec(0..216_usize, 0..4),
        ) -> ArchivePolicy {
            let definition = definition.into_iter().map(|(nanos, points)| {
                Definition { granularity: Timespan::from_nanos(nanos).unwrap(), points }
            });
            let methods = methods.into_iter().map(|at| AggregationMethod::all().nth(at).unwrap());
            ArchivePolicy {
                name,
                back_window,
                definition: definition.collect(),
                aggregation_methods: methods.collect(),
            }
        }
    }

    prop_compose! {
        fn resource()(
            ids in any::<(u128, u32)>(),
            texts in (text(), option::of(text()), option::of(text()), option::of(text())),
            times in (time(), option::of(time()), time()),
            attributes in btree_map(any::<u32>(), value(), 0..4),
        ) -> ResourceRecord {
            ResourceRecord {
                id: Uuid::from_u128(ids.0),
                original_id: texts.0,
                resource_type: TypeKey(ids.1),
                creator: texts.1,
                user_id: texts.2,
                project_id: texts.3,
                started_at: times.0,
                ended_at: times.1,
                revision_start: times.2,
                attributes: attributes.into_iter().collect(),
            }
        }
    }

    prop_compose! {
        fn metric()(
            ids in any::<(u64, u128, Option<u128>, bool)>(),
            texts in (option::of(text()), text(), option::of(text()), option::of(text())),
        ) -> MetricRecord {
            MetricRecord {
                key: MetricKey(ids.0),
                id: Uuid::from_u128(ids.1),
                creator: texts.0,
                archive_policy: texts.1,
                name: texts.2,
                unit: texts.3,
                resource: ids.2.map(Uuid::from_u128),
                is_deleted: ids.3,
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            policy in policy(),
            rule in ("a?", "b?", "c?"),
            columns in vec((any::<u32>(), ".{0,8}", kind(), any::<bool>(), value()), 0..4),
            numbers: (u64, u32, u64),
            resource in resource(),
            ended in time(),
            metric in metric(),
        ) {
            prop_assert_eq!(decode_policy(&encode_policy(&policy)), Some(policy));
            let rule =
                ArchivePolicyRule { name: rule.0, metric_pattern: rule.1, archive_policy_name: rule.2 };
            prop_assert_eq!(decode_rule(&encode_rule(&rule)), Some(rule));
            let columns = columns.into_iter().map(|(number, name, kind, required, fill)| {
                Column { number, name, attribute: Attribute { kind, required }, fill }
            });
            let columns = columns.collect();
            let own = TypeRecord { key: TypeKey(numbers.1), name: "t".into(), columns, next_column: 9 };
            prop_assert_eq!(decode_type(&encode_type(&own)), Some(own));
            let counters =
                Counters { metric: numbers.0, resource_type: numbers.1, revision: numbers.2 };
            prop_assert_eq!(decode_counters(&encode_counters(counters)), Some(counters));
            prop_assert_eq!(decode_resource(resource.id, &encode_resource(&resource)), Some(resource.clone()));
            let revision = RevisionRecord { number: numbers.0, ended, resource };
            let id = revision.resource.id;
            prop_assert_eq!(decode_revision(id, numbers.0, &encode_revision(&revision)), Some(revision));
            prop_assert_eq!(decode_metric(metric.key, &encode_metric(&metric)), Some(metric));
        }

        #[test]
        fn damage_is_seen_and_makes_nothing_panic(bytes: Vec<u8>, resource in resource(), cut: prop::sample::Index) {
            let _ = (decode_policy(&bytes), decode_rule(&bytes), decode_type(&bytes), decode_counters(&bytes));
            let _ = decode_resource(Uuid::nil(), &bytes);
            let _ = (decode_revision(Uuid::nil(), 0, &bytes), decode_metric(MetricKey(0), &bytes));
            let whole = encode_resource(&resource);
            let cut = cut.index(whole.len());
            prop_assert_eq!(decode_resource(resource.id, &whole[..cut]), None);
        }
    }
}
