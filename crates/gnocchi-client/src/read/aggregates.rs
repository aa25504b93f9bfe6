//! Answers of calculations across metrics: points by what they are of, names in names.

use std::fmt;

use indexmap::IndexMap;
use nephoscope_gnocchi::{AttributeValue, Group, Point, Reference, SeriesOf};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{Kinds, WireMetric, WirePoint, WireResource};

/// An answer.
#[derive(Debug)]
pub(crate) enum WireAnswer {
    Whole(WireGroup),
    Grouped(Vec<WireGrouped>),
}

#[derive(Debug, Deserialize)]
pub(crate) struct WireGrouped {
    pub(crate) group: IndexMap<String, Json>,
    measures: WireGroup,
}

#[derive(Debug, Deserialize)]
pub(crate) struct WireGroup {
    #[serde(default)]
    measures: Tree,
    references: Option<Vec<WireReference>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum WireReference {
    Resource(Box<WireResource>),
    Metric(Box<WireMetric>),
}

/// Points, by names in names.
#[derive(Debug)]
enum Tree {
    Points(Vec<Point>),
    Branches(IndexMap<String, Self>),
}

impl Default for Tree {
    fn default() -> Self {
        Self::Branches(IndexMap::new())
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("points, or names of what has some")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
                let mut points = Vec::new();
                while let Some(point) = list.next_element::<WirePoint>()? {
                    points.push(point.into());
                }
                Ok(Tree::Points(points))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
                let mut branches = IndexMap::new();
                while let Some((name, branch)) = map.next_entry()? {
                    branches.insert(name, branch);
                }
                Ok(Tree::Branches(branches))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl<'de> Deserialize<'de> for WireAnswer {
    /// A list has groups, an object is one; an empty list is an answer without a group, of no metrics.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = WireAnswer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("measures, or groups of them")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<WireAnswer, A::Error> {
                let mut groups = Vec::new();
                while let Some(group) = list.next_element()? {
                    groups.push(group);
                }
                Ok(WireAnswer::Grouped(groups))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WireAnswer, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                WireGroup::deserialize(map).map(WireAnswer::Whole)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl WireGroup {
    /// The resources whose attributes it has.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &WireResource> {
        self.references.iter().flatten().filter_map(|reference| match reference {
            WireReference::Resource(resource) => Some(&**resource),
            WireReference::Metric(metric) => metric.resource.as_ref(),
        })
    }

    fn into_group(self, types: &Kinds) -> Result<Group, Misplaced> {
        let mut measures = Vec::new();
        series(&mut Vec::new(), self.measures, &mut measures)?;
        let references = self.references.map(|references| {
            let read = |reference| match reference {
                WireReference::Resource(it) => Reference::Resource(Box::new(it.into_resource(types))),
                WireReference::Metric(it) => Reference::Metric(Box::new(it.into_metric(types))),
            };
            references.into_iter().map(read).collect()
        });
        Ok(Group { measures, references })
    }
}

impl WireAnswer {
    /// The resources whose attributes it has.
    pub(crate) fn resources(&self) -> Box<dyn Iterator<Item = &WireResource> + '_> {
        match self {
            Self::Whole(group) => Box::new(group.resources()),
            Self::Grouped(groups) => Box::new(groups.iter().flat_map(|group| group.measures.resources())),
        }
    }
}

/// Points that are of nothing, or of something that is no metric.
#[derive(Debug)]
pub(crate) struct Misplaced;

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it has points that are of no metric")
    }
}

fn series(
    path: &mut Vec<String>,
    tree: Tree,
    found: &mut Vec<(SeriesOf, Vec<Point>)>,
) -> Result<(), Misplaced> {
    match tree {
        Tree::Points(points) => found.push((series_of(path).ok_or(Misplaced)?, points)),
        Tree::Branches(branches) => {
            for (name, branch) in branches {
                path.push(name);
                series(path, branch, found)?;
                path.pop();
            }
        }
    }
    Ok(())
}

fn series_of(path: &[String]) -> Option<SeriesOf> {
    let id = |text: &str| text.parse::<Uuid>().ok();
    match path {
        [name] if name == "aggregated" => Some(SeriesOf::Aggregated),
        [metric, aggregation] => Some(SeriesOf::Metric(id(metric)?, aggregation.clone())),
        [resource, name, aggregation] => {
            Some(SeriesOf::Resource(id(resource)?, name.clone(), aggregation.clone()))
        }
        _ => None,
    }
}

/// The groups of an answer, with `kind` to tell of what kind a value is that groups go by.
pub(crate) fn groups(
    answer: WireAnswer,
    types: &Kinds,
    kind: impl Fn(&str, &Json) -> AttributeValue,
) -> Result<nephoscope_gnocchi::AggregatesAnswer, Misplaced> {
    use nephoscope_gnocchi::AggregatesAnswer::{Grouped, Whole};
    match answer {
        WireAnswer::Whole(group) => group.into_group(types).map(Whole),
        WireAnswer::Grouped(groups) => {
            let read = |WireGrouped { group, measures }| {
                let key = group.iter().map(|(name, value)| (name.clone(), kind(name, value))).collect();
                Ok((key, measures.into_group(types)?))
            };
            groups.into_iter().map(read).collect::<Result<_, _>>().map(Grouped)
        }
    }
}
