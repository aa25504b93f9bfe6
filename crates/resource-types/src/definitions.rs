//! Definition files: which types there are, which archive policies.

use nephoscope_gnocchi::{AggregationMethod, ArchivePolicy, Definition, Function, Timespan};

use crate::declared::{DeclaredType, Policies};
use crate::yaml::{InvalidYaml, Line, Yaml, YamlValue};
use crate::{Mistake, ResourceTypes};

/// The policy of meters that name none, where the file does not say.
const DEFAULT_POLICY: &str = "ceilometer-low";
/// What a policy keeps of each period that does not say: as Gnocchi chooses.
const DEFAULT_FUNCTIONS: [Function; 6] =
    [Function::Mean, Function::Min, Function::Max, Function::Sum, Function::Std, Function::Count];

/// What a file like Ceilometer's `gnocchi_resources.yaml` says.
///
/// The whole grammar of that file is read. What is wrong in it is told with its line, all of it at once, and only the entry
/// that it is in is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definitions {
    /// The archive policies that have to exist.
    pub archive_policies: Vec<ArchivePolicy>,
    /// The policy of meters that name none.
    pub default_policy: String,
    /// Where the file names it, if it does.
    default_place: Option<Line>,
    /// The types, in their order.
    pub types: Vec<DeclaredType>,
}

impl Definitions {
    /// Reads a file's text. `file` is what it is called in mistakes; `policy`, where there is one, is the archive policy of
    /// all meters instead of those that the file names.
    ///
    /// Mistakes are in the order of the file. What is not even YAML says nothing, and that is the only mistake.
    pub fn read(text: &str, file: &str, policy: Option<&str>) -> (Self, Vec<Mistake>) {
        let mut mistakes = Vec::new();
        let mut told = |wrong: InvalidYaml| mistakes.push(wrong.in_file(file));
        let definitions = match Yaml::parse(text) {
            Ok(yaml) => Self::of(&yaml, policy, &mut told),
            Err(wrong) => {
                told(wrong);
                Self { default_policy: DEFAULT_POLICY.into(), ..Self::default() }
            }
        };
        mistakes.sort_by_key(|mistake| mistake.place);
        (definitions, mistakes)
    }

    fn of(yaml: &Yaml, policy: Option<&str>, told: &mut impl FnMut(InvalidYaml)) -> Self {
        let mut definitions = Self { default_policy: DEFAULT_POLICY.into(), ..Self::default() };
        let YamlValue::Map(entries) = &yaml.value else {
            if yaml.value != YamlValue::Null {
                told(InvalidYaml::kind(yaml, "the file", "a map with `resources`"));
            }
            return definitions;
        };
        if let Some(default) = yaml.get("archive_policy_default") {
            match default.as_text() {
                Some(name) => {
                    definitions.default_policy = name.into();
                    definitions.default_place = Some(default.place);
                }
                None => told(InvalidYaml::kind(default, "`archive_policy_default`", "a text")),
            }
        }
        for (key, _) in entries {
            let known = ["archive_policy_default", "archive_policies", "resources"];
            if !key.as_text().is_some_and(|key| known.contains(&key)) {
                told(InvalidYaml::new(key, format!("there is no use for {}", key.to_json())));
            }
        }
        for (nth, entry) in entries_of(yaml, "archive_policies", told).iter().enumerate() {
            match read_policy(entry) {
                Ok(policy) => definitions.archive_policies.push(policy),
                Err(wrong) => told(left_out(wrong, "archive policy", entry.get("name"), nth)),
            }
        }
        let policies = Policies { default: &definitions.default_policy, instead: policy };
        let mut types = Vec::new();
        for (nth, entry) in entries_of(yaml, "resources", told).iter().enumerate() {
            match DeclaredType::read(entry, policies) {
                Ok(declared) => types.push(declared),
                Err(wrong) => {
                    for wrong in wrong {
                        told(left_out(wrong, "resource type", entry.get("resource_type"), nth));
                    }
                }
            }
        }
        definitions.types = types;
        definitions
    }

    /// Where the file names an archive policy for meters: first as the default one, then as that of the earliest type. Nothing
    /// where it does not.
    pub fn place_of_policy(&self, policy: &str) -> Option<Line> {
        let default = self.default_place.filter(|_| self.default_policy == policy);
        default.or_else(|| self.types.iter().find_map(|declared| declared.place_of_policy(policy)))
    }

    /// The types, by their meters.
    pub fn into_types(self) -> ResourceTypes {
        let mut types = ResourceTypes::new();
        types.extend(self.types);
        types
    }
}

fn left_out(mut wrong: InvalidYaml, what: &str, name: Option<&Yaml>, nth: usize) -> InvalidYaml {
    let number = || format!("number {}", nth + 1);
    let which = name.and_then(Yaml::as_text).map_or_else(number, |name| format!("`{name}`"));
    wrong.problem.push_str(&format!("; {what} {which} is left out"));
    wrong
}

fn entries_of<'y>(yaml: &'y Yaml, key: &str, told: &mut impl FnMut(InvalidYaml)) -> &'y [Yaml] {
    match yaml.get(key).map(|list| (list, &list.value)) {
        None | Some((_, YamlValue::Null)) => &[],
        Some((_, YamlValue::List(list))) => list,
        Some((list, _)) => {
            told(InvalidYaml::kind(list, format_args!("`{key}`"), "a list"));
            &[]
        }
    }
}

fn read_policy(yaml: &Yaml) -> Result<ArchivePolicy, InvalidYaml> {
    let needed =
        |key: &str| yaml.get(key).ok_or_else(|| InvalidYaml::new(yaml, format!("`{key}` is missing")));
    let name = needed("name")?;
    let definition = needed("definition")?;
    let YamlValue::List(resolutions) = &definition.value else {
        return Err(InvalidYaml::kind(definition, "`definition`", "a list"));
    };
    let mut read: Vec<Definition> = Vec::new();
    for resolution in resolutions {
        let next = read_resolution(resolution)?;
        if read.iter().any(|known| known.granularity == next.granularity) {
            return Err(InvalidYaml::new(resolution, "this granularity is there already"));
        }
        read.push(next);
    }
    if read.is_empty() {
        return Err(InvalidYaml::new(definition, "`definition` is empty, expected at least one granularity"));
    }
    Ok(ArchivePolicy {
        name: name.as_text().ok_or_else(|| InvalidYaml::kind(name, "`name`", "a text"))?.into(),
        back_window: match yaml.get("back_window") {
            None => 0,
            Some(window) => whole(window, "back_window")?,
        },
        definition: read,
        aggregation_methods: read_methods(yaml.get("aggregation_methods"))?,
    })
}

/// Two of granularity, timespan and points, or the granularity alone, which is kept for ever.
fn read_resolution(yaml: &Yaml) -> Result<Definition, InvalidYaml> {
    let span = |key: &str| yaml.get(key).map(|value| read_span(value, key)).transpose();
    let points = yaml.get("points").map(|points| whole::<u64>(points, "points")).transpose()?;
    let wrong = |problem: &str| InvalidYaml::new(yaml, problem);
    let (granularity, timespan) = (span("granularity")?, span("timespan")?);
    let definition = match (granularity, points, timespan) {
        (Some(granularity), points @ Some(_), timespan) => {
            let definition = Definition { granularity, points };
            if timespan.is_some() && timespan != definition.timespan() {
                return Err(wrong("`timespan` is not `granularity` times `points`"));
            }
            definition
        }
        (Some(granularity), None, Some(timespan)) => {
            let points = u64::try_from(timespan.as_nanos() / granularity.as_nanos()).unwrap_or_default();
            Definition { granularity, points: Some(points) }
        }
        (Some(granularity), None, None) => Definition { granularity, points: None },
        (None, Some(points), Some(timespan)) => {
            let nanos = i64::try_from(points).ok().and_then(|points| timespan.as_nanos().checked_div(points));
            let granularity = nanos.and_then(Timespan::from_nanos);
            let granularity = granularity.ok_or_else(|| wrong("`points` are too many for the `timespan`"))?;
            Definition { granularity, points: Some(points) }
        }
        (None, _, _) => return Err(wrong("expected two of `granularity`, `timespan` and `points`")),
    };
    if definition.points == Some(0) {
        return Err(wrong("expected at least one point"));
    }
    Ok(definition)
}

fn read_span(yaml: &Yaml, key: &str) -> Result<Timespan, InvalidYaml> {
    #[expect(clippy::cast_precision_loss, reason = "so many seconds are refused in any case")]
    let read = match &yaml.value {
        YamlValue::Text(text) => Timespan::parse(text),
        YamlValue::Integer(seconds) => Timespan::from_seconds_f64(*seconds as f64),
        YamlValue::Float(seconds) => Timespan::from_seconds_f64(*seconds),
        _ => {
            return Err(InvalidYaml::kind(
                yaml,
                format_args!("`{key}`"),
                "a length of time, such as `5 minutes`",
            ));
        }
    };
    read.map_err(|error| InvalidYaml::new(yaml, format!("`{key}` is no length of time: {error}")))
}

fn whole<T: TryFrom<i128>>(yaml: &Yaml, key: &str) -> Result<T, InvalidYaml> {
    let number = match &yaml.value {
        YamlValue::Integer(number) => T::try_from(*number).ok(),
        _ => None,
    };
    number.ok_or_else(|| {
        InvalidYaml::new(yaml, format!("`{key}` is {}, expected a whole number", yaml.to_json()))
    })
}

/// `*` is all methods; `-x` is one less and `+x` one more, of the default ones if none is named.
fn read_methods(yaml: Option<&Yaml>) -> Result<Vec<AggregationMethod>, InvalidYaml> {
    let names = match yaml.map(|yaml| (yaml, &yaml.value)) {
        None => &[],
        Some((_, YamlValue::List(names))) => names.as_slice(),
        Some((yaml, _)) => return Err(InvalidYaml::kind(yaml, "`aggregation_methods`", "a list")),
    };
    let mut texts = Vec::new();
    for name in names {
        texts.push((
            name,
            name.as_text().ok_or_else(|| InvalidYaml::kind(name, "an aggregation method", "a text"))?,
        ));
    }
    let mut methods: Vec<AggregationMethod> = Vec::new();
    if texts.iter().any(|(_, text)| *text == "*") {
        methods.extend(AggregationMethod::all());
    } else if texts.iter().all(|(_, text)| text.starts_with(['-', '+'])) {
        methods.extend(DEFAULT_FUNCTIONS.map(|function| AggregationMethod { rate: false, function }));
    }
    for (name, text) in texts.into_iter().filter(|(_, text)| *text != "*") {
        let without = text.strip_prefix('-');
        let method = without.unwrap_or_else(|| text.strip_prefix('+').unwrap_or(text));
        let method = method.parse().map_err(|error| InvalidYaml::new(name, format!("{error}")))?;
        if without.is_some() {
            methods.retain(|known| *known != method);
        } else if !methods.contains(&method) {
            methods.push(method);
        }
    }
    Ok(methods)
}
